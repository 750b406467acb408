"""What one connection says about its subscriptions, and what the exchange answers.

An exchange that acknowledges confirms messages by their ids. One that does not, or whose answer
stays out, is taken at its first data: any item of a stream proves it, also one that gives no row
because the bus has it already. Where even that stays out and nobody acknowledges, the stream may
just be quiet: it is ``stale`` and stays wanted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from collector_core.events import Event, State, Status
from collector_feed.adapter import Adapter
from collector_feed.outbox import Outbox
from collector_feed.outputs import (
    Acknowledged,
    BookDelta,
    BookSnapshot,
    Decoded,
    Rejected,
    Send,
    Subscription,
)
from collector_feed.status_rows import status_rows, stream_of
from collector_feed.subscriptions import Subscriptions

__all__ = ["Dialogue"]

_UNANSWERED: Final = "the exchange never acknowledged it"


class Dialogue:
    """The subscriptions of one connection.

    Args:
        adapter: makes the messages.
    """

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self._spec = adapter.spec
        self._subscriptions = Subscriptions(self._spec.acknowledge_timeout)
        self.outbox = Outbox(self._spec.messages, self._spec.operations)
        # streams that are not acknowledged and whose first data is awaited
        self.unproven: set[Subscription] = set()
        # what the exchange refused on this connection without naming the message
        self._refusal: str | None = None

    # --- what is wanted ----------------------------------------------------------------------

    def want(self, subscriptions: Iterable[Subscription], *, say: bool) -> list[Subscription]:
        """Enter what is wanted and, with ``say``, queue its messages; return what is new."""
        held = self._subscriptions.wanted()
        new = self._subscriptions.want(subscriptions)
        if new and say:
            self._queue(held, new, [])
        return new

    def drop(self, subscriptions: Iterable[Subscription], *, say: bool) -> list[Subscription]:
        """Want streams no longer and, with ``say``, queue the messages; return what was held."""
        held = self._subscriptions.wanted()
        gone = self._subscriptions.drop(subscriptions)
        self.unproven.difference_update(gone)
        if gone and say:
            self._queue(held, [], gone)
        return gone

    def renew(self, subscriptions: Iterable[Subscription]) -> list[Subscription]:
        """Queue the messages that end confirmed streams and begin them anew; return those."""
        again = [s for s in subscriptions if self._subscriptions.reopen(s)]
        if again:
            held = self._subscriptions.wanted()
            self._queue(held, [], again)
            self._queue([s for s in held if s not in again], again, [])
        return again

    def wanted(self) -> list[Subscription]:
        """Return all but the rejected."""
        return self._subscriptions.wanted()

    def say_all(self) -> None:
        """Queue the messages for everything that is wanted; the connection is new."""
        self._queue([], self._subscriptions.wanted(), [])

    def settled(self) -> bool:
        """Tell whether everything was said and nothing is waited for."""
        return self.outbox.deadline() is None and self._subscriptions.deadline() is None

    def disconnected(self) -> list[Subscription]:
        """The connection is gone; return what flowed on it."""
        self.outbox.clear()
        self.unproven.clear()
        self._refusal = None
        return self._subscriptions.disconnected()

    # --- what is said ------------------------------------------------------------------------

    def flush(self, now: float) -> list[Send]:
        """Return the messages that may go at monotonic ``now``."""
        out = []
        while (item := self.outbox.take(now)) is not None:
            message, adds, attempts = item
            out.append(message)
            self._subscriptions.sent(message, adds, now, attempts)
            if not self._spec.acknowledges:
                self.unproven.update(adds)
        return out

    def overdue(self, now: float, wall: int | None) -> list[Status]:
        """Queue again what nobody answered; return the rows of what is given up."""
        again, silent = self._subscriptions.overdue(now)
        for attempts in sorted(set(again.values())):
            late = [s for s, n in again.items() if n == attempts]
            # an exchange that replaces its list must see the others of this round as held
            held = [s for s in self._subscriptions.wanted() if s not in late]
            self._queue(held, late, [], attempts)
            # their next deadline starts when the message leaves the outbox
            self._subscriptions.awaiting(late, now, attempts)
        # an answer may be lost while what was asked for flows: the first data says as much
        self.unproven.update(again)
        if not silent:
            return []
        if self._spec.acknowledges or self._refusal is not None:
            self._subscriptions.reject(silent)
            self.unproven.difference_update(silent)
            return self._rows(silent, "rejected", self._refusal or _UNANSWERED, wall)
        # nothing was refused: a stream without data yet; its first item confirms it, whenever
        self._subscriptions.rest(silent)
        return self._rows(silent, "stale", "no data since it was asked for", wall)

    def deadline(self) -> float | None:
        """Return when there is something to say, in monotonic seconds."""
        known = [self.outbox.deadline(), self._subscriptions.deadline()]
        return min((at for at in known if at is not None), default=None)

    # --- what the exchange says --------------------------------------------------------------

    def prove(self, decoded: Iterable[Decoded]) -> list[Subscription]:
        """Return the streams whose first item is among ``decoded``; they are confirmed by it."""
        proven = [s for item in decoded if (s := _stream(item)) in self.unproven]
        self.unproven.difference_update(proven)
        return self._subscriptions.confirm(proven)

    def acknowledged(self, answer: Acknowledged) -> list[Subscription]:
        """Return what a message's answer confirms."""
        if answer.subscriptions:
            return self._subscriptions.confirm_named(answer.subscriptions)
        if answer.request_id is None:
            return []
        return self._subscriptions.confirm_message(answer.request_id)

    def rejected(self, answer: Rejected, wall: int | None) -> list[Status]:
        """Return the rows of what the exchange refused."""
        self._refusal = answer.reason
        refused = (
            self._subscriptions.reject(answer.subscriptions)
            if answer.subscriptions
            else self._subscriptions.reject_message(answer.request_id)
        )
        return self._rows(refused, "rejected", answer.reason, wall)

    def _queue(
        self,
        held: list[Subscription],
        add: list[Subscription],
        remove: list[Subscription],
        attempts: int = 1,
    ) -> None:
        for message, adds in self._adapter.change(held, add, remove):
            self.outbox.put(message, adds, attempts, operation=True)

    def _rows(
        self, subscriptions: list[Subscription], state: State, reason: str, wall: int | None
    ) -> list[Status]:
        return status_rows(self._spec.exchange, subscriptions, state, reason, wall)


def _stream(item: Decoded) -> Subscription | None:
    if isinstance(item, BookDelta | BookSnapshot):
        return Subscription("book", item.symbol)
    return stream_of(item) if isinstance(item, Event) else None
