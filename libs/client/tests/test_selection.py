from __future__ import annotations

from datetime import datetime

import pytest

from collector_client import Selection, Stream, subscribe
from collector_core.errors import BrokerError, SettingsError, SymbolError
from collector_core.records import CatalogEntry
from collector_core.topics import Topics


def entry(channel: str, exchange: str, symbol: str, topics: Topics) -> CatalogEntry:
    topic, partition, partitions = topics.address(channel, exchange, symbol)
    return CatalogEntry(topic, channel, exchange, symbol, None, partition, partitions, channel)


def test_the_catalogue_says_where_rows_are() -> None:
    names = Topics("md")
    catalog = [
        entry("trade", "binance", "BTC/USDT", names),
        entry("trade", "binance", "ETH/USDT", names),
        entry("book", "binance", "BTC/USDT", names),
        entry("trade", "upbit", "BTC/KRW", names),
    ]
    topics = {item.topic: 1 for item in catalog}
    every = Selection.of("trade", None, None).streams(catalog, topics, "md")
    assert {stream.topic for stream in every} == {
        "md.trade.binance.BTC-USDT",
        "md.trade.binance.ETH-USDT",
        "md.trade.upbit.BTC-KRW",
    }
    one = Selection.of("trade", "upbit", None).streams(catalog, topics, "md")
    assert one == {Stream("trade", "upbit", "BTC/KRW", "md.trade.upbit.BTC-KRW", 0)}


def test_an_entry_whose_topic_is_gone_is_left_out() -> None:
    catalog = [entry("trade", "binance", "BTC/USDT", Topics("md"))]
    assert Selection.of("trade", "binance", None).streams(catalog, {}, "md") == set()


def test_the_naming_rule_holds_without_a_catalogue() -> None:
    selection = Selection.of("trade", "binance", "BTC/USDT")
    keyed = Topics("md", "keyed", 16).address("trade", "binance", "BTC/USDT")
    assert selection.streams([], {"md.trade.binance": 16}, "md") == {
        Stream("trade", "binance", "BTC/USDT", "md.trade.binance", keyed.partition)
    }
    both = {"md.trade.binance": 16, "md.trade.binance.BTC-USDT": 1}
    assert selection.streams([], both, "md") == {
        Stream("trade", "binance", "BTC/USDT", "md.trade.binance.BTC-USDT", 0)
    }


def test_a_topic_of_a_whole_exchange_needs_no_catalogue() -> None:
    selection = Selection.of("status", "binance", "BTC/USDT")
    streams = selection.streams([], {"md.status.binance": 1}, "md")
    assert streams == {Stream("status", "binance", None, "md.status.binance", 0)}
    assert selection.missing(streams) is None


@pytest.mark.parametrize(
    ("channel", "exchange", "symbol", "missing"),
    [
        ("trade", "binance", "BTC/USDT", None),
        ("trade", None, None, None),
        (["trade", "bar"], "binance", None, "channel bar"),
        ("trade", ["binance", "kraken"], None, "exchange kraken"),
        ("trade", "binance", ["BTC/USDT", "XRP/USDT"], "symbol XRP/USDT"),
    ],
)
def test_each_name_has_to_be_somewhere(
    channel: str | list[str],
    exchange: str | list[str] | None,
    symbol: str | list[str] | None,
    missing: str | None,
) -> None:
    catalog = [entry("trade", "binance", "BTC/USDT", Topics("md"))]
    topics = {catalog[0].topic: 1}
    selection = Selection.of(channel, exchange, symbol)
    assert selection.missing(selection.streams(catalog, topics, "md")) == missing


def test_a_key_names_the_symbol_of_any_row() -> None:
    selection = Selection.of("trade", "binance", "BTC/USDT")
    assert selection.wants_key(b"binance|BTC/USDT")
    assert selection.wants_key(b"binance|BTC/USDT|status|trade|7")
    assert not selection.wants_key(b"binance|BTC/USDTX")
    assert not selection.wants_key(b"oops")
    assert not selection.wants_key(None)
    assert Selection.of("trade", "binance", None).wants_key(None)


def test_wrong_arguments_are_told() -> None:
    with pytest.raises(SettingsError, match=r"expected a channel of .*trade.*, was 'trades'"):
        subscribe("trades", exchange="binance")
    with pytest.raises(SettingsError, match="at least one channel"):
        subscribe([])
    with pytest.raises(SettingsError, match="at least one symbol"):
        subscribe("trade", symbol=[])
    with pytest.raises(SymbolError, match="was 'btcusdt'"):
        subscribe("trade", symbol="btcusdt")
    with pytest.raises(SettingsError, match="start latest, earliest or a time, was 'now'"):
        subscribe("trade", start="now")  # type: ignore[call-overload]  # the point of the test
    with pytest.raises(SettingsError, match="time zone"):
        subscribe("trade", start=datetime(2025, 1, 1))  # noqa: DTZ001  # the point of the test
    with pytest.raises(SettingsError, match=r"expected options .*, was 'exchanges'"):
        subscribe("trade", exchanges="binance")  # type: ignore[call-overload]  # the point


async def test_an_unreachable_broker_is_named(unused_tcp_port: int) -> None:
    servers = f"127.0.0.1:{unused_tcp_port}"
    subscription = subscribe("trade", exchange="binance", bootstrap_servers=servers)
    with pytest.raises(BrokerError, match=f"expected a Kafka broker at {servers}"):
        await anext(subscription)
