"""What goes between a dialect and the shell that has the sockets."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

__all__ = ["ABORT", "RESET", "Action", "Close", "Delivery", "Freeze", "Reply", "Request"]

ABORT = 1006
"""Close code that stands for a connection that ends without a close frame."""
RESET = 0
"""Status of a ``Reply`` that stands for a connection that is reset instead of answered."""


class Request(msgspec.Struct, frozen=True):
    """An HTTP request, or the one that opens a WebSocket."""

    path: str
    query: dict[str, str] = {}
    """Decoded; of a parameter that comes twice the last one."""
    headers: dict[str, str] = {}
    """Names in lower case."""
    client: str = "127.0.0.1"
    """Address that limits are counted for."""
    method: str = "GET"


class Reply(msgspec.Struct, frozen=True):
    """An HTTP answer."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    channel: str = ""
    """Our name of what the body holds, so that a fault can be for one channel."""
    symbol: str = ""
    """In our spelling; empty when the answer is of no or of several symbols."""
    delay: float = 0.0
    """Seconds to wait before it is sent; its body is of now."""


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """A frame for one or several connections; serialized once."""

    payload: bytes
    connections: tuple[int, ...]
    binary: bool = False
    channel: str = ""
    """Our name of the channel, as in the events; empty for acknowledgements and the like."""
    symbol: str = ""


class Close(msgspec.Struct, frozen=True):
    """End a connection; the code ``ABORT`` resets it without a close frame."""

    connection: int
    code: int = 1000
    reason: str = ""


class Freeze(msgspec.Struct, frozen=True):
    """Stop or go on reading a connection: frozen, it answers not even a ping."""

    connection: int
    frozen: bool


Action: TypeAlias = Delivery | Close | Freeze
