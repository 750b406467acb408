"""Volume Weighted Average Price.

Source: S. Berkowitz, D. Logue, E. Noser, The Total Cost of Transactions on the NYSE, Journal of
Finance 43 (1988): turnover divided by volume. A bar's turnover is its quote volume, which is
exact; where a source gives none, typical price (high + low + close) / 3 times volume stands for
it, which is what charting tools compute. Anchored: Brian Shannon, Maximum Trading Gains with
Anchored VWAP (2023): the same since a time that the user chooses.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import floor
from typing import Annotated

import msgspec

from collector_indicators.exact_ratio import ExactRatio
from collector_indicators.exact_sum import ExactSum
from collector_indicators.indicator import Indicator, Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters

__all__ = ["Vwap"]

_HOUR = 3_600_000_000
_DAY = 24 * _HOUR
_OFFSETS = {"utc": 0, "kst": 9 * _HOUR}
_ALWAYS = 1 << 63
_BEFORE, _SINCE = -1, 0
"""Sessions of an anchor."""


class VwapParameters(Parameters, frozen=True):
    """What is averaged: the day so far in UTC or in Korean time, all since a time, or N bars.

    A time is written without colons, which part parameters: ``20261101T000000Z``.
    """

    window: Annotated[
        str, msgspec.Meta(pattern=r"^(utc|kst|[1-9][0-9]{0,4}|[0-9]{8}T[0-9]{6}Z)$")
    ] = "utc"

    def check(self) -> None:
        """Refuse a time that no calendar has."""
        if self.window.endswith("Z"):
            _anchor(self.window)


class _State(msgspec.Struct):
    session: int | None = None
    """Number of the day since the epoch; -1 before an anchor and 0 since; None for N bars."""
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
    """Turnover by volume of a session, since a time or of the last N bars.

    None while nothing was traded, and over bars that opened before the time.
    """

    name = "vwap"
    outputs = ("vwap",)
    parameters_type = VwapParameters
    state_type = _State

    def _rebuild(self) -> None:
        window, state = self.parameters.window, self._state
        self._bars = int(window) if window.isdigit() else 0
        self._last = self._bars - 1
        self._full = bool(self._bars) and len(state.volumes) == self._bars
        self._anchor = _anchor(window) if window.endswith("Z") else None
        self._offset = _OFFSETS.get(window, 0)
        self._sums = ExactRatio.of(
            (int(state.turnover, 16), state.turnover_shift),
            (int(state.volume, 16), state.volume_shift),
        )
        for turnover, volume in zip(state.turnovers, state.volumes, strict=True):
            self._sums.add_pair(turnover, volume)
        self._bound()

    @property
    def bars_needed(self) -> int:
        """One bar of a session, or a full window."""
        return self._bars or 1

    def warm(self, bar: Ohlcv, bars_seen: int) -> bool:
        """Tell whether the window is full, or the session was seen from its first bar.

        It was when a bar came before it, or one opened just as it began.
        """
        if self._bars:
            return bars_seen >= self._bars
        known, session = self._state.session, self._session(bar.open_time)
        if known == session:
            return self._state.whole
        if self._anchor is not None and session == _BEFORE:
            return False
        return known is not None or self.window_start(bar.open_time) == bar.open_time

    def window_start(self, open_time: int) -> int | None:
        """Return when the session of a bar began; None for N bars and before an anchor."""
        if self._bars:
            return None
        if self._anchor is not None:
            return self._anchor if open_time >= self._anchor else None
        return self._session(open_time) * _DAY - self._offset

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the value over it."""
        if not self._opens <= bar.open_time < self._ends and not self._enter(bar):
            return {"vwap": None}
        sums, volume, turnover = self._sums, bar.volume, bar.quote_volume
        if turnover is None:
            turnover = (bar.high + bar.low + bar.close) / 3 * volume
        scale = sums.scale
        scaled, scaled_volume = turnover * scale, volume * scale
        if scaled.is_integer() and scaled_volume.is_integer():
            above, below = floor(scaled), floor(scaled_volume)
        else:
            above, below = sums.pair(turnover, volume)
        if self._bars:
            if self._full:
                state, scale = self._state, sums.scale
                oldest, turnovers, volumes = state.oldest, state.turnovers, state.volumes
                scaled, scaled_volume = turnovers[oldest] * scale, volumes[oldest] * scale
                if scaled.is_integer() and scaled_volume.is_integer():
                    above -= floor(scaled)
                    below -= floor(scaled_volume)
                else:
                    leaving = sums.pair(turnovers[oldest], volumes[oldest])
                    above, below = above - leaving[0], below - leaving[1]
                turnovers[oldest], volumes[oldest] = turnover, volume
                state.oldest = oldest + 1 if oldest != self._last else 0
            else:
                self._fill(turnover, volume)
        sums.total = above = sums.total + above
        sums.below = below = sums.below + below
        if below > 0:
            try:
                return {"vwap": above / below}
            except OverflowError:
                # no double is as large
                pass
        return {"vwap": None}

    def peek(self, bar: Ohlcv) -> Values:
        """Return the value if ``bar`` closed now."""
        state, sums, turnover = self._state, self._sums, bar.quote_volume
        if turnover is None:
            turnover = (bar.high + bar.low + bar.close) / 3 * bar.volume
        if not self._opens <= bar.open_time < self._ends:
            if self._anchor is not None and bar.open_time < self._anchor:
                return {"vwap": None}
            sums = ExactRatio()
        above, below = sums.pair(turnover, bar.volume)
        if self._full:
            leaving = sums.pair(state.turnovers[state.oldest], state.volumes[state.oldest])
            above, below = above - leaving[0], below - leaving[1]
        return {"vwap": sums.value(above, below)}

    def state(self) -> bytes:
        """Return all that the next values depend on, versioned."""
        if not self._bars:
            state, sums = self._state, self._sums
            turnover, state.turnover_shift = sums.lowest_terms()
            volume, state.volume_shift = ExactSum(sums.below, sums.shift).lowest_terms()
            state.turnover, state.volume = f"{turnover:x}", f"{volume:x}"
        return super().state()

    def _bound(self) -> None:
        """Set which open times go on with the present sums."""
        session = self._state.session
        # none, before the first bar and before an anchor
        self._opens = self._ends = 0
        if self._bars:
            self._opens, self._ends = -_ALWAYS, _ALWAYS
        elif self._anchor is not None:
            if session == _SINCE:
                self._opens, self._ends = self._anchor, _ALWAYS
        elif session is not None:
            self._opens = session * _DAY - self._offset
            self._ends = self._opens + _DAY

    def _enter(self, bar: Ohlcv) -> bool:
        """Begin the session of a bar; tell whether it is one that is summed."""
        session = self._session(bar.open_time)
        self._state.whole = self.warm(bar, 1)
        self._state.session = session
        self._sums = ExactRatio()
        self._bound()
        return self._anchor is None or session == _SINCE

    def _session(self, open_time: int) -> int:
        if self._anchor is not None:
            return _SINCE if open_time >= self._anchor else _BEFORE
        return (open_time + self._offset) // _DAY

    def _fill(self, turnover: float, volume: float) -> None:
        state = self._state
        state.turnovers.append(turnover)
        state.volumes.append(volume)
        self._full = len(state.volumes) == self._bars


def _anchor(text: str) -> int:
    """Return the microseconds of ``20261101T000000Z``."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"expected a time such as 20261101T000000Z, was {text!r}") from None
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
