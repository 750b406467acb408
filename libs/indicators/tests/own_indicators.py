"""Indicators as a user writes them, for the tests of files, modules and entry points."""

from __future__ import annotations

from typing import Annotated

import msgspec

from collector_indicators.indicator import Indicator, Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters


class SpanParameters(Parameters, frozen=True):
    """Bars of the average."""

    period: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 3


class SpanState(msgspec.Struct):
    widths: list[float] = []


class Span(Indicator[SpanParameters, SpanState]):
    """Mean width of the last bars."""

    name = "own_span"
    outputs = ("own_span",)
    parameters_type = SpanParameters
    state_type = SpanState

    @property
    def bars_needed(self) -> int:
        """A full window."""
        return self.parameters.period

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the mean width over it."""
        values = self.peek(bar)
        period = self.parameters.period
        self._state.widths = [*self._state.widths, bar.high - bar.low][-period:]
        return values

    def peek(self, bar: Ohlcv) -> Values:
        """Return the mean width if ``bar`` closed now."""
        period = self.parameters.period
        widths = [*self._state.widths, bar.high - bar.low][-period:]
        return {"own_span": sum(widths) / period if len(widths) == period else None}
