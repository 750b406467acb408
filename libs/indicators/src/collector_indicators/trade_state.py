"""What a calculation over trades is restored from, beside the closed bars."""

from __future__ import annotations

import msgspec

from collector_indicators.bars import BarsState
from collector_indicators.calculation import OpenHeader
from collector_indicators.filled_bars import FilledState
from collector_indicators.gaps import Gap
from collector_indicators.partial_bar import PartialBar

__all__ = ["Moving", "OpenState"]


class Moving(msgspec.Struct):
    """What moves with each row; fields as those of ``TradeCalculation``."""

    low: int
    segment_end: int
    now: int
    held_until: int | None
    live_due: int
    segment: PartialBar | None
    untimed: int


class OpenState(msgspec.Struct):
    """All but the series."""

    header: OpenHeader
    moving: Moving
    pending: list[Gap]
    known: list[Gap]
    bars: list[BarsState]
    filled: list[FilledState] = []
