from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from collector_core.codec import encode
from collector_core.errors import BrokerError, CodecError, DeliveryError
from collector_core.records import CatalogEntry, Control
from collector_core.topics import Topics
from collector_runtime.kafka.catalog import (
    catalog_key,
    entries_of,
    follow_catalog,
    publish_catalog,
)
from collector_runtime.kafka.connection import KafkaSettings
from collector_runtime.kafka.table import Change, Table

from .conftest import Write

STREAMS = [
    ("trade", "binance", "BTC/USDT"),
    ("ticker", "binance", "BTC/USDT"),
    ("trade", "binance", "ETH/USDT"),
]


def test_an_entry_says_where_the_rows_are() -> None:
    topics = Topics("md", "keyed", 8)
    [entry] = entries_of(topics, STREAMS[:1], {"BTC/USDT": "BTCUSDT"})
    place = topics.address("trade", "binance", "BTC/USDT")
    assert (
        CatalogEntry(
            "md.trade.binance", "trade", "binance", "BTC/USDT", "BTCUSDT", *place[1:], "trade"
        )
        == entry
    )
    assert catalog_key(entry) == "md.trade.binance|BTC/USDT"


@pytest.mark.broker
def test_entries_are_written_once(
    settings: KafkaSettings, prefix: str, make: Callable[..., None]
) -> None:
    topics = Topics(prefix)
    make(topics.catalog, cleanup_policy="compact")
    entries = entries_of(topics, STREAMS)
    assert publish_catalog(settings, topics, entries) == 3
    assert publish_catalog(settings, topics, entries) == 0
    changed = [msgspec.structs.replace(entries[0], venue_symbol="BTCUSDT"), *entries[1:]]
    assert publish_catalog(settings, topics, changed) == 1
    with follow_catalog(settings, topics) as table:
        assert len(table.load()) == 4
        assert {catalog_key(entry): entry for entry in changed} == table.rows


@pytest.mark.broker
def test_new_entries_reach_a_follower(
    settings: KafkaSettings, prefix: str, make: Callable[..., None]
) -> None:
    topics = Topics(prefix)
    make(topics.catalog)
    entries = entries_of(topics, STREAMS[:1])
    with follow_catalog(settings, topics) as table:
        assert table.load() == []
        assert table.complete
        assert table.poll() == []
        publish_catalog(settings, topics, entries)
        assert [Change(catalog_key(entries[0]), entries[0])] == table.poll(10)


@pytest.mark.broker
def test_removals_and_unreadable_rows_are_changes(
    settings: KafkaSettings, prefix: str, make: Callable[..., None], write: Write
) -> None:
    topics = Topics(prefix)
    make(topics.control)
    row = Control("binance", "BTC/USDT", ("trade",))
    write(topics.control, [(b"a", encode(row)), (b"b", encode(row)), (b"a", None), (b"b", b"{")])
    with Table(settings, topics.control, Control) as table:
        changes = table.load()
        assert [("a", row), ("b", row), ("a", None), ("b", None)] == [
            (change.key, change.record) for change in changes
        ]
        assert isinstance(changes[3].error, CodecError)
        assert [change.error for change in changes[:3]] == [None, None, None]
        assert {"b": row} == table.rows


@pytest.mark.broker
def test_a_topic_that_is_missing_is_an_error(settings: KafkaSettings, prefix: str) -> None:
    with pytest.raises(BrokerError, match=rf"expected to follow {prefix}\.catalog"):
        publish_catalog(settings, Topics(prefix), [])


@pytest.mark.broker
def test_a_row_that_is_not_delivered_is_an_error(
    settings: KafkaSettings, prefix: str, make: Callable[..., None]
) -> None:
    topics = Topics(prefix)
    make(topics.catalog, max_message_bytes="10")
    with pytest.raises(DeliveryError, match="without 1"):
        publish_catalog(settings, topics, entries_of(topics, STREAMS[:1]))


@pytest.mark.broker
def test_a_table_that_cannot_be_read_in_time_is_an_error(
    settings: KafkaSettings, prefix: str, make: Callable[..., None], write: Write
) -> None:
    topics = Topics(prefix)
    make(topics.control)
    write(topics.control, [(b"a", b"{}")])
    with Table(settings, topics.control, Control) as table:
        table._end += 1
        with pytest.raises(BrokerError, match="expected to reach offset 2"):
            table.load(0.2)
