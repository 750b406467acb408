"""Trade flow imbalance.

Source: Rama Cont, Arseniy Kukanov, Sasha Stoikov, The Price Impact of Order Book Events, Journal of
Financial Econometrics 12:1 (2014), section 4.3 (trade imbalance): the volume that takers bought
less the volume that they sold, here in relation to all of it, over the last n bars.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from collector_indicators.indicator import Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters
from collector_indicators.window_ratio import RatioState, WindowRatio

__all__ = ["TradeFlowImbalance"]


class TradeFlowImbalanceParameters(Parameters, frozen=True):
    """Bars of the window."""

    period: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1


class TradeFlowImbalance(WindowRatio[TradeFlowImbalanceParameters]):
    """Bought less sold volume in relation to both, -1 to 1; None where nothing was traded.

    Only bars that we build from trades know who took: candles of an exchange have no value, and a
    bar that does not know begins the window anew. What has no side counts as sold.
    """

    name = "trade_flow_imbalance"
    outputs = ("trade_flow_imbalance",)
    parameters_type = TradeFlowImbalanceParameters

    def _rebuild(self) -> None:
        self._length = self.parameters.period
        super()._rebuild()

    @property
    def bars_needed(self) -> int:
        """A full window."""
        return self._length

    def warm(self, bar: Ohlcv, bars_seen: int) -> bool:  # noqa: ARG002  # as the contract has it
        """Tell whether who took is known for all bars of the window."""
        return bar.buy_volume is not None and len(self._state.below) + 1 >= self._length

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the imbalance over it."""
        if bar.buy_volume is None:
            if self._state.below:
                self._state = RatioState()
                super()._rebuild()
            return {"trade_flow_imbalance": None}
        return {"trade_flow_imbalance": self._take(bar)}

    def peek(self, bar: Ohlcv) -> Values:
        """Return the imbalance if ``bar`` closed now."""
        return {"trade_flow_imbalance": None if bar.buy_volume is None else self._look(bar)}

    def _terms(self, bar: Ohlcv) -> tuple[float, float]:
        bought = bar.buy_volume or 0.0
        return bought - (bar.volume - bought), bar.volume
