from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collector_core.records import CatalogEntry
from collector_core.topics import Layout, Topics
from collector_indicator.sources import Source, Sources, outputs_of, shard_of
from collector_indicators.following import Following
from collector_indicators.plan import Entry, Plan
from collector_indicators.settings import CalculationSettings
from collector_runtime.kafka.catalog import entries_of

from .rows import SETTINGS

SYMBOLS = ["BTC/USDT", "ETH/USDT", "XRP/KRW", "SOL/USDT", "ADA/BTC"]


def entries(layout: Layout, *channels: str, partitions: int = 16) -> list[CatalogEntry]:
    streams = [(channel, "binance", symbol) for channel in channels for symbol in SYMBOLS]
    return entries_of(Topics("md", layout, partitions), streams)


def sources(layout: Layout = "symbol", partitions: int = 16, follow: str = "*:*") -> Sources:
    topics = Topics("md", layout, partitions)
    candles = CalculationSettings("candle", ("1m",))
    following = Following([follow])
    return Sources(topics, Plan([Entry(following, SETTINGS), Entry(following, candles)]))


def test_each_symbol_s_topic_is_a_source() -> None:
    found = sources()
    new = [found.add(entry) for entry in entries("symbol", "trade", "book")]
    assert [f"md.trade.binance.{s.replace('/', '-')}" for s in SYMBOLS] == [
        source.topic for source in new if source is not None
    ]
    assert all(source is None for source in new[len(SYMBOLS) :])


def test_an_entry_that_is_known_is_no_news() -> None:
    found = sources()
    [first, *_] = entries("symbol", "trade")
    assert found.add(first) is not None
    assert found.add(first) is None


def test_a_keyed_partition_grows_by_symbols() -> None:
    found = sources("keyed", 1)
    for entry in entries("keyed", "trade", partitions=1):
        found.add(entry)
    [source] = found.by_place.values()
    assert source.keyed
    assert frozenset(SYMBOLS) == source.symbols


def test_topics_of_another_layout_or_unwanted_ones_are_left_aside() -> None:
    found = sources("symbol", follow="binance:ETH/*")
    for entry in [*entries("keyed", "trade"), *entries("symbol", "candle")]:
        found.add(entry)
    assert list(found.by_place) == [("md.candle.binance.ETH-USDT", 0)]


def test_an_entry_that_names_no_symbol_of_ours_is_left_aside() -> None:
    [entry, *_] = entries("symbol", "trade")
    strange = CatalogEntry(entry.topic, "trade", "binance", "BTCUSDT", None, 0, 1, "trade")
    assert sources().add(strange) is None


@given(st.integers(1, 64))
def test_inputs_of_one_symbol_share_a_shard(shards: int) -> None:
    for layout in ("symbol", "keyed"):
        found = sources(layout)
        by_symbol: dict[str, set[int]] = {}
        for entry in entries(layout, "trade", "candle"):
            found.add(entry)
            source = found.by_place[entry.topic, entry.partition]
            single = source if source.keyed else source._replace(symbols=frozenset({entry.symbol}))
            by_symbol.setdefault(entry.symbol, set()).add(shard_of(single, shards))
        assert all(len(numbers) == 1 for numbers in by_symbol.values())
        assert all(0 <= number < shards for numbers in by_symbol.values() for number in numbers)


def test_both_layouts_agree_where_the_shards_divide_the_partitions() -> None:
    for symbol in SYMBOLS:
        places = [
            Topics("md", layout, 16).address("trade", "binance", symbol) for layout in LAYOUTS
        ]
        numbers = {
            shard_of(
                Source("trade", "binance", at.topic, at.partition, frozenset({symbol}), keyed), 8
            )
            for at, keyed in zip(places, (False, True), strict=True)
        }
        assert len(numbers) == 1


def test_a_known_shard() -> None:
    # Kafka's own murmur2 of "binance|BTC/USDT"; a change would orphan every state
    source = Source("trade", "binance", "t", 0, frozenset({"BTC/USDT"}), keyed=False)
    assert shard_of(source, 1) == 0
    assert shard_of(source, 16) == 14


def test_what_is_published_from_a_source() -> None:
    trades = Source("trade", "binance", "t", 0, frozenset({"B/U", "A/U"}), keyed=True)
    assert outputs_of(trades) == [
        ("bar", "binance", "A/U"),
        ("bar", "binance", "B/U"),
        ("indicator", "binance", "A/U"),
        ("indicator", "binance", "B/U"),
    ]
    candles = Source("candle", "binance", "t", 0, frozenset({"A/U"}), keyed=False)
    assert outputs_of(candles) == [("indicator", "binance", "A/U")]
    books = Source("book", "binance", "t", 0, frozenset({"A/U"}), keyed=False)
    assert outputs_of(books) == [("indicator", "binance", "A/U")]


LAYOUTS: tuple[Layout, Layout] = ("symbol", "keyed")
