"""Frozen and closed connections, and the maintenance of a whole exchange."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from msgspec.structs import replace

from collector_testkit.dialects.dialect import Dialect
from collector_testkit.dialects.messages import ABORT, Action, Close, Delivery, Freeze
from collector_testkit.faults import Fault

__all__ = ["Outages"]

Message: TypeAlias = str | bytes

_MAINTENANCE: Final = 1012
"""Close code of a service that restarts."""
_WAITING: Final = 1000
"""Messages that a frozen connection keeps unread at most, as socket buffers have an end."""


class Outages:
    """Does the faults that are of connections as a whole.

    Args:
        dialect: the exchange, for its notices and its timers.
        read: does what a message of a client asks, and returns the answer.
    """

    def __init__(self, dialect: Dialect, read: Callable[[int, Message], list[Action]]) -> None:
        self._dialect = dialect
        self._read = read
        # of each frozen connection the freezes that have not ended, and what was not read
        self._frozen: dict[int, int] = {}
        self._unread: dict[int, deque[Message]] = {}
        # maintenances that have not ended
        self._maintenance = 0

    @property
    def maintenance(self) -> bool:
        """Whether the exchange serves nobody."""
        return self._maintenance > 0

    def do(self, fault: Fault, aim: tuple[int, ...], now: int) -> list[Action]:
        """Do a fault to some connections; return what goes out."""
        end = now + int(fault.duration * 1e6)
        match fault.kind:
            case "freeze":
                if fault.duration:
                    self._dialect.at(end, lambda _: self._thaw(aim))
                return self._freeze(aim)
            case "half_open":
                return [Freeze(connection, frozen=True) for connection in aim]
            case "planned_close":
                close = now + int(fault.delay * 1e6)
                self._dialect.at(close, lambda _: [Close(c, 1001, "planned close") for c in aim])
                return self._notices(aim, now)
            case "maintenance":
                self._maintenance += 1
                if fault.duration:
                    self._dialect.at(end, lambda _: self._reopen())
                closes = [Close(connection, _MAINTENANCE, "maintenance") for connection in aim]
                return [*self._notices(aim, now), *closes]
            case _:
                return [Close(connection, ABORT) for connection in aim]

    def clear(self) -> list[Action]:
        """End freezes and maintenance; return what goes out."""
        self._maintenance = 0
        frozen = tuple(self._frozen)
        self._frozen = dict.fromkeys(frozen, 1)
        return self._thaw(frozen)

    def forget(self, connection: int) -> None:
        """Forget a connection that ended."""
        self._frozen.pop(connection, None)
        self._unread.pop(connection, None)

    def unread(self, connection: int, message: Message) -> bool:
        """Tell whether a connection is frozen; if so, keep the message for later."""
        if connection in self._frozen:
            self._unread[connection].append(message)
            return True
        return False

    def delivered(self, actions: list[Action], lose: Callable[[Delivery], None]) -> list[Action]:
        """Return actions without what goes to frozen connections; tell ``lose`` of their data."""
        if not self._frozen:
            return actions
        out: list[Action] = []
        for action in actions:
            if not isinstance(action, Delivery) or self._frozen.keys().isdisjoint(
                action.connections
            ):
                out.append(action)
                continue
            if action.channel:
                lost = tuple(c for c in action.connections if c in self._frozen)
                lose(replace(action, connections=lost))
            left = tuple(c for c in action.connections if c not in self._frozen)
            if left:
                out.append(replace(action, connections=left))
        return out

    def _freeze(self, aim: Iterable[int]) -> list[Action]:
        for connection in aim:
            self._frozen[connection] = self._frozen.get(connection, 0) + 1
            self._unread.setdefault(connection, deque(maxlen=_WAITING))
        return [Freeze(connection, frozen=True) for connection in aim]

    def _thaw(self, aim: Iterable[int]) -> list[Action]:
        out: list[Action] = []
        for connection in aim:
            # one that ended, or was cleared, is frozen no longer
            left = self._frozen.get(connection, 0) - 1
            if left > 0:
                self._frozen[connection] = left
            elif not left:
                del self._frozen[connection]
                out.append(Freeze(connection, frozen=False))
                for message in self._unread.pop(connection):
                    out += self._read(connection, message)
        return out

    def _reopen(self) -> list[Action]:
        # a call that cleared the faults has ended it before its time
        self._maintenance = max(0, self._maintenance - 1)
        return []

    def _notices(self, aim: tuple[int, ...], now: int) -> list[Action]:
        return [
            replace(notice, connections=tuple(c for c in notice.connections if c in aim))
            for notice in self._dialect.notice(now)
            if set(notice.connections) & set(aim)
        ]
