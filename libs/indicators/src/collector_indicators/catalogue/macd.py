"""Moving Average Convergence/Divergence.

Source: Gerald Appel, Technical Analysis: Power Tools for Active Investors (2005), chapter 8; seeds
as TA-Lib (TA_MACD, default compatibility): each exponential average starts with a plain mean; both
price averages start at the same bar, the ``slow``-th, so the fast one's mean is that of the
``fast`` bars ending there; the signal starts with the mean of the first ``signal`` differences.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from collector_indicators.indicator import Indicator, Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters

__all__ = ["Macd"]


class MacdParameters(Parameters, frozen=True):
    """Bars of the three averages; ``fast`` below ``slow``."""

    fast: Annotated[int, msgspec.Meta(ge=2, le=100_000)] = 12
    slow: Annotated[int, msgspec.Meta(ge=2, le=100_000)] = 26
    signal: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 9

    def check(self) -> None:
        """Refuse a fast average that is not faster."""
        if self.fast >= self.slow:
            raise ValueError(f"expected fast below slow, was {self.fast} and {self.slow}")


class _State(msgspec.Struct):
    seen: int = 0
    """Bars seen, counted up to the end of the seeding."""
    fast: float = 0.0
    """Sum while seeding, then the average; so also the next two."""
    slow: float = 0.0
    signal: float = 0.0


class Macd(Indicator[MacdParameters, _State]):
    """Difference of a fast and a slow exponential average of the close, and its own average."""

    name = "macd"
    outputs = ("macd", "signal", "histogram")
    parameters_type = MacdParameters
    state_type = _State

    @property
    def bars_needed(self) -> int:
        """Bars until the signal has its seed."""
        return self._seeded

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the values over it."""
        state = self._state
        if state.seen == self._seeded:
            # the usual case of _step, written out
            close, fast, slow, signal = bar.close, state.fast, state.slow, state.signal
            state.fast = fast = fast + self._fast * (close - fast)
            state.slow = slow = slow + self._slow * (close - slow)
            macd = fast - slow
            state.signal = signal = signal + self._signal * (macd - signal)
            return {"macd": macd, "signal": signal, "histogram": macd - signal}
        state.fast, state.slow, state.signal, values = self._step(bar.close)
        state.seen += 1
        return values

    def peek(self, bar: Ohlcv) -> Values:
        """Return the values if ``bar`` closed now."""
        return self._step(bar.close)[3]

    def _rebuild(self) -> None:
        given = self.parameters
        # weights of the new value, 2 / (n + 1)
        self._fast, self._slow = 2 / (given.fast + 1), 2 / (given.slow + 1)
        self._signal = 2 / (given.signal + 1)
        self._seeded = given.slow + given.signal - 1

    def _step(self, close: float) -> tuple[float, float, float, Values]:
        state, given = self._state, self.parameters
        seen = state.seen
        if seen < given.slow:
            # seeding of both price averages, which end at the same bar
            fast = state.fast + close if seen >= given.slow - given.fast else 0.0
            slow = state.slow + close
            if seen + 1 < given.slow:
                return fast, slow, 0.0, {"macd": None, "signal": None, "histogram": None}
            fast /= given.fast
            slow /= given.slow
        else:
            fast = state.fast + self._fast * (close - state.fast)
            slow = state.slow + self._slow * (close - state.slow)
        macd = fast - slow
        if seen < self._seeded:
            signal = state.signal + macd
            if seen + 1 < self._seeded:
                return fast, slow, signal, {"macd": macd, "signal": None, "histogram": None}
            signal /= given.signal
        else:
            signal = state.signal + self._signal * (macd - state.signal)
        return fast, slow, signal, {"macd": macd, "signal": signal, "histogram": macd - signal}
