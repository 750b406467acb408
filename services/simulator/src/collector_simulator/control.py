"""Calls by which a test or an operator steers a simulated exchange (docs/simulator.md)."""

from __future__ import annotations

import random
from typing import Any, Final, get_args

import msgspec

from collector_core.errors import SettingsError
from collector_testkit.dialects import Action
from collector_testkit.dialects.venue import Venue
from collector_testkit.faults import KINDS, FaultKind, read_fault, schedule

__all__ = ["PREFIX", "control"]

PREFIX: Final = "/_control/"


def control(venue: Venue, call: str, query: dict[str, str]) -> tuple[dict[str, Any], list[Action]]:
    """Do a control call; return its answer and what goes out at once.

    Args:
        venue: the exchange.
        call: what stands behind ``PREFIX`` in the path.
        query: its parameters.

    Raises:
        SettingsError: an unknown call or parameter, or a wrong value.
    """
    match call:
        case "state":
            return {}, []
        case "fault":
            fault = read_fault(query)
            return {"started": msgspec.to_builtins(fault)}, venue.start(fault)
        case "clear":
            return {"cleared": len(venue.faults.waiting)}, venue.clear_faults()
        case "rate":
            venue.market.set_rate(_rate(query))
            return {"rate": venue.market.rate}, []
        case "schedule":
            return _schedule(venue, query), []
        case _:
            raise SettingsError(
                f"expected state, fault, clear, rate or schedule behind {PREFIX}, was {call!r}"
            )


def _rate(query: dict[str, str]) -> float:
    rate = _number(query, "value")
    if not 0 <= rate <= 1e6:
        raise SettingsError(f"expected a rate of 0 to 1000000 a second, was {rate}")
    return rate


def _schedule(venue: Venue, query: dict[str, str]) -> dict[str, Any]:
    known: tuple[FaultKind, ...] = get_args(FaultKind)
    names = [name for name in query.get("kinds", "").split(",") if name]
    if not set(names) <= set(known):
        raise SettingsError(f"expected kinds out of {', '.join(KINDS)}, was {names}")
    kinds = [kind for kind in known if kind in names or not names]
    seconds, per_minute = _number(query, "seconds"), _number(query, "per_minute")
    if not 0 < seconds <= 1e6 or not 0 < per_minute <= 6_000:
        raise SettingsError(f"expected seconds and faults per minute above 0, was {query}")
    generator = random.Random(int(_number(query, "seed")))  # noqa: S311 - repeatable, no secret
    plan = schedule(generator, venue.now, seconds, per_minute, kinds)
    venue.faults.extend(plan)
    return {"scheduled": [{"time": at, "fault": msgspec.to_builtins(f)} for at, f in plan]}


def _number(query: dict[str, str], name: str) -> float:
    try:
        return float(query[name])
    except (KeyError, ValueError):
        raise SettingsError(f"expected a number as {name}, was {query.get(name)!r}") from None
