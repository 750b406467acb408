"""Which process dies where: a schedule of kills, from a seed."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from .killed_at import COMMIT, MOMENT, PRODUCE, REBALANCE, RESTORE, STEPS


class Order(NamedTuple):
    """One process's end."""

    step: str
    occurrence: int
    delay: float
    """Seconds into the step."""
    guest: bool
    """Whether it is of a process that joins those that are there, and so makes a rebalance."""

    @property
    def arguments(self) -> list[str]:
        """Arguments of ``killed_at.py``."""
        return [self.step, str(self.occurrence), str(self.delay)]


def schedule(kills: int, random: Random) -> list[Order]:
    """Return the kills of a run in order: nine of ten at named steps, of each as many."""
    each = kills * 9 // 10 // len(STEPS)
    steps = list(STEPS) * each
    steps += [MOMENT] * (kills - len(steps))
    random.shuffle(steps)
    return list(_orders(steps, random))


def _orders(steps: list[str], random: Random) -> Iterator[Order]:
    for step in steps:
        if step == REBALANCE:
            # the first grant to a guest, before or within it, or any change for a member: its
            # second grant, or a revocation
            occurrence = random.choice((0, 1, 2, 2))
            delay = random.uniform(0, 0.3) if occurrence == 0 else random.uniform(0, 0.03)
            yield Order(step, occurrence, delay, guest=occurrence < 2)
        elif step == MOMENT:
            yield Order(step, 1, random.uniform(1, 5), guest=False)
        elif step == RESTORE:
            yield Order(step, random.randrange(1, 40), 0, guest=False)
        else:
            most = 400 if step == PRODUCE else 40
            late = {COMMIT: 0.006, PRODUCE: 0.01}.get(step, 0.0)
            yield Order(step, random.randrange(1, most), random.uniform(0, late), guest=False)
