"""What adapters and sessions give out, beside events (``collector_core.events``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Literal, TypeAlias, TypeVar

import msgspec

from collector_core.events import Event, Level
from collector_feed.request_queue import Priority

__all__ = [
    "Acknowledged",
    "Answer",
    "BookDelta",
    "BookSnapshot",
    "Connect",
    "Decoded",
    "Disconnect",
    "Fetch",
    "Lost",
    "Mark",
    "Notice",
    "Output",
    "Page",
    "Ping",
    "Rejected",
    "Request",
    "Send",
    "Subscription",
    "Undecodable",
]

Answer = TypeVar("Answer")
Item = TypeVar("Item")


class Subscription(msgspec.Struct, frozen=True, order=True):
    """One stream that is wanted: a channel of a symbol, and for candles an interval."""

    channel: str
    symbol: str
    interval: str = ""


class Request(msgspec.Struct, Generic[Answer], frozen=True):
    """A REST request as data, with the pure parser of its answer."""

    method: Literal["GET", "POST", "DELETE"]
    path: str
    query: tuple[tuple[str, str], ...]
    weight: int
    parse: Callable[[bytes, int | None], Answer]
    """Takes the body and its receive time in microseconds; raises FrameError on a wrong body."""


class Page(msgspec.Struct, Generic[Item], frozen=True):
    """A part of a history, oldest first, and the request for what is still wanted of it."""

    rows: list[Item]
    more: Request[Page[Item]] | None = None


class Mark(msgspec.Struct, frozen=True):
    """A trade as one end of a range; what is not known of it is null."""

    id: str | None
    time: int | None


# --- what an adapter says of a frame, beside events ------------------------------------------


class BookDelta(msgspec.Struct, frozen=True, gc=False):
    """Changed levels as the exchange sent them; what the numbers mean, the sequence rule says."""

    symbol: str
    exchange_time: int | None
    first: int
    """First update in it (rule ``range``), the previous update's number (``link``), else last."""
    last: int
    """Last update in it; 0 where the exchange gives none (rule ``unnumbered``)."""
    bids: list[Level]
    asks: list[Level]
    checksum: int | None = None
    """What the exchange says that ``Adapter.checksum`` of the book is after this update."""


class BookSnapshot(msgspec.Struct, frozen=True, gc=False):
    """A whole book, best level first; ``last`` is the last update in it, if the exchange counts."""

    symbol: str
    exchange_time: int | None
    last: int | None
    bids: list[Level]
    asks: list[Level]
    checksum: int | None = None


class Acknowledged(msgspec.Struct, frozen=True):
    """The exchange took the message that we sent with this id, or just the subscriptions named."""

    request_id: int | None
    subscriptions: tuple[Subscription, ...] = ()
    """An exchange that answers for each subscription names it; empty for the whole message."""


class Rejected(msgspec.Struct, frozen=True):
    """The exchange refused; without ``request_id`` it did not say which message."""

    request_id: int | None
    reason: str
    subscriptions: tuple[Subscription, ...] = ()
    """What is refused, where the exchange names it; empty for the whole message."""


class Lost(msgspec.Struct, frozen=True):
    """Frames of this connection are missing; which streams they were of cannot be known."""

    expected: int
    """Number of the first frame that is missing."""
    received: int
    """Number of the frame that came in its place."""


class Notice(msgspec.Struct, frozen=True):
    """The exchange announces that it will close the connection, by plan."""

    reason: str


Decoded: TypeAlias = Event | BookDelta | BookSnapshot | Acknowledged | Rejected | Notice | Lost
"""What an adapter makes of a frame; a frame that carries nothing for us gives an empty list."""

# --- what a session asks of its driver, beside events ----------------------------------------


class Connect(msgspec.Struct, frozen=True):
    """Open the socket."""

    url: str


class Disconnect(msgspec.Struct, frozen=True):
    """Close the socket."""

    reason: str


class Send(msgspec.Struct, frozen=True):
    """Send a text frame; ``request_id`` is what its answer will name, if the exchange answers."""

    text: str
    request_id: int | None = None


class Ping(msgspec.Struct, frozen=True):
    """Send a ping frame of the WebSocket protocol."""


class Fetch(msgspec.Struct, frozen=True):
    """Make a REST request and hand its parsed answer, or the error, back with ``token``."""

    request: Request[Any]
    token: int
    priority: Priority = Priority.REPAIR


class Undecodable(msgspec.Struct, frozen=True):
    """A frame for the dead-letter topic, as a copy: no view of the transport's buffer."""

    frame: bytes
    receive_time: int | None
    error: str


Output: TypeAlias = Event | Connect | Disconnect | Send | Ping | Fetch | Undecodable
"""What a session gives to its driver."""
