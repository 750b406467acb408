"""Volume Weighted Average Price.

Source: S. Berkowitz, D. Logue, E. Noser, The Total Cost of Transactions on the NYSE, Journal of
Finance 43 (1988): turnover divided by volume. A bar's turnover is its quote volume, which is
exact; where a source gives none, typical price (high + low + close) / 3 times volume stands for
it, which is what charting tools compute.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from collector_indicators.exact_sum import ExactSum
from collector_indicators.indicator import Indicator, Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters

__all__ = ["Vwap"]

_HOUR = 3_600_000_000
_DAY = 24 * _HOUR
_OFFSETS = {"utc": 0, "kst": 9 * _HOUR}


class VwapParameters(Parameters, frozen=True):
    """What is averaged: the day so far in UTC or in Korean time, or the last N bars."""

    window: Annotated[str, msgspec.Meta(pattern=r"^(utc|kst|[1-9][0-9]{0,4})$")] = "utc"


class _State(msgspec.Struct):
    session: int | None = None
    """Number of the day since the epoch; None for the last N bars."""
    whole: bool = False
    """The session was seen from its first bar."""
    turnover: str = "0"
    """Exact session sums: hexadecimal numerator over a power of two."""
    turnover_shift: int = 0
    volume: str = "0"
    volume_shift: int = 0
    turnovers: list[float] = []
    """The last N bars; rings once they are full."""
    volumes: list[float] = []
    oldest: int = 0


class Vwap(Indicator[VwapParameters, _State]):
    """Turnover by volume of a session or of the last N bars; None while nothing was traded."""

    name = "vwap"
    outputs = ("vwap",)
    parameters_type = VwapParameters
    state_type = _State

    @property
    def bars_needed(self) -> int:
        """One bar of a session, or a full window."""
        return self._bars or 1

    def warm(self, bar: Ohlcv, bars_seen: int) -> bool:
        """Tell whether the window is full, or the session was seen from its first bar."""
        if self._bars:
            return bars_seen >= self._bars
        known = self._state.session
        if known is not None and known == self._session(bar.open_time):
            return self._state.whole
        return known is not None or self.window_start(bar.open_time) == bar.open_time

    def window_start(self, open_time: int) -> int | None:
        """Return when the session of a bar began; None for the last N bars."""
        if self._bars:
            return None
        return self._session(open_time) * _DAY - self._offset

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the value over it."""
        turnover, volume = _turnover(bar), bar.volume
        if self._bars:
            self._roll(turnover, volume)
        else:
            state, session = self._state, self._session(bar.open_time)
            if session != state.session:
                state.whole = self.warm(bar, 1)
                state.session = session
                self._turnover, self._volume = ExactSum(), ExactSum()
        self._turnover.add(turnover)
        self._volume.add(volume)
        return self._value(self._turnover.total, self._volume.total)

    def peek(self, bar: Ohlcv) -> Values:
        """Return the value if ``bar`` closed now."""
        turnover, volume = _turnover(bar), bar.volume
        # first the units, for they may change those of the sums
        turnover_units, volume_units = self._turnover.units(turnover), self._volume.units(volume)
        state = self._state
        if not self._bars:
            if self._session(bar.open_time) != state.session:
                return self._value(turnover_units, volume_units)
        elif len(state.volumes) == self._bars:
            turnover_units -= self._turnover.units(state.turnovers[state.oldest])
            volume_units -= self._volume.units(state.volumes[state.oldest])
        return self._value(self._turnover.total + turnover_units, self._volume.total + volume_units)

    def state(self) -> bytes:
        """Return all that the next values depend on, versioned."""
        if not self._bars:
            state = self._state
            turnover, state.turnover_shift = self._turnover.lowest_terms()
            volume, state.volume_shift = self._volume.lowest_terms()
            state.turnover, state.volume = f"{turnover:x}", f"{volume:x}"
        return super().state()

    def _rebuild(self) -> None:
        window, state = self.parameters.window, self._state
        self._bars = 0 if window in _OFFSETS else int(window)
        self._offset = _OFFSETS.get(window, 0)
        self._turnover = ExactSum(int(state.turnover, 16), state.turnover_shift)
        self._volume = ExactSum(int(state.volume, 16), state.volume_shift)
        for turnover, volume in zip(state.turnovers, state.volumes, strict=True):
            self._turnover.add(turnover)
            self._volume.add(volume)

    def _session(self, open_time: int) -> int:
        return (open_time + self._offset) // _DAY

    def _roll(self, turnover: float, volume: float) -> None:
        """Keep a bar of the window, and take the one that leaves it out of the sums."""
        state = self._state
        if len(state.volumes) < self._bars:
            state.turnovers.append(turnover)
            state.volumes.append(volume)
        else:
            oldest = state.oldest
            self._turnover.subtract(state.turnovers[oldest])
            self._volume.subtract(state.volumes[oldest])
            state.turnovers[oldest], state.volumes[oldest] = turnover, volume
            state.oldest = (oldest + 1) % self._bars

    def _value(self, turnover: int, volume: int) -> Values:
        """Return turnover by volume, both in the units of their sums, rounded once."""
        if volume <= 0:
            return {"vwap": None}
        return {"vwap": (turnover << self._volume.shift) / (volume << self._turnover.shift)}


def _turnover(bar: Ohlcv) -> float:
    if bar.quote_volume is not None:
        return bar.quote_volume
    return (bar.high + bar.low + bar.close) / 3 * bar.volume
