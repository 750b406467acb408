"""Keys of the state topic's rows, and what stands in them.

- ``topic|partition|exchange|symbol|open``: open bars, counters, and the next input offset
- ``topic|partition|exchange|symbol|closed``: windows and accumulators of the indicators
- ``topic|partition|exchange|symbol|rebuild``: what a rebuild may not publish again
- ``topic|partition|offset``: next offset of a partition of several symbols, in digits

The input's topic stands in the key because offsets mean nothing without it: another layout or
prefix begins with states of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

from collector_core.errors import StateError

__all__ = ["KINDS", "Kind", "Stored", "StoredStates", "key_of_offset", "key_of_state"]

Kind = Literal["open", "closed", "rebuild"]

KINDS: Final[Sequence[Kind]] = ("open", "closed", "rebuild")
"""The rows of one symbol's state."""
_KINDS: Final[Mapping[str, Kind]] = {kind: kind for kind in KINDS}


def key_of_state(topic: str, partition: int, exchange: str, symbol: str, kind: Kind) -> bytes:
    """Return the key of a row of one symbol's state."""
    return f"{topic}|{partition}|{exchange}|{symbol}|{kind}".encode()


def key_of_offset(topic: str, partition: int) -> bytes:
    """Return the key of the row with a partition's next offset."""
    return f"{topic}|{partition}|offset".encode()


class Stored(NamedTuple):
    """What is stored of one input partition."""

    symbols: dict[tuple[str, str], dict[Kind, bytes]]
    """By exchange and symbol."""
    offset: int | None
    keys: list[bytes]
    """Of all its rows."""


class StoredStates:
    """The rows of one state partition, the last of each key."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}

    def visit(self, key: bytes, value: bytes | None) -> None:
        """Take a row, in order; None takes its key away."""
        if value is None:
            self.rows.pop(key, None)
        else:
            self.rows[key] = value

    def by_place(self) -> dict[tuple[str, int], Stored]:
        """Return the rows by input topic and partition.

        Raises:
            StateError: a key or an offset that we did not write.
        """
        found: dict[tuple[str, int], Stored] = {}
        for key, value in self.rows.items():
            topic, partition, rest = _split(key)
            place = topic, partition
            stored = found.setdefault(place, Stored({}, None, []))
            stored.keys.append(key)
            if rest == "offset":
                found[place] = stored._replace(offset=_offset(key, value))
                continue
            stream, _, kind = rest.rpartition("|")
            exchange, bar, symbol = stream.partition("|")
            if kind not in _KINDS or not bar:
                raise _foreign(key)
            stored.symbols.setdefault((exchange, symbol), {})[_KINDS[kind]] = value
        return found


def _split(key: bytes) -> tuple[str, int, str]:
    try:
        topic, partition, rest = key.decode().split("|", 2)
        return topic, int(partition), rest
    except ValueError as error:
        raise _foreign(key) from error


def _offset(key: bytes, value: bytes) -> int:
    if not value.isdigit():
        raise StateError(f"expected an offset in the state row {key!r}, was {value[:40]!r}")
    return int(value)


def _foreign(key: bytes) -> StateError:
    return StateError(f"expected a key of the indicator service's state, was {key[:120]!r}")
