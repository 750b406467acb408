"""Connections of a dialect: open ones, their age, their silence, and the grid of the clock."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from typing import ClassVar, Final, Generic, Protocol, TypeVar

from collector_testkit.dialects.dialect import Dialect, Limits
from collector_testkit.dialects.messages import ABORT, Action, Close, Reply, Request
from collector_testkit.dialects.streams import Streams
from collector_testkit.market import Market

__all__ = ["Socket", "SocketDialect"]

_SECOND: Final = 1_000_000


class Socket:
    """What every dialect knows of an open connection.

    Args:
        now: when it was opened, in microseconds.
    """

    def __init__(self, now: int) -> None:
        # time of the last byte that counts as life
        self.active = now
        # times of the newest messages of the client
        self._messages: deque[int] = deque()

    def count(self, now: int, seconds: int = 1) -> int:
        """Count a message of the client; return how many there were within ``seconds``."""
        times = self._messages
        times.append(now)
        while times[0] <= now - seconds * _SECOND:
            times.popleft()
        return len(times)

    def recent(self, now: int) -> int:
        """Return how many of the counted messages are of the last second."""
        return sum(time > now - _SECOND for time in self._messages)


class _Rest(Protocol):
    def answer(self, request: Request, now: int) -> Reply: ...


AnySocket = TypeVar("AnySocket", bound=Socket)
Key = TypeVar("Key")
Variant = TypeVar("Variant")


class SocketDialect(Dialect, Generic[AnySocket, Key, Variant]):
    """Base of the dialects that keep something of each connection, which are all of them."""

    step: ClassVar[int | None] = None
    """Microseconds between the ticks of the clock while somebody is connected; None: no grid."""
    idle: ClassVar[float | None] = None
    """Seconds of silence after which a connection is cut; None: never."""

    farewell: ClassVar[str] = "max age"
    """Reason of the close by which a connection ends by its age."""
    _rest: _Rest
    """Answers the requests of REST."""

    def __init__(self, market: Market, limits: Limits | None = None) -> None:
        super().__init__(market, limits)
        self._streams: Streams[Key, Variant] = Streams()
        self._connections: dict[int, AnySocket] = {}
        # next tick of the clock
        self._tick: int | None = None

    @abstractmethod
    def socket(self, connection: int, request: Request, now: int) -> AnySocket:
        """Return what is to be known of a new connection."""

    def handshake(self, request: Request, now: int) -> Reply | None:  # noqa: ARG002  # for limits
        """Refuse other paths."""
        return None if request.path == self.websocket_path else Reply(404, b"")

    def opened(self, connection: int, request: Request, now: int) -> list[Action]:
        """Take a connection; nothing is sent before it asks."""
        self._connections[connection] = self.socket(connection, request, now)
        self._follow_clock(now)
        if self.idle is not None:
            self._watch_idle(connection, now)
        if self.limits.max_age is not None:
            end = now + int(self.limits.max_age * _SECOND)
            self.at(end, lambda _: self._close(connection, 1001, self.farewell))
        return []

    def closed(self, connection: int) -> None:
        """Forget a connection."""
        self._streams.drop(connection)
        del self._connections[connection]
        if not self._connections:
            self._tick = None

    def request(self, request: Request, now: int) -> Reply:
        """Answer a REST request."""
        return self._rest.answer(request, now)

    def next_tick(self) -> int | None:
        """Return the next tick of the clock while somebody is connected."""
        return self._tick

    def _follow_clock(self, now: int) -> None:
        if self._tick is None and self.step is not None:
            self._go_on(now)

    def _go_on(self, now: int) -> None:
        """Set the next tick; to be called at each."""
        step = self.step or _SECOND
        self._tick = now - now % step + step

    def _close(self, connection: int, code: int, reason: str = "") -> list[Action]:
        """Return the close of a connection, if it is still open."""
        return [Close(connection, code, reason)] if connection in self._connections else []

    def _idle_end(self, held: AnySocket) -> int:
        """Return when a connection is cut if it stays silent."""
        return held.active + int((self.limits.idle or self.idle or 0) * _SECOND)

    def _cut_idle(self, connection: int) -> Close:
        return Close(connection, ABORT)

    def _watch_idle(self, connection: int, now: int) -> list[Action]:
        held = self._connections.get(connection)
        if held is None:
            return []
        end = self._idle_end(held)
        if end <= now:
            return [self._cut_idle(connection)]
        # it may be heard of meanwhile, which moves the end
        self.at(end, lambda time: self._watch_idle(connection, time))
        return []
