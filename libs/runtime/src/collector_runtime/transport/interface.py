"""What a WebSocket connection is to the rest of the product, whichever library carries it."""

from __future__ import annotations

import asyncio
import ssl
from abc import ABC, abstractmethod
from typing import Final, Protocol

import msgspec

__all__ = ["MAX_FRAME_BYTES", "Listener", "Options", "Transport", "describe", "report_failure"]

MAX_FRAME_BYTES: Final = 64 * 1024 * 1024
"""Some exchanges send a whole book, every level of it, in one message: one of 50,000 levels a side
takes some 10 MB, and a bound that it may pass would close the connection again and again."""


class Options(msgspec.Struct, frozen=True):
    """How a connection is opened. No ``Origin`` header is ever sent: exchanges throttle by it."""

    ssl: ssl.SSLContext | None = None
    """For ``wss`` URLs; None means the system's certificates."""
    proxy: str | None = None
    """``http://user:password@host:port`` or ``socks5://…``; None goes direct, whatever the
    environment says."""
    headers: tuple[tuple[str, str], ...] = ()
    """Sent with the handshake beside those of the protocol."""
    compression: bool = False
    """Offer permessage-deflate."""
    max_frame_bytes: int = MAX_FRAME_BYTES
    """A longer message closes the connection (code 1009)."""
    handshake_timeout: float = 10.0
    """Seconds for name lookup, TCP, proxy, TLS and upgrade together."""
    close_timeout: float = 2.0
    """Seconds that a close may wait for the other side before the socket is cut."""


class Transport(Protocol):
    """An open connection. Every method returns at once and may be called from ``on_frame``."""

    def send(self, text: str) -> None:
        """Send a text frame; on a connection that is closing it does nothing, ``on_closed`` tells.

        The caller bounds what it sends: subscriptions and pings, not streams.
        """

    def ping(self) -> None:
        """Send a ping frame; its answer calls ``on_pong``."""

    def pause_reading(self) -> None:
        """Stop taking bytes from the socket, so that TCP holds the exchange back.

        What was already read from the socket is still delivered (about one buffer). Pings of
        the exchange wait as well. A second call changes nothing.
        """

    def resume_reading(self) -> None:
        """Take bytes again; without a pause it changes nothing."""

    def close(self, reason: str) -> None:
        """Close the connection; no frame is delivered any more, and ``on_closed`` gets ``reason``.

        Works while reading is paused, and ends within the close timeout.
        """

    @property
    def close_code(self) -> int | None:
        """The code of the exchange's close frame; None while there is none, or without a code."""

    async def wait_closed(self) -> str:
        """Wait for the end of the connection; return the reason that ``on_closed`` got."""


class Listener(ABC):
    """What the owner of a connection does with it; every method is called on the event loop.

    An exception out of any method closes the connection and is given, with its traceback, to the
    event loop's exception handler: the process decides (``lifecycle`` ends it).
    """

    def on_open(self, transport: Transport) -> None:
        """Take the connection; called before the first frame and before ``connect`` returns."""

    @abstractmethod
    def on_frame(self, payload: bytes, receive_time: int) -> None:
        """Take one whole text or binary message, stamped in microseconds when it was read."""

    def batch_end(self) -> None:
        """Know that what the socket held has been delivered; the moment to flush."""

    def on_pong(self) -> None:
        """Know that the exchange answered a ping."""

    @abstractmethod
    def on_closed(self, reason: str) -> None:
        """Know that the connection is gone; called once for each ``on_open``."""


def report_failure(error: BaseException, what: str) -> None:
    """Give an exception of a listener to the event loop's exception handler."""
    asyncio.get_running_loop().call_exception_handler({"message": what, "exception": error})


def describe(error: BaseException) -> str:
    """Return an error's type and text; TLS errors hide theirs behind empty arguments."""
    text = (isinstance(error, OSError) and error.strerror) or str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
