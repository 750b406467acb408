"""The ingestor as its operator meets it: layouts, control, wrong settings, a broker that goes."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from confluent_kafka import Producer
from websockets.sync.client import connect

from collector_core.codec import decode_record, encode
from collector_core.events import Row, Status, Trade
from collector_core.records import CatalogEntry, Control
from collector_core.topics import Topics
from collector_testkit.broker import Broker
from collector_testkit.eventually import eventually
from collector_testkit.rows import read_events, read_raw
from collector_testkit.services import Exchange, Service, simulated
from tests.e2e.ingestor import ledger

pytestmark = [pytest.mark.broker, pytest.mark.e2e]


def ingestor(exchange: Exchange, broker: Broker, prefix: str, **settings: str) -> Service:
    """Start an ingestor of Binance's simulation, trades of two symbols unless told otherwise."""
    return Service(
        "collector_ingestor",
        {
            **exchange.settings(),
            "SYMBOLS": "BTC/USDT,ETH/USDT",
            "COLLECTOR_CHANNELS": "trade",
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
            "TOPIC_PREFIX": prefix,
            **settings,
        },
    )


def rows_of(broker: Broker, topics: Topics, symbol: str) -> list[Row]:
    """Return the rows of a symbol's trades, in either layout."""
    address = topics.address("trade", "binance", symbol)
    rows = read_events(broker.bootstrap_servers, address.topic, address.partition)
    return [row for row in rows if row.symbol == symbol]


def test_both_layouts_carry_the_same_rows(broker: Broker, prefix: str, tmp_path: Path) -> None:
    single, keyed = Topics(f"{prefix}-s"), Topics(f"{prefix}-k", "keyed", 4)
    with simulated("binance", tmp_path, rate=200) as exchange:
        with (
            ingestor(exchange, broker, single.prefix) as one,
            ingestor(
                exchange,
                broker,
                keyed.prefix,
                TOPIC_LAYOUT="keyed",
                COLLECTOR_TOPIC_PARTITIONS="4",
            ) as other,
        ):
            one.logged("connected")
            other.logged("connected")
            for topics in (single, keyed):
                eventually(partial(_many, broker, topics), "rows", pause=0.3)
            assert one.terminate() == 0
            assert other.terminate() == 0
        for symbol in ("BTC/USDT", "ETH/USDT"):
            truth = ledger.truth_of(exchange, symbol)
            seen = []
            for topics in (single, keyed):
                rows = rows_of(broker, topics, symbol)
                ledger.stream_whole(rows)
                told = ledger.account(rows, truth)
                ledger.same_order(told)
                assert told.missing == []
                seen.append({r.id: ledger.described(r) for r in rows if isinstance(r, Trade)})
            common = seen[0].keys() & seen[1].keys()
            assert len(common) > 100
            assert {i: seen[0][i] for i in common} == {i: seen[1][i] for i in common}


def test_control_adds_and_removes_a_symbol(broker: Broker, prefix: str, tmp_path: Path) -> None:
    topics = Topics(prefix)
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers})

    def say(symbol: str, *channels: str) -> None:
        row = encode(Control("binance", symbol, channels))
        producer.produce(topics.control, row, f"binance|{symbol}".encode())
        assert producer.flush(10) == 0

    with simulated("binance", tmp_path, rate=200) as exchange:
        with ingestor(exchange, broker, prefix, SYMBOLS="BTC/USDT") as service:
            service.logged("connected")
            say("SOL/USDT", "trade")
            say("NO/SUCH", "trade")
            say("BTC/USDT")
            eventually(lambda: _stopped(rows_of(broker, topics, "BTC/USDT")), "a stopped row")
            eventually(
                lambda: sum(isinstance(r, Trade) for r in rows_of(broker, topics, "SOL/USDT")) > 20,
                "trades of the added symbol",
                pause=0.3,
            )
            assert service.terminate() == 0
        for symbol in ("BTC/USDT", "SOL/USDT"):
            rows = rows_of(broker, topics, symbol)
            ledger.stream_whole(rows)
            told = ledger.account(rows, ledger.truth_of(exchange, symbol))
            ledger.same_order(told)
            assert told.missing == []
        last = rows_of(broker, topics, "BTC/USDT")[-1]
        assert isinstance(last, Status)
        assert last.state == "stopped"
    statuses = read_events(broker.bootstrap_servers, f"{prefix}.status.binance")
    rejected = [r for r in statuses if isinstance(r, Status) and r.state == "rejected"]
    assert [(r.symbol, r.channel) for r in rejected] == [("NO/SUCH", "trade")]
    raw = read_raw(broker.bootstrap_servers, [(topics.catalog, 0)])
    listed = {decode_record(value, CatalogEntry).symbol for _, value in raw}
    assert {"BTC/USDT", "SOL/USDT"} == listed


def _many(broker: Broker, topics: Topics) -> bool:
    return len(rows_of(broker, topics, "BTC/USDT")) > 300


def _stopped(rows: list[Row]) -> bool:
    return any(isinstance(row, Status) and row.state == "stopped" for row in rows)


def test_a_broker_that_is_gone_ends_the_process(
    controlled_broker: Broker, prefix: str, tmp_path: Path
) -> None:
    with (
        simulated("binance", tmp_path, rate=200) as exchange,
        ingestor(exchange, controlled_broker, prefix, COLLECTOR_DELIVERY_TIMEOUT="2") as service,
    ):
        service.logged("connected")
        controlled_broker.stop()
        assert service.process.wait(30) == 1
        sentence = service.log().splitlines()[-1]
        assert sentence.startswith("error: a row for ")
        assert "could not be delivered" in sentence
        assert "Traceback" not in service.log()


def test_a_close_that_means_too_much_is_a_throttle(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    """Coinone lets an address have 20 connections, and closes one more with code 4290."""
    with (
        simulated("coinone", tmp_path, rate=50) as exchange,
        ExitStack() as others,
    ):
        for _ in range(20):
            others.enter_context(connect(exchange.websocket_url))
        service = others.enter_context(
            ingestor(exchange, broker, prefix, SYMBOLS="BTC/KRW", COLLECTOR_BACKOFF_CAP="2")
        )
        service.logged('"cause":"throttled","reason":"closed by the exchange: 4290')
        exchange.control("fault", kind="cut")
        topic = Topics(prefix).address("trade", "coinone", "BTC/KRW").topic
        eventually(
            lambda: any(
                isinstance(row, Trade) for row in read_events(broker.bootstrap_servers, topic)
            ),
            "trades once there is room",
            pause=0.3,
        )
        assert service.terminate() == 0


WRONG = {
    "an unknown exchange": ({"EXCHANGE": "binanse"}, 2, "EXCHANGE"),
    "a symbol that is none": ({"SYMBOLS": "BTCUSDT"}, 2, "SYMBOLS"),
    "a wrong type": ({"COLLECTOR_BOOK_LEVELS": "many"}, 2, "COLLECTOR_BOOK_LEVELS"),
    "an unknown setting": ({"COLLECTOR_BOOK_LEVLES": "5"}, 2, "COLLECTOR_BOOK_LEVLES"),
    "a channel that is not pushed": ({"COLLECTOR_CHANNELS": "trade,ghost"}, 2, "ghost"),
    "an interval that is none": (
        {"COLLECTOR_CHANNELS": "candle", "COLLECTOR_INTERVALS": "7m"},
        2,
        "7m",
    ),
    "an unreachable broker": ({"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9"}, 1, "127.0.0.1:9"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_settings_are_named(case: str) -> None:
    settings, code, named = WRONG[case]
    given = {
        "EXCHANGE": "binance",
        "SYMBOLS": "BTC/USDT",
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
        **settings,
    }
    with Service("collector_ingestor", given) as service:
        assert service.process.wait(30) == code
        assert named in service.log().splitlines()[-1]
        assert "Traceback" not in service.log()


def test_only_unlisted_symbols_end_the_start(broker: Broker, prefix: str, tmp_path: Path) -> None:
    with (
        simulated("binance", tmp_path) as exchange,
        ingestor(exchange, broker, prefix, SYMBOLS="NO/SUCH") as service,
    ):
        assert service.process.wait(30) == 2
        assert "NO/SUCH" in service.log().splitlines()[-1]
