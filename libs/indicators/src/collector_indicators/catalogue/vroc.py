"""Volume Rate of Change.

Source: Gerald Appel, Fred Hitschler, Stock Market Trading Systems (1980): the change of the volume
over n bars, in percent of the volume n bars ago; formula as TA-Lib's TA_ROC over the volume.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from collector_indicators.indicator import Indicator, Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters

__all__ = ["Vroc"]

_TINY = 1e-200
"""Less counts as zero: a number below ``ohlcv.LIMIT``, divided by it, could be no double."""


class VrocParameters(Parameters, frozen=True):
    """Bars back."""

    period: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 14


class _State(msgspec.Struct):
    volumes: list[float] = []
    """The last n; a ring once there are so many."""
    oldest: int = 0


class Vroc(Indicator[VrocParameters, _State]):
    """Percent by which the volume has changed in n bars; None where there was none then."""

    name = "vroc"
    outputs = ("vroc",)
    parameters_type = VrocParameters
    state_type = _State

    def _rebuild(self) -> None:
        self._period = self.parameters.period

    @property
    def bars_needed(self) -> int:
        """One bar more than it looks back."""
        return self._period + 1

    def warm(self, bar: Ohlcv, bars_seen: int) -> bool:  # noqa: ARG002  # as the contract has it
        """Tell whether there was a volume n bars ago."""
        return self._earlier() is not None

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the rate over it."""
        values = self.peek(bar)
        state = self._state
        if len(state.volumes) == self._period:
            oldest = state.oldest
            state.volumes[oldest] = bar.volume
            state.oldest = oldest + 1 if oldest + 1 < self._period else 0
        else:
            state.volumes.append(bar.volume)
        return values

    def peek(self, bar: Ohlcv) -> Values:
        """Return the rate if ``bar`` closed now."""
        earlier = self._earlier()
        if earlier is None:
            return {"vroc": None}
        return {"vroc": (bar.volume - earlier) / earlier * 100.0}

    def _earlier(self) -> float | None:
        state = self._state
        if len(state.volumes) < self._period:
            return None
        earlier = state.volumes[state.oldest]
        return earlier if earlier > _TINY else None
