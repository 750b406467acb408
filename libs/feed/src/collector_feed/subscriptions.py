"""The life of each subscription on a connection: pending, confirmed or rejected.

What is wanted outlives the socket: after a reconnect everything that is not rejected is pending
again and is sent anew. A message that nobody answers is sent again a few times before its
subscriptions count as rejected, for one lost answer is no refusal.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final

from collector_core.errors import SettingsError
from collector_feed.outputs import Send, Subscription
from collector_feed.spec import Spec

__all__ = ["Life", "Subscriptions", "check", "polled"]

_ATTEMPTS: Final = 3


def check(spec: Spec, subscription: Subscription) -> None:
    """Raise ``SettingsError`` if the exchange does not push what a subscription asks for."""
    channel = spec.channels.get(subscription.channel)
    if channel is None or not (channel.stream or channel.polled):
        pushed = ", ".join(name for name, c in spec.channels.items() if c.stream or c.polled)
        raise SettingsError(
            f"expected a channel that {spec.title} pushes, one of {pushed}, "
            f"was {subscription.channel!r}"
        )
    known = (*channel.intervals, *channel.polled)
    if (subscription.interval or None) not in (known or (None,)):
        wanted = ", ".join(known) or "none"
        raise SettingsError(
            f"expected an interval of {spec.title}'s {subscription.channel}, one of {wanted}, "
            f"was {subscription.interval!r}"
        )


def polled(spec: Spec, subscription: Subscription) -> bool:
    """Tell whether a subscription that passed ``check`` is fetched over REST, not pushed."""
    return subscription.interval in spec.channels[subscription.channel].polled


class Life(Enum):
    """Where a subscription stands."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"


class Subscriptions:
    """What one connection shall carry, and what the exchange said to it.

    Args:
        timeout: seconds to wait for an answer to a message.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._life: dict[Subscription, Life] = {}
        # sent and not answered: subscription -> (deadline, attempts)
        self._waiting: dict[Subscription, tuple[float, int]] = {}
        # message id -> what it adds
        self._messages: dict[int, tuple[Subscription, ...]] = {}

    def want(self, subscriptions: Iterable[Subscription]) -> list[Subscription]:
        """Enter what is wanted; return those not known yet, or rejected before."""
        new = [
            s
            for s in dict.fromkeys(subscriptions)
            if self._life.get(s, Life.REJECTED) is Life.REJECTED
        ]
        for subscription in new:
            self._life[subscription] = Life.PENDING
        return new

    def drop(self, subscriptions: Iterable[Subscription]) -> list[Subscription]:
        """Forget what is no longer wanted; return those that were known and not rejected."""
        gone = []
        for subscription in subscriptions:
            life = self._life.pop(subscription, None)
            self._waiting.pop(subscription, None)
            if life in {Life.PENDING, Life.CONFIRMED}:
                gone.append(subscription)
        return gone

    def reopen(self, subscription: Subscription) -> bool:
        """Make a confirmed subscription pending again; tell whether it was confirmed."""
        if self._life.get(subscription) is not Life.CONFIRMED:
            return False
        self._life[subscription] = Life.PENDING
        return True

    def sent(
        self, message: Send, adds: tuple[Subscription, ...], now: float, attempts: int = 1
    ) -> None:
        """Note that ``message`` went out at monotonic ``now`` and asks for ``adds``."""
        if message.request_id is not None:
            self._messages[message.request_id] = adds
        for subscription in adds:
            if self._life.get(subscription) is Life.PENDING:
                self._waiting[subscription] = (now + self._timeout, attempts)

    def awaiting(self, subscriptions: Iterable[Subscription], now: float, attempts: int) -> None:
        """Note that these are asked for again, though their message may still wait to be sent."""
        for subscription in subscriptions:
            self._waiting[subscription] = (now + self._timeout, attempts)

    def rest(self, subscriptions: Iterable[Subscription]) -> None:
        """Wait for these without a deadline; they stay pending."""
        for subscription in subscriptions:
            self._waiting.pop(subscription, None)

    def confirm_message(self, request_id: int) -> list[Subscription]:
        """The exchange took a message; return what is confirmed by it now."""
        return self.confirm(self._messages.pop(request_id, ()))

    def confirm_named(self, subscriptions: Iterable[Subscription]) -> list[Subscription]:
        """The exchange names these as taken; return the newly confirmed.

        One that is to be asked for again and was not yet is none: the answer is to the last time.
        """
        return self.confirm([s for s in subscriptions if s in self._waiting])

    def confirm(self, subscriptions: Iterable[Subscription]) -> list[Subscription]:
        """The exchange took these, or sent their first data; return the newly confirmed."""
        new = [s for s in subscriptions if self._life.get(s) is Life.PENDING]
        for subscription in new:
            self._life[subscription] = Life.CONFIRMED
            self._waiting.pop(subscription, None)
        return new

    def reject_message(self, request_id: int | None) -> list[Subscription]:
        """The exchange refused a message; return what is rejected by it now.

        Without an id only a single message under way can be meant; with several, nothing is
        decided here and their timeouts will.
        """
        if request_id is None:
            if len(self._messages) != 1:
                return []
            request_id = next(iter(self._messages))
        return self.reject(self._messages.pop(request_id, ()))

    def reject(self, subscriptions: Iterable[Subscription]) -> list[Subscription]:
        """Mark as rejected; return those that were wanted."""
        known = [s for s in subscriptions if self._life.get(s) in {Life.PENDING, Life.CONFIRMED}]
        for subscription in known:
            self._life[subscription] = Life.REJECTED
            self._waiting.pop(subscription, None)
        return known

    def overdue(self, now: float) -> tuple[dict[Subscription, int], list[Subscription]]:
        """Return what to send again, with its attempt number, and what to reject for silence."""
        again: dict[Subscription, int] = {}
        silent: list[Subscription] = []
        for subscription, (deadline, attempts) in self._waiting.items():
            if deadline <= now:
                if attempts >= _ATTEMPTS:
                    silent.append(subscription)
                else:
                    again[subscription] = attempts + 1
        return again, silent

    def deadline(self) -> float | None:
        """Return when the first answer is overdue, in monotonic seconds."""
        return min((deadline for deadline, _ in self._waiting.values()), default=None)

    def disconnected(self) -> list[Subscription]:
        """The connection is gone: the confirmed are pending again; return them."""
        confirmed = [s for s, life in self._life.items() if life is Life.CONFIRMED]
        for subscription in confirmed:
            self._life[subscription] = Life.PENDING
        self._waiting.clear()
        self._messages.clear()
        return confirmed

    def pending(self) -> list[Subscription]:
        """Return what the exchange has not confirmed or refused yet."""
        return [s for s, life in self._life.items() if life is Life.PENDING]

    def wanted(self) -> list[Subscription]:
        """Return all but the rejected."""
        return [s for s, life in self._life.items() if life is not Life.REJECTED]

    def life(self, subscription: Subscription) -> Life | None:
        """Return where a subscription stands, None if it is not known."""
        return self._life.get(subscription)
