"""Processes of the service that die by order, one after another in each place."""

from __future__ import annotations

import signal
import sys
import threading
from collections import Counter, deque
from collections.abc import Iterable
from pathlib import Path
from time import monotonic

from . import killed_at
from .bus import Bus, Process, eventually
from .killed_at import REBALANCE, last_words
from .orders import Order

_PATIENCE = 90.0
"""Seconds without a death after which something is wrong."""
_SHAKEN = 8.0
"""Seconds for a rebalance, until another one is made."""


class Member:
    """A process with the order by which it dies; without one it lives on."""

    def __init__(self, process: Process, order: Order | None) -> None:
        self.process = process
        self.order = order

    @property
    def dead(self) -> bool:
        return self.process.child.wait(0)

    @property
    def awaits_rebalance(self) -> bool:
        """Whether it is to die in a rebalance, and all that it holds runs."""
        return self.order is not None and self.order.step == REBALANCE and self.process.ready()


class Fleet:
    """Members of fixed names, replaced at once when they die, and at times a guest without one.

    A guest that comes takes shards from the members, one that goes or dies gives them shards.

    Args:
        bus: where.
        slots: how many members.
    """

    def __init__(self, bus: Bus, slots: int) -> None:
        # how often each step was hit, and where in it
        self.hit: Counter[tuple[str, str]] = Counter()
        self._bus = bus
        self._members: dict[int, Member | None] = dict.fromkeys(range(slots))
        self._guest: Member | None = None
        self._guests: deque[Order] = deque()
        self._orders: deque[Order] = deque()
        self._shaken_at = -_SHAKEN

    @property
    def kills(self) -> int:
        """How many have died."""
        return self.hit.total()

    def carry_out(self, orders: Iterable[Order]) -> None:
        """Let processes die by orders until all are done."""
        self._orders.extend(orders)
        pause = threading.Event()
        deadline, kills = monotonic() + _PATIENCE, self.kills
        while self._turn():
            if self.kills > kills:
                deadline, kills = monotonic() + _PATIENCE, self.kills
            if monotonic() > deadline:
                raise AssertionError(f"expected a death within {_PATIENCE:g} s: {self._alive()}")
            pause.wait(0.02)

    def recover(self) -> None:
        """Let a process without an order take each member's place, and the guest go."""
        for slot in self._members:
            self._members[slot] = self._start(None, slot)
        if self._guest is not None:
            _end(self._guest)
            self._guest = None

    def end(self) -> None:
        """End all by SIGTERM, and see them end cleanly."""
        for member in self._members.values():
            if member is not None:
                _end(member)

    def stop(self) -> None:
        """End whatever is alive."""
        for member in (*self._members.values(), self._guest):
            if member is not None:
                member.process.child.stop()

    def _turn(self) -> bool:
        """See who died, replace them; tell whether anything is left to do."""
        if self._guest is not None and self._guest.order is not None and self._guest.dead:
            self._bury(self._guest)
            self._guest = None
        for slot, member in self._members.items():
            if member is not None and member.dead:
                self._bury(member)
                self._members[slot] = None
            if self._members[slot] is None:
                order = self._next()
                if order is not None:
                    self._members[slot] = self._start(order, slot)
        self._receive()
        if any(m is not None and m.awaits_rebalance for m in self._members.values()):
            self._shake()
        living = any(member is not None for member in self._members.values())
        invited = self._guest is not None and self._guest.order is not None
        return bool(self._orders or self._guests or living or invited)

    def _next(self) -> Order | None:
        """Return the next order for a member; those before it wait for a guest."""
        while self._orders:
            order = self._orders.popleft()
            if not order.guest:
                return order
            self._guests.append(order)
        return None

    def _receive(self) -> None:
        """Start a guest that has an order, in place of one that has none."""
        if not self._guests or (self._guest is not None and self._guest.order is not None):
            return
        if self._guest is not None:
            _end(self._guest)
        self._guest = self._start(self._guests.popleft(), None)

    def _shake(self) -> None:
        """Make a rebalance, if none was made a moment ago and no guest is to die."""
        if monotonic() < self._shaken_at + _SHAKEN or (self._guest and self._guest.order):
            return
        self._shaken_at = monotonic()
        if self._guest is None:
            self._guest = self._start(None, None)
        else:
            _end(self._guest)
            self._guest = None

    def _start(self, order: Order | None, slot: int | None) -> Member:
        if order is None:
            return Member(self._bus.start(slot), None)
        program = [str(Path(killed_at.__file__)), *order.arguments]
        return Member(self._bus.start(slot, program), order)

    def _bury(self, member: Member) -> None:
        child, order = member.process.child, member.order
        said = child.output()
        words = last_words(said)
        child.stop()
        assert order is not None
        assert child.returncode == -signal.SIGKILL, f"{order}, {child.returncode}: {said}"
        assert words is not None, said
        assert words[0] == order.step, said
        self.hit[words] += 1
        sys.stderr.write(f"{self.kills} killed {': '.join(words)}\n")

    def _alive(self) -> str:
        members = [*self._members.values(), self._guest]
        return "\n".join(f"{m.order}\n{m.process.child.output()}" for m in members if m)


def _end(member: Member) -> None:
    # one that has just started does not listen to SIGTERM yet
    eventually(member.process.ready, 60, "readiness")
    member.process.end()
