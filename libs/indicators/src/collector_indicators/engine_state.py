"""A whole engine as bytes: the states of its calculations, each with its stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple, TypeAlias

import msgspec

from collector_core.errors import StateError
from collector_indicators.calculation import Calculation
from collector_indicators.plan import Plan
from collector_indicators.settings import CalculationSettings

__all__ = ["VERSION", "Held", "Stream", "pack", "unpack"]

Stream: TypeAlias = tuple[str, str, str]
"""Channel, exchange and symbol."""

VERSION: Final = 1
"""Of the layout below; the states within carry a version of their own."""
_KIND: Final = "engine"


class _Part(msgspec.Struct, array_like=True):
    stream: Stream
    open_state: bytes
    closed_state: bytes


class _EngineState(msgspec.Struct):
    parts: list[_Part]
    halted: list[Stream]
    counters: tuple[int, int]


class Held(NamedTuple):
    """What an engine goes on with."""

    calculations: dict[Stream, Calculation]
    halted: set[Stream]
    counters: tuple[int, int]


def pack(
    calculations: Mapping[Stream, Calculation],
    halted: Iterable[Stream],
    counters: tuple[int, int],
) -> bytes:
    """Return the state of an engine; of a halted stream there is just its name."""
    gone = sorted(halted)
    parts = [
        _Part(stream, calculation.open_state(), calculation.closed_state())
        for stream, calculation in calculations.items()
        if stream not in gone
    ]
    return msgspec.msgpack.encode((_KIND, VERSION, _EngineState(parts, gone, counters)))


def unpack(
    state: bytes, plan: Plan, create: Callable[[str, str, CalculationSettings], Calculation]
) -> Held:
    """Return what an engine that follows ``plan`` goes on with.

    Raises:
        StateError: unreadable, or of another version.
    """
    try:
        kind, version, body = _SEALED(state)
        if (kind, version) != (_KIND, VERSION):
            raise StateError(
                f"engine state: expected {_KIND} version {VERSION}, was {kind} version {version}"
            )
        stored = _BODY(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise StateError(
            f"engine state: expected one of ours, was {state[:40]!r}: {error}"
        ) from error
    calculations: dict[Stream, Calculation] = {}
    for stream in [*(part.stream for part in stored.parts), *stored.halted]:
        settings = plan.settings_of(*stream)
        if settings is not None:
            calculations[stream] = create(stream[1], stream[2], settings)
    for part in stored.parts:
        calculation = calculations.get(part.stream)
        if calculation is not None:
            calculation.restore(part.open_state, part.closed_state)
            if calculation.begins:
                calculation.begin_here()
    halted = {stream for stream in stored.halted if stream in calculations}
    return Held(calculations, halted, stored.counters)


_SEALED: Final = msgspec.msgpack.Decoder(tuple[str, int, msgspec.Raw]).decode
_BODY: Final = msgspec.msgpack.Decoder(_EngineState).decode
