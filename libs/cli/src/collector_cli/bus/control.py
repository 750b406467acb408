"""Rows of ``md.control``: what is wanted of a symbol, or of all that fit a pattern, at run time."""

from __future__ import annotations

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from collector_cli.bus.installation import topology
from collector_core.codec import encode
from collector_core.errors import DeliveryError, SettingsError, SymbolError
from collector_core.intervals import length
from collector_core.patterns import SymbolPattern
from collector_core.records import Control
from collector_core.topics import stream_key
from collector_exchanges.discovery import adapter
from collector_runtime.kafka.connection import producer_config, reach, wrap
from collector_runtime.kafka.provisioner import Provisioner
from collector_runtime.kafka.table import Table
from collector_runtime.settings import Settings

__all__ = ["CHANNELS", "ControlTopic", "wanted"]

CHANNELS = "trade,ticker,book,candle"
"""What is subscribed to when nothing is named."""
_TIMEOUT = 15.0


def wanted(exchange: str, symbol: str, channels: str, intervals: str) -> Control:
    """Return the row for what a user typed.

    Raises:
        SettingsError: an exchange, symbol, pattern, channel or interval that cannot be had.
    """
    spec = adapter(exchange).spec
    try:
        SymbolPattern(symbol)
    except SymbolError as error:
        raise SettingsError(str(error)) from error
    names = _words(channels)
    pushed = [name for name, offer in spec.channels.items() if offer.stream]
    for name in names:
        if name not in pushed:
            raise SettingsError(
                f"expected channels that {spec.title} pushes ({', '.join(pushed)}), was {name!r}"
            )
    spans = _words(intervals)
    for span in spans:
        length(span)
        offered = spec.channels["candle"].intervals if "candle" in spec.channels else ()
        if span not in offered:
            raise SettingsError(
                f"expected intervals that {spec.title} pushes ({', '.join(offered)}), was {span!r}"
            )
    return Control(exchange, symbol, names, spans)


class ControlTopic:
    """The control topic of the installation that the settings describe.

    Raises:
        BrokerError: Kafka does not answer.
        SettingsError: a setting is wrong.
    """

    def __init__(self) -> None:
        settings = Settings.load()
        self._kafka = settings.kafka("collector-control")
        self._topic = settings.topics().control
        reach(self._kafka)
        Provisioner(self._kafka).ensure(topology(settings).bus())

    def read(self, exchange: str, symbol: str) -> Control | None:
        """Return the row of a symbol or pattern, or None when it has none.

        Raises:
            BrokerError: the topic cannot be read.
        """
        with Table(self._kafka, self._topic, Control) as table:
            table.load(_TIMEOUT)
            return table.rows.get(stream_key(exchange, symbol))

    def write(self, exchange: str, symbol: str, row: Control | None) -> None:
        """Write a row and wait for its delivery; None takes the symbol's or pattern's row away.

        Raises:
            BrokerError: Kafka refused.
            DeliveryError: it was not delivered in time.
        """
        failures: list[str] = []

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                failures.append(error.str())

        try:
            producer = Producer(producer_config(self._kafka))
            producer.produce(
                self._topic,
                None if row is None else encode(row),
                stream_key(exchange, symbol).encode(),
                on_delivery=delivered,
            )
            left = producer.flush(_TIMEOUT)
        except KafkaException as error:
            raise wrap(error, f"write to {self._topic}") from error
        if left or failures:
            reason = failures[0] if failures else f"no answer within {_TIMEOUT:g} s"
            raise DeliveryError(f"expected a row of {self._topic} to be delivered, was {reason}")


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
