"""Faults at random times, drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec

from collector_testkit.faults.fault import FRAMES, KINDS, Fault, FaultKind

__all__ = ["schedule"]

Choice = TypeVar("Choice")

_LASTING: Final = frozenset({"stall", "freeze", "maintenance"})
"""Kinds that are drawn with a duration."""
_FORMS: Final = {"corrupt": "flip", "huge": "junk"}
_REFUSALS: Final = (0, 403, 418, 429, 503)
_LONG: Final = 10
"""How many times longer every fourth slow answer takes, so that it outlasts a client's buffer."""


def schedule(
    generator: random.Random,
    start: int,
    seconds: float,
    per_minute: float,
    kinds: Sequence[FaultKind] = KINDS,
    symbols: Sequence[str] = (),
    channels: Sequence[str] = (),
) -> list[tuple[int, Fault]]:
    """Return faults at random times in [start, start + seconds), in the order of time.

    Args:
        generator: what they are drawn from.
        start: microseconds since the epoch.
        seconds: length of the schedule.
        per_minute: mean number of faults a minute.
        kinds: kinds to draw from.
        symbols: symbols that every second fault of frames is narrowed to; none: no narrowing.
        channels: likewise channels.
    """
    plan = []
    time = start + int(generator.expovariate(per_minute / 60) * 1e6)
    while time < start + seconds * 1e6:
        plan.append((time, _draw(generator, kinds, symbols, channels)))
        time += max(1, int(generator.expovariate(per_minute / 60) * 1e6))
    return plan


def _draw(
    generator: random.Random,
    kinds: Sequence[FaultKind],
    symbols: Sequence[str],
    channels: Sequence[str],
) -> Fault:
    draw = generator.random
    kind = _one(generator, kinds)
    fields: dict[str, object] = {
        "kind": kind,
        "count": 1 + int(draw() * 3),
        "delay": round(0.1 + draw() * 3, 3),
    }
    if kind in _LASTING:
        fields["duration"] = round(1 + draw() * 9, 3)
    if kind in FRAMES:
        if symbols and draw() < 0.5:
            fields["symbol"] = _one(generator, symbols)
        if channels and draw() < 0.5:
            fields["channel"] = _one(generator, channels)
    if kind in _FORMS and draw() < 0.5:
        fields["form"] = _FORMS[kind]
    match kind:
        case "huge":
            fields["size"] = 2_000_000 + int(draw() * 4_000_000)
        case "refuse":
            fields["status"] = _one(generator, _REFUSALS)
        case "throttle":
            fields["status"] = 418 if draw() < 0.25 else 429
            fields["retry_after"] = round(1 + draw() * 4)
        case "slow" if draw() < 0.25:
            fields["delay"] = round((0.1 + draw() * 3) * _LONG, 3)
        case _:
            pass
    return msgspec.convert(fields, Fault)


def _one(generator: random.Random, choices: Sequence[Choice]) -> Choice:
    return choices[int(generator.random() * len(choices))]
