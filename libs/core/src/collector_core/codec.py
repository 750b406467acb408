"""Events to rows and back: JSON, UTF-8, ``type`` first."""

from __future__ import annotations

from typing import Any, Final, TypeVar, cast

import msgspec
from msgspec.json import Decoder

from collector_core.errors import CodecError
from collector_core.events import Row
from collector_core.records import CatalogEntry, Control, DeadLetter

__all__ = ["MAX_ROW_BYTES", "decode", "decode_record", "encode"]

MAX_ROW_BYTES: Final = 900_000
"""No row is larger, so that it fits the broker's default limit of 1 MiB with its key."""

encode = msgspec.json.Encoder().encode
"""Return an event or record as the bytes of a row; the encoder is built once."""

_ROWS: Final[msgspec.json.Decoder[Row]] = msgspec.json.Decoder(Row)
# RecursionError: brackets nested deeper than the decoder follows, in a field that it passes over
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_Record = TypeVar("_Record", CatalogEntry, Control, DeadLetter)
# built before there are threads: msgspec 0.22 uses what it knows of a struct while another thread
# is still working it out
_RECORDS: Final[dict[type, Decoder[Any]]] = {
    kind: Decoder(kind) for kind in (CatalogEntry, Control, DeadLetter)
}


def decode(row: bytes) -> Row:
    """Return the event of a row; unknown fields are ignored, for later versions add some.

    Raises:
        CodecError: not JSON, an unknown ``type``, or a field that is missing or of another type.
    """
    try:
        return _ROWS.decode(row)
    except _UNREADABLE as error:
        raise CodecError(f"expected an event row, was {row[:80]!r}: {error}") from error


def decode_record(row: bytes, kind: type[_Record]) -> _Record:
    """Return a catalogue, control or dead-letter row.

    Raises:
        CodecError: the row is not of that kind.
    """
    try:
        return cast("_Record", _RECORDS[kind].decode(row))
    except _UNREADABLE as error:
        raise CodecError(f"expected a {kind.__name__} row, was {row[:80]!r}: {error}") from error
