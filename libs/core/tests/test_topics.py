"""Names, keys and partitions."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from collector_core.errors import SymbolError
from collector_core.events import (
    Bar,
    Book,
    Candle,
    Clock,
    Depth,
    Event,
    Indicator,
    Instrument,
    Status,
    Ticker,
    Trade,
)
from collector_core.symbols import join
from collector_core.topics import (
    PER_EXCHANGE,
    Layout,
    TopicName,
    Topics,
    escape,
    key_of,
    murmur2,
    stream_key,
    unescape,
)

LEGAL = re.compile(r"[A-Za-z0-9._-]{1,249}").fullmatch
codes = st.text(
    st.characters(categories=["L", "N", "P", "S"], exclude_characters="/|"), min_size=1, max_size=6
)
symbols = st.builds(join, codes, codes)


def at(event: type[Event], **fields: object) -> Event:
    stamped: dict[str, object] = {
        "exchange": "binance",
        "symbol": "BTC/USDT",
        "exchange_time": 1,
        "receive_time": 2,
        "epoch": 3,
        "seq": 4,
    }
    return event(**{**stamped, **fields})  # type: ignore[arg-type]  # fields differ by type


# --- escaping --------------------------------------------------------------------------------


@given(st.text(min_size=1))
def test_escaping_is_reversible(text: str) -> None:
    assert unescape(escape(text)) == text


@given(st.text(), st.text())
def test_escaping_is_injective(left: str, right: str) -> None:
    assume(left != right)
    assert escape(left) != escape(right)


@given(st.text())
def test_escaping_writes_letters_digits_and_underscores(text: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_]*", escape(text))


@given(st.text(alphabet="AZ09_aFf.-2E", max_size=12))
def test_only_what_escape_writes_is_read(part: str) -> None:
    try:
        code = unescape(part)
    except SymbolError:
        return
    assert escape(code) == part


@pytest.mark.parametrize("part", ["", "_", "_2", "_2e", "_41", "_FF", "A.B", "A-B", "_ZZ"])
def test_other_parts_are_refused(part: str) -> None:
    with pytest.raises(SymbolError, match="expected an escaped currency code"):
        unescape(part)


def test_the_documented_example() -> None:
    assert escape("1INCH.X") == "1INCH_2EX"
    assert escape("원") == "_EC_9B_90"


# --- murmur2 ---------------------------------------------------------------------------------


def signed(number: int) -> int:
    return number - (1 << 32) if number >> 31 else number


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        # org.apache.kafka.common.utils.UtilsTest.testMurmur2
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2_is_kafkas(data: bytes, expected: int) -> None:
    assert signed(murmur2(data)) == expected


@given(st.binary(max_size=80))
def test_murmur2_is_a_clients(data: bytes) -> None:
    partitioner = pytest.importorskip("aiokafka.partitioner")
    assert murmur2(data) & 0x7FFFFFFF == partitioner.murmur2(data) & 0x7FFFFFFF


# --- names -----------------------------------------------------------------------------------


def test_the_names_of_the_design() -> None:
    topics = Topics()
    assert topics.address("trade", "binance", "BTC/USDT") == ("md.trade.binance.BTC-USDT", 0, 1)
    assert topics.catalog == "md.catalog"
    assert topics.control == "md.control"


def test_the_keyed_layout_puts_a_symbol_where_kafkas_partitioner_would() -> None:
    topics = Topics(layout="keyed", partitions=16)
    # the worked example of docs/topics.md
    assert murmur2(b"binance|BTC/USDT") == 3598881902
    assert topics.address("trade", "binance", "BTC/USDT") == ("md.trade.binance", 14, 16)


@given(symbols, st.integers(1, 64), st.sampled_from(["trade", "book", "candle"]))
def test_the_keyed_partition_is_murmur2_of_the_stream(
    symbol: str, partitions: int, channel: str
) -> None:
    address = Topics("p", "keyed", partitions).address(channel, "x", symbol)
    hashed = murmur2(stream_key("x", symbol).encode()) & 0x7FFFFFFF
    assert address == (f"p.{channel}.x", hashed % partitions, partitions)


@given(symbols)
def test_a_topic_reads_back_as_its_symbol(symbol: str) -> None:
    topics = Topics("md-2")
    topic = topics.address("book", "upbit", symbol).topic
    assert LEGAL(topic)
    assert topics.parse(topic) == TopicName("book", "upbit", symbol)


@given(symbols, symbols)
def test_two_symbols_have_two_topics_also_for_kafkas_metrics(left: str, right: str) -> None:
    assume(left != right)
    topics = Topics()
    # Kafka refuses names that differ only in "." and "_"
    names = {topics.address("trade", "x", s).topic.replace(".", "_") for s in (left, right)}
    assert len(names) == 2


@pytest.mark.parametrize("layout", ["symbol", "keyed"])
@pytest.mark.parametrize("channel", sorted(PER_EXCHANGE))
def test_some_channels_have_one_topic_an_exchange(layout: Layout, channel: str) -> None:
    topics = Topics(layout=layout)
    assert topics.address(channel, "binance", "BTC/USDT") == (f"md.{channel}.binance", 0, 1)
    assert topics.parse(f"md.{channel}.binance") == TopicName(channel, "binance", None)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "md",
        "md.trade",
        "other.trade.binance.BTC-USDT",
        "md.trade.binance.BTCUSDT",
        "md.trade.binance.BTC-USDT-X",
        "md.trade.binance.btc-usdt",
        "md.trade.binance.BTC-",
        "md.trade.binance.-USDT",
        "md.trade.binance._2F-USDT",
        "md.trade.binance.BTC-USDT.more",
        "md..binance",
        "md.trade.",
        "md.trade.binance.",
    ],
)
def test_names_that_we_do_not_write_are_refused(topic: str) -> None:
    with pytest.raises(SymbolError, match="expected"):
        Topics().parse(topic)


@pytest.mark.parametrize("symbol", ["btc/usdt", "BTC", "BTC/US DT", ""])
def test_an_address_wants_our_spelling(symbol: str) -> None:
    with pytest.raises(SymbolError):
        Topics().address("trade", "binance", symbol)


@pytest.mark.parametrize(
    "address",
    [
        lambda: Topics().address("trade", "binance", "A" * 240 + "/B"),
        lambda: Topics("p" * 245, "keyed").address("trade", "binance", "A/B"),
        lambda: Topics("p" * 245).address("status", "binance", "A/B"),
    ],
)
def test_a_name_that_kafka_would_refuse_is_refused(address: Callable[[], object]) -> None:
    with pytest.raises(SymbolError, match="at most 249 letters"):
        address()


@pytest.mark.parametrize("prefix", ["", "a.b", "a_b", "a b", "é", "a/b"])
def test_a_prefix_has_letters_digits_and_dashes(prefix: str) -> None:
    with pytest.raises(ValueError, match="expected a prefix"):
        Topics(prefix)


def test_there_is_at_least_one_partition() -> None:
    with pytest.raises(ValueError, match="expected at least one partition, was 0"):
        Topics(partitions=0)


# --- keys ------------------------------------------------------------------------------------

CANDLE = {
    "open_time": 60,
    "close_time": 120,
    "open": "1",
    "high": "1",
    "low": "1",
    "close": "1",
    "volume": "1",
    "trade_count": 1,
    "closed": True,
    "quote_volume": "1",
}
BAR = {**CANDLE, "bar_kind": "time", "size": "1m", "ordinal": 7, "buy_volume": "1"}


@pytest.mark.parametrize(
    ("event", "key"),
    [
        (at(Trade, id="1", price="1", amount="1", side=None), "binance|BTC/USDT"),
        (at(Clock, time=1), "binance|BTC/USDT"),
        (at(Ticker), "binance|BTC/USDT"),
        (at(Book, kind="delta", bids=[], asks=[]), "binance|BTC/USDT"),
        (at(Depth, bids=[], asks=[]), "binance|BTC/USDT"),
        (at(Candle, interval="1m", **CANDLE), "binance|BTC/USDT|1m|60"),
        (at(Bar, interval="1m", **BAR), "binance|BTC/USDT|time|1m|7"),
        (
            at(
                Indicator,
                name="macd",
                params="12:26:9",
                input="bar:time",
                interval="1m",
                open_time=60,
                values={},
                bars_seen=1,
                warm=False,
                closed=True,
            ),
            "binance|BTC/USDT|bar:time|1m|macd|12:26:9|60",
        ),
        (at(Status, state="gap", channel="trade"), "binance|BTC/USDT|status|trade|4"),
        (
            at(
                Instrument,
                venue_symbol="BTCUSDT",
                base="BTC",
                quote="USDT",
                price_tick=None,
                amount_step=None,
                min_amount=None,
                min_notional=None,
                state="trading",
            ),
            "binance|BTC/USDT",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Event) else "",
)
def test_keys(event: Event, key: str) -> None:
    assert key_of(event) == key


@given(symbols, symbols, st.sampled_from(["a", "b"]), st.sampled_from(["a", "b"]))
def test_a_stream_key_is_of_one_stream(left: str, right: str, one: str, two: str) -> None:
    assume((one, left) != (two, right))
    assert stream_key(one, left) != stream_key(two, right)
