"""The decoder of a state is there before threads are."""

from __future__ import annotations

import msgspec
import pytest

from collector_indicators.indicator import Indicator, Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters


class Nothing(Parameters, frozen=True):
    """None."""


def test_a_state_is_restored_without_building_its_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    class Held(msgspec.Struct):
        closes: list[float] = []

    class Last(Indicator[Nothing, Held]):
        """The last close."""

        name = "own_last"
        outputs = ("own_last",)
        parameters_type = Nothing
        state_type = Held
        bars_needed = 1

        def update(self, bar: Ohlcv) -> Values:
            self._state.closes = [bar.close]
            return self.peek(bar)

        def peek(self, bar: Ohlcv) -> Values:
            return {"own_last": bar.close}

    monkeypatch.delattr(msgspec.msgpack, "Decoder")
    last = Last.create()
    last._state.closes = [1.5]
    assert last.copy()._state == last._state
