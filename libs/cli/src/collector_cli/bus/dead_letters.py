"""Dead letters of the bus: frames that no adapter could read, with their place in the topic."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Final, NamedTuple

from confluent_kafka import Message

from collector_cli.bus.choice import Choice
from collector_cli.bus.reader import BusReader
from collector_cli.bus.start import Start
from collector_core.codec import decode_record
from collector_core.errors import CodecError, SettingsError
from collector_core.records import DeadLetter
from collector_core.topics import Topics
from collector_runtime.kafka.connection import KafkaSettings

__all__ = ["Filter", "Letter", "read_letters", "read_name"]

_CHANNEL: Final = "dead-letter"
_WAIT: Final = 0.1


class Letter(NamedTuple):
    """A dead letter and its row."""

    offset: int
    """In the topic of its exchange, which has one partition."""
    published: int
    """Milliseconds since the epoch."""
    letter: DeadLetter
    row: bytes

    @property
    def name(self) -> str:
        """By which ``show`` and ``replay`` find it again."""
        return f"{self.letter.exchange}:{self.offset}"


class Filter(NamedTuple):
    """Which letters are wanted; an empty set, text or None stands for all."""

    exchanges: frozenset[str] = frozenset()
    since: Start = "earliest"
    error: str = ""
    """A part of the error's text, in any case."""
    names: frozenset[str] = frozenset()
    limit: int | None = None
    """The newest so many."""

    def takes(self, found: Letter) -> bool:
        """Tell whether a letter is wanted."""
        return (not self.names or found.name in self.names) and (
            self.error.casefold() in found.letter.error.casefold()
        )


def read_name(text: str) -> tuple[str, int]:
    """Return exchange and offset of a letter's name.

    Raises:
        SettingsError: it is none.
    """
    exchange, colon, offset = text.rpartition(":")
    if not colon or not exchange or not offset.isascii() or not offset.isdecimal():
        raise SettingsError(f"expected a dead letter as EXCHANGE:NUMBER, was {text!r}")
    return exchange, int(offset)


def read_letters(
    settings: KafkaSettings, topics: Topics, wanted: Filter, complain: Callable[[str], None]
) -> list[Letter]:
    """Return the wanted letters that are on the bus now, in the order of publication.

    Args:
        settings: where Kafka is.
        topics: names and layout.
        wanted: which ones.
        complain: is told of rows that are no dead letters.

    Raises:
        BrokerError: Kafka does not answer, or has no catalogue.
    """
    choice = Choice(frozenset({_CHANNEL}), wanted.exchanges)
    # exchanges are read at once, so each keeps its own newest
    kept: dict[str, deque[Letter]] = {}
    with BusReader(settings, topics, choice, wanted.since, complain) as reader:
        while not reader.ended:
            for message in reader.read(_WAIT):
                for found in _letters(message, complain):
                    if wanted.takes(found):
                        new = deque[Letter](maxlen=wanted.limit)
                        kept.setdefault(found.letter.exchange, new).append(found)
    # a letter may lack its receive time, the row's own is always there
    all_of_them = sorted(chain(*kept.values()), key=lambda found: found.published)
    return all_of_them if wanted.limit is None else all_of_them[-wanted.limit :]


def _letters(message: Message, complain: Callable[[str], None]) -> Iterator[Letter]:
    row = message.value() or b""
    offset = message.offset()
    try:
        letter = decode_record(row, DeadLetter)
    except CodecError as error:
        complain(f"{message.topic()} at {offset}: {error}")
        return
    if offset is not None:
        yield Letter(offset, message.timestamp()[1], letter, row)
