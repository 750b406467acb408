"""Who takes part in the ingest benchmark: how each is started, and where its rows go."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from bench.environments import python_of
from bench.feed import Feed
from bench.processes import Program

__all__ = ["OURS", "SYMBOLS", "Contestant", "Place", "contestants"]

OURS: Final = "collector_ingestor"
SYMBOLS: Final = ("BTC-USDT", "ETH-USDT", "SOL-USDT", "XRP-USDT")
_PEERS: Final = Path(__file__).parent / "peers"


class Place(NamedTuple):
    """Where a run happens."""

    bootstrap: str
    prefix: str
    """First part of the names of this run's topics."""
    trades: Feed
    """Server of ``trade`` frames."""
    aggregates: Feed
    """Server of ``aggTrade`` frames, for the peer that reads those."""


class Contestant(msgspec.Struct, frozen=True):
    """One program that brings trades to Kafka."""

    name: str
    start: Callable[[Place], Program]
    topic: str
    """Pattern of its topics' names, of ``prefix`` and ``symbol``."""
    warm_up: int
    """Rows sent before the measurement, a multiple of the server's chunk."""
    rows: int
    """Rows of a measured run, likewise."""
    timeout: float
    """Seconds for either."""
    feed: str = "trades"
    """Which server of the ``Place`` sends, or empty where the program has its rows itself."""
    note: str = ""

    def topics(self, prefix: str) -> list[str]:
        """Return its topics."""
        return [self.topic.format(prefix=prefix, symbol=symbol) for symbol in SYMBOLS]


_TOPIC: Final = "{prefix}.trade.binance.{symbol}"


def contestants(*, quick: bool) -> list[Contestant]:
    """Return who takes part; with ``quick`` they bring fewer rows."""
    scale = 4 if quick else 1
    fast, warm = 614_400 // scale, 102_400 // scale
    return [
        Contestant(OURS, _ingestor, _TOPIC, warm, fast, 60),
        Contestant(
            "produce-only loop", _floor(fast + warm), _TOPIC, warm, fast, 60, feed="",
            note="no socket, no decoding: the floor",
        ),
        Contestant("plain script", _plain("send"), _TOPIC, 10_240, 81_920 // scale, 60),
        Contestant(
            "plain script, each send awaited", _plain("await"), _TOPIC, 256, 1024 // scale, 60
        ),
        Contestant(
            "cryptofeed 2.4.1", _cryptofeed, "{prefix}-BINANCE-{symbol}", 256,
            1024 if quick else 5120, 120, feed="aggregates",
        ),
    ]  # fmt: skip


def _ingestor(place: Place) -> Program:
    settings = {
        "EXCHANGE": "binance",
        "SYMBOLS": ",".join(symbol.replace("-", "/") for symbol in SYMBOLS),
        "KAFKA_BOOTSTRAP_SERVERS": place.bootstrap,
        "TOPIC_PREFIX": place.prefix,
        "COLLECTOR_CHANNELS": "trade",
        "COLLECTOR_WEBSOCKET_URL": f"{place.trades.websocket_url}/ws",
        "COLLECTOR_REST_URL": place.trades.url,
    }
    return Program("ingestor", [sys.executable, "-m", OURS], settings)


def _floor(rows: int) -> Callable[[Place], Program]:
    def start(place: Place) -> Program:
        python, script = sys.executable, str(_PEERS / "produce_only.py")
        program = Program(
            "produce-only", [python, script, place.bootstrap, place.prefix, str(rows)]
        )
        program.line(60)
        return program

    return start


def _plain(how: str) -> Callable[[Place], Program]:
    def start(place: Place) -> Program:
        python, script = python_of("plain", install=True), str(_PEERS / "plain.py")
        url = f"{place.trades.websocket_url}/ws"
        return Program("plain", [python, script, url, place.bootstrap, place.prefix, how])

    return start


def _cryptofeed(place: Place) -> Program:
    python, script = python_of("cryptofeed", install=True), str(_PEERS / "cryptofeed_peer.py")
    port = str(place.aggregates.port)
    return Program("cryptofeed", [python, script, port, place.bootstrap, place.prefix])
