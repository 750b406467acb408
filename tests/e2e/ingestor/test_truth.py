"""The ingestor against simulated exchanges and a real Kafka, compared with the truth log."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from collector_core.codec import decode_record
from collector_core.events import Book, Candle, Instrument, Row, Status, Ticker, Trade
from collector_core.records import DeadLetter
from collector_core.topics import Topics
from collector_testkit.broker import Broker
from collector_testkit.eventually import eventually
from collector_testkit.rows import read_events, read_raw
from collector_testkit.services import Exchange, Service, simulated
from tests.e2e.ingestor import ledger

pytestmark = [pytest.mark.broker, pytest.mark.e2e]

SYMBOLS = {"binance": ("BTC/USDT", "ETH/USDT"), "upbit": ("BTC/KRW", "ETH/KRW")}


def ingestor(exchange: Exchange, broker: Broker, prefix: str, **settings: str) -> Service:
    """Start an ingestor of a simulated exchange."""
    return Service(
        "collector_ingestor",
        {
            **exchange.settings(),
            "SYMBOLS": ",".join(SYMBOLS[exchange.name]),
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
            "TOPIC_PREFIX": prefix,
            **settings,
        },
    )


def trades_of(broker: Broker, prefix: str, exchange: str, symbol: str) -> list[Row]:
    """Return the rows of a trade topic."""
    return read_events(
        broker.bootstrap_servers, Topics(prefix).address("trade", exchange, symbol).topic
    )


def has_trades(broker: Broker, prefix: str, exchange: str, count: int) -> None:
    """Wait until each symbol's topic has ``count`` trades."""

    def enough(symbol: str) -> bool:
        rows = trades_of(broker, prefix, exchange, symbol)
        return sum(isinstance(row, Trade) for row in rows) >= count

    for symbol in SYMBOLS[exchange]:
        eventually(partial(enough, symbol), f"{count} trades of {symbol}", pause=0.3)


@pytest.mark.parametrize("name", sorted(SYMBOLS))
def test_every_trade_is_one_row(name: str, broker: Broker, prefix: str, tmp_path: Path) -> None:
    with simulated(name, tmp_path, rate=400) as exchange:
        with ingestor(exchange, broker, prefix) as service:
            service.logged("connected")
            has_trades(broker, prefix, name, 300)
            assert service.terminate() == 0
        for symbol in SYMBOLS[name]:
            rows = trades_of(broker, prefix, name, symbol)
            truth = ledger.truth_of(exchange, symbol)
            ledger.stream_whole(rows)
            ledger.same_order(rows, truth)
            assert ledger.missing(rows, truth) == []
            assert ledger.gaps(rows) == []
            last = rows[-1]
            assert isinstance(last, Status)
            assert last.state == "stopped"


@pytest.mark.parametrize("name", sorted(SYMBOLS))
def test_every_channel_flows(name: str, broker: Broker, prefix: str, tmp_path: Path) -> None:
    topics = Topics(prefix)
    symbol = SYMBOLS[name][0]
    kinds = {
        "trade": Trade,
        "ticker": Ticker,
        "book": Book,
        "candle": Candle,
        "instrument": Instrument,
    }

    def flows(channel: str) -> bool:
        topic = topics.address(channel, name, symbol).topic
        found = [
            r for r in read_events(broker.bootstrap_servers, topic) if isinstance(r, kinds[channel])
        ]
        return bool(found)

    with (
        simulated(name, tmp_path, rate=100) as exchange,
        ingestor(exchange, broker, prefix) as service,
    ):
        service.logged("connected")
        for channel in kinds:
            eventually(partial(flows, channel), f"rows of {channel}", pause=0.3)
        assert service.terminate() == 0


@pytest.mark.parametrize("name", sorted(SYMBOLS))
def test_killed_and_restarted(name: str, broker: Broker, prefix: str, tmp_path: Path) -> None:
    with simulated(name, tmp_path, rate=400) as exchange:
        for round_ in range(1, 4):
            with ingestor(exchange, broker, prefix) as service:
                service.logged("connected")
                has_trades(broker, prefix, name, 200 * round_)
                service.kill() if round_ < 3 else service.terminate()
        for symbol in SYMBOLS[name]:
            rows = trades_of(broker, prefix, name, symbol)
            truth = ledger.truth_of(exchange, symbol)
            ledger.stream_whole(rows)
            ledger.same_order(rows, truth)
            gaps = ledger.gaps(rows)
            assert gaps
            lost = ledger.missing(rows, truth)
            assert lost
            assert [t for t in lost if not any(ledger.inside(t, gap) for gap in gaps)] == []
        status = read_events(broker.bootstrap_servers, f"{prefix}.status.{name}")
        for symbol in SYMBOLS[name]:
            ledger.stream_whole([row for row in status if row.symbol == symbol])


def test_faults_of_frames_are_named(broker: Broker, prefix: str, tmp_path: Path) -> None:
    """Dropped, doubled, reordered and corrupt frames: what is missing stands in a gap row."""
    with simulated("binance", tmp_path, rate=400) as exchange:
        with ingestor(exchange, broker, prefix) as service:
            service.logged("connected")
            has_trades(broker, prefix, "binance", 50)
            for count, kind in enumerate(("drop", "double", "reorder", "corrupt"), 2):
                exchange.control("fault", kind=kind, channel="trade", count=3)
                has_trades(broker, prefix, "binance", 100 * count)
            assert service.terminate() == 0
        lost, named = set(), set()
        for symbol in SYMBOLS["binance"]:
            rows = trades_of(broker, prefix, "binance", symbol)
            truth = ledger.truth_of(exchange, symbol)
            ledger.stream_whole(rows)
            ids = [row.id for row in rows if isinstance(row, Trade)]
            assert len(ids) == len(set(ids))
            lost |= {(symbol, trade.id) for trade in ledger.missing(rows, truth)}
            for gap in ledger.gaps(rows):
                named |= {(symbol, t.id) for t in truth if ledger.inside(t, gap)}
            late = {(symbol, row.id) for row in rows if isinstance(row, Trade) and row.backfilled}
            named -= late
        assert lost == named
        assert lost
        raw = read_raw(broker.bootstrap_servers, [(f"{prefix}.dead-letter.binance", 0)])
        letters = [decode_record(value, DeadLetter) for _, value in raw]
        assert len(letters) == 3
        assert all(letter.exchange == "binance" and letter.frame for letter in letters)


def test_a_cut_is_said_and_healed(broker: Broker, prefix: str, tmp_path: Path) -> None:
    with simulated("binance", tmp_path, rate=400) as exchange:
        with ingestor(exchange, broker, prefix) as service:
            service.logged("connected")
            has_trades(broker, prefix, "binance", 100)
            exchange.control("fault", kind="cut")
            service.logged("disconnected")
            has_trades(broker, prefix, "binance", 400)
            assert service.terminate() == 0
        for symbol in SYMBOLS["binance"]:
            rows = trades_of(broker, prefix, "binance", symbol)
            truth = ledger.truth_of(exchange, symbol)
            states = [row.state for row in rows if isinstance(row, Status)]
            assert states.count("disconnected") == 1
            assert states.count("subscribed") == 2
            ledger.same_order(rows, truth)
            gaps = ledger.gaps(rows)
            lost = ledger.missing(rows, truth)
            assert [t for t in lost if not any(ledger.inside(t, gap) for gap in gaps)] == []
