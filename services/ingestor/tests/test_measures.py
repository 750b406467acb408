"""What an ingestor's metrics say of counters that come and go, and how many series there are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Final, cast, get_args

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from collector_core.events import Book, State, Status, Ticker, Trade
from collector_core.symbols import SymbolTable
from collector_core.topics import Topics
from collector_exchanges.discovery import adapter, exchanges
from collector_feed.breaker import Breaker
from collector_feed.numbering import Numbering
from collector_feed.outputs import Output, Subscription, Undecodable
from collector_feed.session import Session
from collector_ingestor.access import Access
from collector_ingestor.ingestor import Ingestor
from collector_ingestor.measures import Measures
from collector_ingestor.tallies import Counters
from collector_runtime.kafka.connection import KafkaSettings, producer_config
from collector_runtime.kafka.publisher import Publisher
from collector_runtime.metrics import Exporter

AT: Final = 1_795_305_600_000_000
MOST: Final = 2_000
CHANNELS: Final = ("trade", "ticker", "book", "candle")
MANY: Final = 500
CAUSES: Final = (
    *("lost", "silent", "no data", "refused", "notice", "connect timeout", "throttled"),
    "deaf to a stream",
    *(f"handshake {code}" for code in (403, 418, 429, 451, 500, 502, 503)),
)


class Stand:
    """An ingestor as far as metrics look at it, on a broker inside of librdkafka."""

    def __init__(self, exchange: str, symbols: int, connections: int = 2) -> None:
        kind = adapter(exchange)
        self.exchange = exchange
        self.spec = kind.spec
        self.numbering = Numbering(AT, Topics("t"))
        self.names = [f"S{number}/{kind.spec.quotes[0]}" for number in range(symbols)]
        self.table = SymbolTable((name, name.replace("/", "-")) for name in self.names)
        for symbol in self.names:
            for channel in (*CHANNELS, "status", "instrument"):
                self.numbering.open(channel, exchange, symbol)
        config = producer_config(KafkaSettings("127.0.0.1:1", "t"))
        mock = {"test.mock.num.brokers": 1, "log_level": 0}
        self.publisher = Publisher(config | mock, self.numbering, exchange)
        self.access = Access(kind, lambda: 0.5)
        self.fetcher = SimpleNamespace(outcomes={"ok": 3, "throttled": 1, "failed": 2})
        self.connections = [self.connection(f"{exchange}-{n}") for n in range(connections)]

    def connection(self, name: str) -> Any:  # noqa: ANN401  # stands for a Connection
        """Return what metrics read of a connection that wants every symbol."""
        kind = adapter(self.exchange)
        session = Session(kind(self.table), "ws://127.0.0.1", lambda: 0.5)
        wanted = [
            Subscription(channel, symbol)
            for symbol in self.names
            for channel in ("trade", "book")
            if kind.spec.channels[channel].stream
        ]
        session.subscribe(wanted, 0.0)
        return SimpleNamespace(name=name, session=session, counters=Counters(), connected=True)

    def measures(self) -> Measures:
        """Return the source of this ingestor's samples."""
        return Measures(cast("Ingestor", self), clock=lambda: 100.0)


def scrape(measures: Measures) -> dict[tuple[str, ...], float]:
    """Return what Prometheus reads: name and labels, and the value."""
    exporter = Exporter()
    exporter.add(measures)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(exporter)
    text = generate_latest(registry).decode()
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def status(symbol: str, channel: str, state: State, exchange: str) -> Status:
    """Return a status row."""
    return Status(
        exchange=exchange, symbol=symbol, exchange_time=None, receive_time=AT, epoch=0, seq=0,
        state=state, channel=channel,
    )  # fmt: skip


def trade(symbol: str) -> Trade:
    """Return a trade of Binance."""
    return Trade("binance", symbol, AT, AT, 0, 0, "1", "1", "1", "buy")


def seen(connection: Any, *outputs: Output) -> None:  # noqa: ANN401  # stands for a Connection
    """Count a frame with these outputs."""
    tally = connection.counters.of(outputs)
    tally.frames += 1
    tally.bytes += 100
    tally.parse.observe(3)
    tally.latency.observe(40)


@pytest.mark.parametrize("exchange", exchanges())
def test_a_process_has_at_most_two_thousand_series(exchange: str) -> None:
    stand = Stand(exchange, MANY)
    symbol = stand.names[0]
    kinds: list[Output] = [
        trade(symbol),
        status(symbol, "trade", "gap", exchange),
        Undecodable(b"", AT, "wrong"),
        Book(exchange, symbol, AT, AT, 0, 0, "delta", [], []),
    ]
    for connection in stand.connections:
        seen(connection)
        for output in kinds:
            seen(connection, output)
        for channel in ("ticker", "candle", "depth", "bar", "indicator", "instrument"):
            # as if frames of every channel there is had come
            connection.counters.by_channel[channel] = Counters().of([trade(symbol)])
        for cause in CAUSES:
            connection.session.losses[cause] = 1
        connection.session.vitals.connected(0.0, AT)
    for channel in CHANNELS:
        for state in get_args(State):
            for name in stand.names[:3]:
                stand.publisher.publish(status(name, channel, state, exchange))
    for path in ("public", "business"):
        for gate in (stand.access.attempts, stand.access.requests):
            gate.breakers[f"wss://{path}"] = Breaker(lambda: 0.5)
    found = scrape(stand.measures())
    labels = {value for key in found for value in key[1:]}
    assert labels.isdisjoint(stand.names)
    assert found["collector_streams", "book", exchange] == MANY
    assert found["collector_status_rows_total", "trade", exchange, "gap"] == 3
    assert len(found) <= MOST


def test_symbols_and_connections_add_no_series() -> None:
    few, many = Stand("binance", 2, connections=1), Stand("binance", 50, connections=5)
    assert scrape(few.measures()).keys() == scrape(many.measures()).keys()


def test_counters_never_fall_when_streams_close_and_connections_go() -> None:
    stand = Stand("binance", 3)
    measures = stand.measures()
    first, second = stand.connections
    streams = [stream for _, stream in first.session.pipeline.trades()]
    for stream in streams:
        stream.doubles = 5
    first.session.losses["lost"] = 2
    second.session.losses["lost"] = 1
    doubles, lost = ("collector_doubled_trades_total", "binance"), (
        "collector_reconnects_total", "binance", "lost",
    )  # fmt: skip
    before = scrape(measures)
    assert (before[doubles], before[lost]) == (15, 3)
    first.session.pipeline.close("trade", stand.names[0])
    stand.connections[1] = stand.connection(second.name)
    after = scrape(measures)
    assert (after[doubles], after[lost]) == (15, 3)
    streams[1].doubles += 4
    stand.connections[1].session.losses["lost"] = 1
    again = scrape(measures)
    assert (again[doubles], again[lost]) == (19, 4)


def test_rows_of_a_closed_stream_stay_counted_once() -> None:
    stand = Stand("binance", 2)
    measures = stand.measures()
    rows = ("collector_rows_total", "trade", "binance")
    for _ in range(7):
        stand.publisher.publish(trade(stand.names[0]))
    assert scrape(measures)[rows] == 7
    stand.publisher.close("trade", stand.names[0])
    assert scrape(measures)[rows] == 7
    stand.numbering.open("trade", "binance", stand.names[0])
    assert scrape(measures)[rows] == 7


def test_frames_count_for_what_they_carry() -> None:
    stand = Stand("binance", 1)
    connection = stand.connections[0]
    seen(connection)
    seen(connection, trade(stand.names[0]), trade(stand.names[0]))
    seen(connection, Undecodable(b"", AT, "wrong"))
    seen(connection, Ticker("binance", stand.names[0], AT, AT, 0, 0))
    found = scrape(stand.measures())
    frames = {key[1]: value for key, value in found.items() if key[0] == "collector_frames_total"}
    assert frames == {"control": 1, "trade": 1, "undecodable": 1, "ticker": 1}
    assert found["collector_frame_bytes_total", "trade", "binance"] == 100
    assert found["collector_parse_seconds_count", "trade", "binance"] == 1
    assert found["collector_receive_to_produce_seconds_sum", "trade", "binance"] == 40e-6


def test_circuits_and_budgets_are_shown() -> None:
    stand = Stand("binance", 1)
    gate = stand.access.attempts
    broken = gate.breakers["wss://a"] = Breaker(lambda: 0.5, threshold=1)
    gate.breakers["wss://b"] = Breaker(lambda: 0.5)
    broken.failed(100.0)
    gate.allowance.budget.take(3, 100.0)
    found = scrape(stand.measures())
    assert found["collector_breaker_state", "websocket", "binance"] == 2
    assert found["collector_breaker_state", "rest", "binance"] == 0
    assert found["collector_breaker_openings_total", "websocket", "binance"] == 1
    assert found["collector_budget_spent_total", "attempts", "binance"] == 3
    limit = stand.spec.connection_attempts
    assert found["collector_budget_window_seconds", "attempts", "binance"] == limit.seconds
    assert 0 < found["collector_budget_allowed", "attempts", "binance"] <= limit.count


def test_the_skew_is_that_of_the_fastest_event_and_not_a_sum() -> None:
    stand = Stand("binance", 1)
    key = ("collector_exchange_clock_skew_seconds", "binance")
    assert key not in scrape(stand.measures())
    for connection, skew in zip(stand.connections, (-250_000, -100_000), strict=True):
        connection.session.vitals.rows = [trade(stand.names[0])]
        connection.session.vitals.rows[0] = Trade(
            "binance", stand.names[0], AT + skew, AT, 0, 0, "1", "1", "1", "buy"
        )
        connection.session.vitals.sample(1.0, AT)
    assert scrape(stand.measures())[key] == -0.1


def test_held_trades_and_books_by_state() -> None:
    stand = Stand("binance", 3, connections=1)
    pipeline = stand.connections[0].session.pipeline
    pipeline.begin("book", stand.names[0], AT, [])
    found = scrape(stand.measures())
    states = {k[2]: v for k, v in found.items() if k[0] == "collector_books"}
    assert states == {"empty": 2, "syncing": 1, "live": 0}
    assert found["collector_held_rows", "trade", "binance"] == 0
