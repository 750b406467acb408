"""Calls by which a test or an operator steers a simulated exchange (docs/simulator.md)."""

from __future__ import annotations

import random
from typing import Any, Final, TypeAlias, get_args

import msgspec

from collector_core.errors import SettingsError, SymbolError
from collector_testkit.dialects import Action
from collector_testkit.dialects.venue import Venue
from collector_testkit.faults import KINDS, FaultKind, read_fault, schedule

__all__ = ["CHANNELS", "PREFIX", "Effect", "Split", "control"]

PREFIX: Final = "/_control/"
CHANNELS: Final = ("trade", "ticker", "book", "candle")
"""Channels that random faults are narrowed to."""


class Split(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fault of sockets alone: frames are sent in small TCP segments."""

    connection: int | None = None
    """None: all that are open."""
    size: int = 64
    """Bytes of a segment; 0 ends the fault."""
    duration: float = 0.0
    """Seconds; 0: until cleared."""


Effect: TypeAlias = Action | Split


def control(venue: Venue, call: str, query: dict[str, str]) -> tuple[dict[str, Any], list[Effect]]:
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
            return _fault(venue, query)
        case "clear":
            waiting = len(venue.faults.waiting)
            return {"cleared": waiting}, [*venue.clear_faults(), Split(size=0)]
        case "rate":
            venue.market.set_rate(_rate(query))
            return {"rate": venue.market.rate}, []
        case "schedule":
            return _schedule(venue, query), []
        case "list" | "delist":
            return _listings(venue, call, query)
        case _:
            raise SettingsError(
                "expected state, fault, clear, rate, schedule, list or delist behind"
                f" {PREFIX}, was {call!r}"
            )


def _fault(venue: Venue, query: dict[str, str]) -> tuple[dict[str, Any], list[Effect]]:
    if query.get("kind") != "split":
        fault = read_fault(query)
        return {"started": msgspec.to_builtins(fault)}, [*venue.start(fault)]
    fields = {name: value for name, value in query.items() if name != "kind"}
    try:
        split = msgspec.convert(fields, Split, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"expected a fault, was {query}: {error}") from error
    if split.size < 1 or split.duration < 0:
        raise SettingsError(f"expected a size from 1 and a duration from 0, was {query}")
    aim = tuple(c for c in venue.connections if split.connection in {None, c})
    if split.connection is not None and not aim:
        raise SettingsError(f"expected an open connection, was {split.connection}")
    venue.note("split", aim, f"{split.size} bytes, {split.duration} s")
    return {"started": {"kind": "split"} | msgspec.to_builtins(split)}, [split]


def _listings(
    venue: Venue, call: str, query: dict[str, str]
) -> tuple[dict[str, Any], list[Effect]]:
    symbol, still = query.get("symbol", ""), query.get("still", "false")
    if still not in {"true", "false"} or not query.keys() <= {"symbol", "still"}:
        raise SettingsError(f"expected symbol, and still as true or false, was {query}")
    try:
        if call == "delist":
            return {"delisted": symbol}, [*venue.delist_symbol(symbol)]
        return {"listed": symbol}, [*venue.list_symbol(symbol, still=still == "true")]
    except SymbolError as error:
        raise SettingsError(str(error)) from error


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
    symbols = venue.market.trading
    plan = schedule(generator, venue.now, seconds, per_minute, kinds, symbols, CHANNELS)
    venue.faults.extend(plan)
    return {"scheduled": [{"time": at, "fault": msgspec.to_builtins(f)} for at, f in plan]}


def _number(query: dict[str, str], name: str) -> float:
    try:
        return float(query[name])
    except (KeyError, ValueError):
        raise SettingsError(f"expected a number as {name}, was {query.get(name)!r}") from None
