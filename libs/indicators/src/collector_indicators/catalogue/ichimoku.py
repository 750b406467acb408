"""Ichimoku Kinko Hyo.

Source: Goichi Hosoda (Ichimoku Sanjin), Ichimoku Kinko Hyo (1969): lines are the middle between the
highest high and the lowest low of the last bars; the spans are drawn as many bars ahead as the base
line looks back, and the lagging span is the close drawn as many back, the present bar being counted
as the first (25 places for 26, as TradingView draws them).
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from collector_indicators.indicator import Indicator, Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters
from collector_indicators.rolling_range import RollingRange

__all__ = ["Ichimoku"]


class IchimokuParameters(Parameters, frozen=True):
    """Bars of the conversion line, of the base line and of span B."""

    conversion: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 9
    base: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 26
    span: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 52


class _State(msgspec.Struct):
    conversion: RollingRange = msgspec.field(default_factory=RollingRange)
    base: RollingRange = msgspec.field(default_factory=RollingRange)
    span: RollingRange = msgspec.field(default_factory=RollingRange)
    ahead_a: list[float | None] = []
    """Spans drawn ahead, from the next bar on; rings once they are full."""
    ahead_b: list[float | None] = []
    next: int = 0
    """Where the rings' spans of the next bar stand."""


class Ichimoku(Indicator[IchimokuParameters, _State]):
    """Lines of the present bar, the cloud drawn at the present bar, and the close to draw back.

    ``span_a`` and ``span_b`` are those that apply at this bar, computed ``base`` - 1 bars ago: the
    close is above or below the cloud by this row alone. What is drawn ahead from this bar follows
    from rows too: span A is the mean of ``conversion`` and ``base``, span B the middle of
    ``donchian`` over as many bars. ``lagging`` is this bar's close.
    """

    name = "ichimoku"
    outputs = ("conversion", "base", "span_a", "span_b", "lagging")
    parameters_type = IchimokuParameters
    state_type = _State

    @property
    def bars_needed(self) -> int:
        """The longest window, and the bars that the spans are drawn ahead."""
        return max(self._conversion, self._base, self._span) + self._ahead

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the values over it."""
        state, high, low = self._state, bar.high, bar.low
        highest, lowest = state.conversion.update(high, low, self._conversion)
        fast = (highest + lowest) / 2.0
        highest, lowest = state.base.update(high, low, self._base)
        slow = (highest + lowest) / 2.0
        highest, lowest = state.span.update(high, low, self._span)
        span_a: float | None = (fast + slow) / 2.0
        span_b: float | None = (highest + lowest) / 2.0
        conversion: float | None = fast
        base: float | None = slow
        bars = state.span.bar
        if bars < self._all:
            if bars < self._conversion:
                conversion = span_a = None
            if bars < self._base:
                base = span_a = None
            if bars < self._span:
                span_b = None
        ahead = self._ahead
        if len(state.ahead_a) == ahead:
            if ahead:
                place = state.next
                ahead_a, ahead_b = state.ahead_a, state.ahead_b
                span_a, ahead_a[place] = ahead_a[place], span_a
                span_b, ahead_b[place] = ahead_b[place], span_b
                state.next = place + 1 if place + 1 < ahead else 0
        else:
            state.ahead_a.append(span_a)
            state.ahead_b.append(span_b)
            span_a = span_b = None
        return {
            "conversion": conversion,
            "base": base,
            "span_a": span_a,
            "span_b": span_b,
            "lagging": bar.close,
        }

    def peek(self, bar: Ohlcv) -> Values:
        """Return the values if ``bar`` closed now."""
        state, ahead = self._state, self._ahead
        conversion = _middle(state.conversion, bar, self._conversion)
        base = _middle(state.base, bar, self._base)
        span_a: float | None = None
        span_b: float | None = None
        if not ahead:
            if conversion is not None and base is not None:
                span_a = (conversion + base) / 2.0
            span_b = _middle(state.span, bar, self._span)
        elif len(state.ahead_a) == ahead:
            span_a, span_b = state.ahead_a[state.next], state.ahead_b[state.next]
        return {
            "conversion": conversion,
            "base": base,
            "span_a": span_a,
            "span_b": span_b,
            "lagging": bar.close,
        }

    def _rebuild(self) -> None:
        parameters = self.parameters
        self._conversion = parameters.conversion
        self._base = parameters.base
        self._span = parameters.span
        self._all = max(self._conversion, self._base, self._span)
        self._ahead = self._base - 1


def _middle(window: RollingRange, bar: Ohlcv, length: int) -> float | None:
    if window.bar + 1 < length:
        return None
    highest, _, lowest, _ = window.peek(bar.high, bar.low, length)
    return (highest + lowest) / 2.0
