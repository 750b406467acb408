"""One line of a recording: what passed on a connection, or what happened to it."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error
from typing import Any, Final, Literal, NamedTuple, TypeAlias
from urllib.parse import urlencode

import msgspec

from collector_core.errors import CodecError
from collector_feed.outputs import Request

__all__ = ["Direction", "Entry", "Line", "decode_line", "encode_line", "request_text"]

Direction: TypeAlias = Literal["in", "out", "opened", "closed", "answer", "dropped"]
"""Frames that came and went; the socket's opening and end; a REST answer; frames not recorded."""


class Entry(NamedTuple):
    """What is handed to a recorder."""

    receive_time: int
    """Microseconds since the epoch."""
    connection: str
    direction: Direction
    payload: bytes | str
    request: str | None = None


class Line(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What stands in a file."""

    receive_time: int
    """Microseconds since the epoch; of a frame that was sent, when it was."""
    connection: str
    direction: Direction
    payload: str
    """The frame's or the body's text; the reason of ``closed`` and ``dropped``."""
    encoding: Literal["text", "base64"] = "text"
    """``base64`` where the bytes are not UTF-8."""
    request: str | None = None
    """What an ``answer`` answers: method, path and query."""

    def data(self) -> bytes:
        """Return the payload's very bytes.

        Raises:
            CodecError: it says base64 and is none.
        """
        if self.encoding == "text":
            return self.payload.encode()
        try:
            return b64decode(self.payload, validate=True)
        except Error as error:
            raise CodecError(f"expected base64, was {self.payload[:40]!r}: {error}") from error


_encode: Final = msgspec.json.Encoder().encode
_LINES: Final[msgspec.json.Decoder[Line]] = msgspec.json.Decoder(Line)


def encode_line(entry: Entry) -> bytes:
    """Return an entry as a line, with its end."""
    receive_time, connection, direction, payload, request = entry
    encoding: Literal["text", "base64"] = "text"
    if isinstance(payload, str):
        text = payload
    else:
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            text, encoding = b64encode(payload).decode(), "base64"
    line = Line(receive_time, connection, direction, text, encoding, request)
    return _encode(line) + b"\n"


def decode_line(line: bytes) -> Line:
    """Return what a line says.

    Raises:
        CodecError: it is none of ours.
    """
    try:
        return _LINES.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CodecError(f"expected a line of a recording, was {line[:80]!r}: {error}") from error


def request_text(request: Request[Any]) -> str:
    """Return what a request asks, as recorded answers name it."""
    query = f"?{urlencode(request.query)}" if request.query else ""
    return f"{request.method} {request.path}{query}"
