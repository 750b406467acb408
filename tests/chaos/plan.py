"""A schedule of faults, drawn from an exchange and a seed alone."""

from __future__ import annotations

import random
from typing import Final, Literal

import msgspec

from collector_exchanges.discovery import adapter, exchanges
from collector_feed.options import SessionOptions
from collector_testkit.dialects import load
from collector_testkit.dialects.dialect import Limits
from collector_testkit.faults import KINDS, Fault, schedule

__all__ = ["EXCHANGES", "Jump", "Plan", "draw", "exchange_of"]

EXCHANGES: Final = exchanges()
_HOUR: Final = 3600.0
_SILENT: Final = 35.0
"""Seconds after which the most patient of the exchanges' keep-alives calls a connection dead."""
_MENDED: Final = 20.0
"""Seconds in which what was noticed is mended: backoffs of 4 s at most, a few attempts."""
_TIGHT: Final = 40
"""Bound of what is held, where a schedule has it exceeded; the product's is 10,000."""


class Jump(msgspec.Struct, frozen=True):
    """A clock that jumps, in seconds; the exchange's can only jump forward."""

    at: float
    whose: Literal["ours", "theirs"]
    by: float


class Plan(msgspec.Struct, frozen=True):
    """Everything that a run depends on; times are seconds from its start."""

    exchange: str
    seed: int
    symbols: tuple[str, ...]
    channels: tuple[str, ...]
    rate: float
    orders: int
    """Resting orders a side of a book."""
    latency: float
    faults: tuple[tuple[float, Fault], ...]
    jumps: tuple[Jump, ...]
    stormy: float
    """Length of the time with faults."""
    calm: float
    """Length of the time without faults after it."""
    options: SessionOptions
    limits: Limits
    bound: int | None
    """Most that is held while something is awaited; None for the product's own bounds."""


def exchange_of(seed: int) -> str:
    """Return the exchange whose turn a seed is."""
    return EXCHANGES[seed % len(EXCHANGES)]


def draw(exchange: str, seed: int) -> Plan:
    """Return the plan of a seed."""
    generator = random.Random(f"{exchange} {seed}")
    draw = generator.random
    dialect = load(exchange)
    symbols = tuple(generator.sample(dialect.symbols, 2))
    channels = ("trade", "book", "ticker") if draw() < 0.5 else ("trade", "book")
    stormy = 40 + draw() * 50
    per_minute = 2 + draw() * 4
    drawn = schedule(generator, 0, stormy, per_minute, KINDS, symbols, channels)
    faults = tuple((time / 1e6, _lengthened(generator, fault)) for time, fault in drawn)
    # a connection that ages is replaced by plan, or cut by the exchange when we are late
    ages = draw() < 0.25
    max_age = 20 + draw() * 20 if ages else None
    rotate_after = 10 + draw() * 20 if ages and draw() < 0.7 else None
    calm = 20 + draw() * 20
    # connections of the storm are cut in the calm as well; those that follow them are not
    ends = [stormy + (max_age or 0) + _MENDED]
    ends += [_end(exchange, time, fault) for time, fault in faults]
    return Plan(
        exchange=exchange,
        seed=seed,
        symbols=symbols,
        channels=channels,
        rate=generator.choice((4.0, 8.0, 16.0)),
        orders=generator.choice((6, 60)),
        latency=generator.choice((0.005, 0.03, 0.25)),
        faults=faults,
        jumps=_jumps(generator, stormy),
        stormy=stormy,
        calm=max(stormy + calm, *ends) - stormy,
        options=SessionOptions(
            quiet_floor=10.0,
            rotate_after=rotate_after,
            backfill_timeout=generator.choice((5.0, 30.0)),
            backoff_cap=4.0,
            audit_every=generator.choice((4.0, 10.0)),
        ),
        limits=Limits(max_age=max_age),
        bound=_TIGHT if draw() < 0.25 else None,
    )


def _lengthened(generator: random.Random, fault: Fault) -> Fault:
    """Let some lasting faults outlast the watchdogs."""
    if fault.kind not in {"stall", "freeze"} or generator.random() < 0.6:
        return fault
    return msgspec.structs.replace(fault, duration=round(10 + generator.random() * 30, 3))


def _end(exchange: str, time: float, fault: Fault) -> float:
    """Return by when the effects of a fault are over."""
    if fault.kind in {"half_open", "freeze"}:
        return time + _SILENT + _MENDED
    if fault.kind == "no_ack":
        # a message that nobody answers is sent three times
        return time + 3 * adapter(exchange).spec.acknowledge_timeout + _MENDED
    return time + _MENDED


def _jumps(generator: random.Random, stormy: float) -> tuple[Jump, ...]:
    drawn = generator.random()
    at = generator.random() * stormy
    if drawn < 0.1:
        return (Jump(at, "ours", _HOUR),)
    if drawn < 0.2:
        return (Jump(at, "ours", -_HOUR),)
    if drawn < 0.25:
        return (Jump(at, "theirs", _HOUR),)
    return ()
