"""Sums over windows against rational numbers, whatever doubles come and leave."""

from __future__ import annotations

from fractions import Fraction

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from collector_indicators.indicator import Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters
from collector_indicators.window import Window, WindowState

DOUBLES = st.one_of(
    st.floats(-1e99, 1e99, allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, 5e-324, -5e-324, 1e99, -1e99, 0.1, 7.3]),
)


class Total(Window[Parameters, WindowState]):
    """The plainest window: the sum of the last three closes."""

    name = "total"
    outputs = ("total",)
    parameters_type = Parameters
    state_type = WindowState

    def _rebuild(self) -> None:
        self._length = 3
        super()._rebuild()

    def _gather(self, units: list[int]) -> None:
        self.order = units
        self.total = sum(units)

    @property
    def bars_needed(self) -> int:
        """A full window."""
        return self._length

    @property
    def exact(self) -> Fraction:
        """The sum."""
        return Fraction(self.total, 2**self._shift)

    def update(self, bar: Ohlcv) -> Values:
        """Take a close."""
        units = self._units(bar.close)
        state, position = self._state, self._state.position
        self.total += units - self._ring[position]
        self._ring[position] = units
        state.position = position + 1 if position != self._last else 0
        if self._full:
            state.values[position] = bar.close
        else:
            self._fill(bar.close)
        return {"total": float(self.exact)}

    def peek(self, bar: Ohlcv) -> Values:
        """Return what ``update`` would return."""
        return self.copy().update(bar)


def bar_of(close: float) -> Ohlcv:
    """Return a bar with this close."""
    return Ohlcv(0, close, close, close, close, 1.0)


@settings(deadline=None)
@given(st.lists(DOUBLES, max_size=12))
def test_sums_are_exact_before_and_after_a_restore(closes: list[float]) -> None:
    window = Total.create()
    for i, close in enumerate(closes):
        window.update(bar_of(close))
        expected = [Fraction(0)] * 3 + [Fraction(one) for one in closes[: i + 1]]
        twin = window.copy()
        assert sum(expected[-3:]) == window.exact == twin.exact
        # the oldest first, with zeros for what has not come yet
        order = [Fraction(units, 2**twin._shift) for units in twin.order]
        assert expected[-3:] == order


def test_a_finer_number_makes_the_unit_finer_and_no_number_coarser() -> None:
    window = Total.create()
    for close in (3.0, 0.25, 5e-324, 1.0, 1.0, 1.0):
        window.update(bar_of(close))
    assert window.exact == 3
    # only a restore forgets how fine the unit has been, which no value shows
    assert window.total == 3 << 1074
    assert window.copy().total == 3


def test_the_state_is_the_numbers_alone() -> None:
    window = Total.create()
    for close in (1.0, 2.0, 3.0, 4.5):
        window.update(bar_of(close))
    assert msgspec.msgpack.decode(window.state())[3] == {"values": [4.5, 2.0, 3.0], "position": 1}
