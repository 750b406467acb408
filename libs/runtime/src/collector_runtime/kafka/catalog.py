"""The catalogue: a row per topic and symbol, by which readers find symbols within a second."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from collector_core.codec import encode
from collector_core.errors import DeliveryError
from collector_core.records import CatalogEntry
from collector_core.topics import Topics
from collector_runtime.kafka.connection import KafkaSettings, producer_config, wrap
from collector_runtime.kafka.table import Table

__all__ = ["catalog_key", "entries_of", "follow_catalog", "publish_catalog"]


def catalog_key(entry: CatalogEntry) -> str:
    """Return the key of an entry's row: the topic, ``|`` and the symbol."""
    return f"{entry.topic}|{entry.symbol}"


def entries_of(
    topics: Topics,
    streams: Iterable[tuple[str, str, str]],
    venue_symbols: Mapping[str, str] = MappingProxyType({}),
) -> list[CatalogEntry]:
    """Return the entries of (channel, exchange, symbol), each with the place of its rows.

    Args:
        topics: prefix, layout and partitions.
        streams: what is published.
        venue_symbols: the exchange's spelling by our symbol.

    Raises:
        SymbolError: a symbol is not ours.
    """
    entries = []
    for channel, exchange, symbol in streams:
        topic, partition, partitions = topics.address(channel, exchange, symbol)
        venue = venue_symbols.get(symbol)
        entries.append(
            CatalogEntry(topic, channel, exchange, symbol, venue, partition, partitions, channel)
        )
    return entries


def follow_catalog(settings: KafkaSettings, topics: Topics) -> Table[CatalogEntry]:
    """Return the catalogue as a table to poll.

    Raises:
        BrokerError: the catalogue's topic is missing, or the broker does not answer.
    """
    return Table(settings, topics.catalog, CatalogEntry)


def publish_catalog(
    settings: KafkaSettings,
    topics: Topics,
    entries: Iterable[CatalogEntry],
    timeout: float = 30.0,
) -> int:
    """Write the entries that the catalogue does not have as they are; return how many.

    Blocks: run it on a thread. Two publishers at once may both write a row; it is the same row.

    Raises:
        BrokerError: the catalogue cannot be read.
        DeliveryError: a row was not delivered within ``timeout`` seconds.
    """
    with follow_catalog(settings, topics) as table:
        table.load(timeout)
        new = [entry for entry in entries if table.rows.get(catalog_key(entry)) != entry]
    if not new:
        return 0
    failures: list[str] = []

    def delivered(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failures.append(error.str())

    try:
        producer = Producer(producer_config(settings))
        for entry in new:
            producer.produce(
                topics.catalog, encode(entry), catalog_key(entry).encode(), on_delivery=delivered
            )
            producer.poll(0)
        left = producer.flush(timeout)
    except (KafkaException, BufferError) as error:
        raise wrap(KafkaException(*error.args), "write the catalogue") from error
    if left or failures:
        reason = failures[0] if failures else f"no answer within {timeout:g} s"
        raise DeliveryError(
            f"expected {len(new)} rows of {topics.catalog} to be delivered, "
            f"was without {left + len(failures)}: {reason}"
        )
    return len(new)
