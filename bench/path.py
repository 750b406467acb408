"""Where the CPU time of an ingested row goes: the layers of the hot path, on one thread.

Each line is measured alone with the same trades; a line that contains others says so. The CPU time
is this thread's, so the work of librdkafka's threads (and their share of the machine) is not in
it, and the smallest of many passes is steady even on a busy machine. The whole path ends in
librdkafka's queue; a broker inside librdkafka (``test.mock.num.brokers``) takes the rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, cast

from bench.feed_server import SYMBOLS, trade_frames
from bench.figures import Figure
from bench.machine import load
from confluent_kafka import Producer

from collector_core.codec import encode
from collector_core.events import Trade
from collector_core.symbols import SymbolTable
from collector_core.topics import Topics
from collector_exchanges.discovery import adapter as adapter_of
from collector_feed.adapter import Adapter
from collector_feed.numbering import Numbering
from collector_feed.outputs import Subscription
from collector_feed.pipeline import Pipeline
from collector_feed.session import Session
from collector_ingestor.connection import Connection, _Link
from collector_ingestor.incidents import Bystander
from collector_ingestor.tallies import Counters
from collector_runtime.kafka.connection import KafkaSettings, producer_config
from collector_runtime.kafka.publisher import Publisher

__all__ = ["run"]

_AT: Final = 1_790_000_000_000_000
_QUANTITY: Final = "thread CPU µs/row"
_NAMES: Final = tuple(f"{base}/{quote}" for base, quote, _ in SYMBOLS)
_PASSES: Final = 3
"""Passes in each run; the smallest counts."""

_Pass = Callable[[], None]


class _Owner(NamedTuple):
    """As much of a connection as its link touches while frames come."""

    session: Session
    publisher: Publisher
    counters: Counters

    @property
    def witness(self) -> Bystander:
        return Bystander(self.session, self.publisher.publish)


def run(runs: int, *, quick: bool, say: Callable[[str], None]) -> list[Figure]:
    """Return a figure for each layer, the smallest pass of each run."""
    frames = list(_payloads(10_240 if quick else 40_960))
    figures = []
    for name, make, note in _layers(frames):
        say(f"ingest path: {name}")
        figure = Figure("path", name, _QUANTITY, note=note, load=load())
        for _ in range(runs):
            figure.values.append(min(_timed(make(), len(frames)) for _ in range(_PASSES)))
        figures.append(figure)
    return figures


def _timed(work: _Pass, rows: int) -> float:
    began = time.thread_time()
    work()
    return (time.thread_time() - began) / rows * 1e6


def _layers(frames: list[bytes]) -> list[tuple[str, Callable[[], _Pass], str]]:
    rows = [cast("Trade", row) for frame in frames for row in _adapter().on_frame(frame, _AT)]

    def feeding(take: Callable[[bytes, int], object]) -> _Pass:
        def work() -> None:
            for frame in frames:
                take(frame, _AT)

        return work

    def over_rows(take: Callable[[Trade], object]) -> _Pass:
        def work() -> None:
            for row in rows:
                take(row)

        return work

    return [
        ("adapter", lambda: feeding(_adapter().on_frame), "frame to event"),
        ("pipeline", lambda: feeding(_pipeline().on_frame), "adapter and integrity"),
        ("session", lambda: feeding(_session().on_frame), "pipeline and connection's state"),
        ("stamp", lambda: over_rows(_numbering().stamp), "epoch and sequence"),
        ("encode", lambda: over_rows(encode), "event to row"),
        ("produce", lambda: _produce(rows), "row into librdkafka's queue"),
        ("publish", lambda: over_rows(_publisher().publish), "stamp, encode and produce"),
        ("whole path", lambda: feeding(_link()), "session, counters and publish; no socket"),
    ]


def _payloads(count: int) -> Iterator[bytes]:
    for chunk in trade_frames(count, "trade", combined=False):
        at = 0
        while at < len(chunk):
            size, at = chunk[at + 1], at + 2
            if size == 126:
                size, at = int.from_bytes(chunk[at : at + 2]), at + 2
            yield chunk[at : at + size]
            at += size


def _adapter() -> Adapter:
    table = SymbolTable()
    for base, quote, _ in SYMBOLS:
        table.add(f"{base}/{quote}", base + quote)
    return adapter_of("binance")(table)


def _pipeline() -> Pipeline:
    pipeline = Pipeline(_adapter())
    for symbol in _NAMES:
        pipeline.begin("trade", symbol, _AT, [])
    return pipeline


def _session() -> Session:
    session = Session(_adapter(), "ws://127.0.0.1", lambda: 0.5)
    session.subscribe([Subscription("trade", symbol) for symbol in _NAMES], 0.0)
    session.start(0.0)
    session.on_connected(0.0, _AT)
    session.on_frame(b'{"result":null,"id":1}', _AT)
    return session


def _numbering() -> Numbering:
    numbering = Numbering(_AT, Topics("bench"))
    for symbol in _NAMES:
        numbering.open("trade", "binance", symbol)
    return numbering


def _config() -> dict[str, object]:
    mock = {"test.mock.num.brokers": 1, "log_level": 0}
    return producer_config(KafkaSettings("127.0.0.1:1", "bench")) | mock


def _publisher() -> Publisher:
    return Publisher(_config(), _numbering(), "binance")


def _produce(rows: list[Trade]) -> _Pass:
    config = {**_config(), "queue.buffering.max.messages": 500_000}
    produce = Producer({**config, "delivery.report.only.error": True}).produce
    topic, key = "bench.trade.binance.BTC-USDT", b"binance|BTC/USDT"
    encoded = [encode(row) for row in rows]

    def delivered(_error: object, _message: object) -> None:
        pass

    def work() -> None:
        for row in encoded:
            produce(topic, row, key, 0, delivered)

    return work


def _link() -> Callable[[bytes, int], None]:
    owner = _Owner(_session(), _publisher(), Counters())
    # the link is the ingestor's own affair; it is where a frame enters, and worth measuring
    return _Link(cast("Connection", owner)).on_frame
