"""Faults that wait for what they are to hit."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from collector_testkit.faults.fault import Fault

__all__ = ["Active", "Waiting"]


class Active(msgspec.Struct, gc=False):
    """A fault that has begun."""

    fault: Fault
    left: int
    """Hits that are left; -1 for one that does not end by hits."""
    until: int | None
    """Time at which it ends, in microseconds; None if it does not end by time."""


class Waiting:
    """Faults in the order in which they were started."""

    def __init__(self) -> None:
        self._active: list[Active] = []

    def add(self, fault: Fault, now: int) -> None:
        """Let a fault wait from ``now`` on."""
        until = now + int(fault.duration * 1e6) if fault.duration else None
        endless = fault.duration or fault.kind == "stall"
        self._active.append(Active(fault, -1 if endless else fault.count, until))

    def expire(self, now: int) -> None:
        """End those whose time is over."""
        if self._active:
            self._active = [a for a in self._active if a.until is None or a.until > now]

    def hit(self, active: Active) -> None:
        """Count a hit."""
        if active.left > 0:
            active.left -= 1
            if not active.left:
                self._active.remove(active)

    def clear(self) -> None:
        """End all of them."""
        self._active.clear()

    def __iter__(self) -> Iterator[Active]:
        return iter(tuple(self._active))

    def __len__(self) -> int:
        return len(self._active)
