"""One symbol's calculation with what its publisher has to know beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collector_core.errors import NumberError, StateError
from collector_core.events import Candle, Event, Trade
from collector_indicator.rebuild import Rebuild
from collector_indicator.state_rows import Kind
from collector_indicators.candle_calculation import CandleCalculation
from collector_indicators.engine import create
from collector_indicators.ohlcv import LIMIT, of_texts
from collector_indicators.settings import CalculationSettings
from collector_indicators.trade_calculation import TradeCalculation

__all__ = ["Computation", "computable"]


class Computation:
    """Rows of one symbol in, rows to publish out, state on demand.

    Args:
        exchange: as in the rows.
        symbol: as in the rows.
        settings: what to compute.
        rebuild: what is published already, if the calculation begins anew over it.
    """

    def __init__(
        self,
        exchange: str,
        symbol: str,
        settings: CalculationSettings,
        rebuild: Rebuild | None = None,
    ) -> None:
        self.exchange = exchange
        self.symbol = symbol
        self._calculation = create(exchange, symbol, settings)
        self._rebuild = rebuild
        # rows beyond the horizon that were told of already
        self._told = 0

    @classmethod
    def restored(
        cls, exchange: str, symbol: str, settings: CalculationSettings, rows: Mapping[Kind, bytes]
    ) -> Computation:
        """Go on from the state rows of a symbol.

        Raises:
            StateError: they are unreadable, of another version, or do not belong together.
        """
        if "open" not in rows:
            raise StateError(
                f"{exchange} {symbol}: expected an open state row, was {', '.join(rows)} alone"
            )
        rebuild = Rebuild.of(rows["rebuild"]) if "rebuild" in rows else None
        computation = cls(exchange, symbol, settings, rebuild)
        computation._calculation.restore(rows["open"], rows.get("closed"))
        computation._told = computation._late()
        return computation

    @property
    def next_offset(self) -> int:
        """Offset of the first input row that it has not taken."""
        return self._calculation.next_offset

    def feed(self, rows: Sequence[Event]) -> list[Event]:
        """Take input rows; return the rows to publish, in order.

        Raises:
            NumberError: as ``Calculation.feed``; the computation is of no more use then.
        """
        given = self._calculation.feed_many(rows)
        if given and self._rebuild is not None:
            return self._rebuild.admit(given)
        return given

    def state(self, next_offset: int) -> dict[Kind, bytes]:
        """Return the state rows that changed since the last call (the open one always).

        Raises:
            NumberError: as ``feed``.
        """
        calculation = self._calculation
        calculation.next_offset = next_offset
        rows: dict[Kind, bytes] = {"open": calculation.open_state()}
        if calculation.closed_changed:
            rows["closed"] = calculation.closed_state()
        if self._rebuild is not None:
            rows["rebuild"] = self._rebuild.state()
        return rows

    def late_since(self) -> int:
        """Return how many input rows came beyond the horizon since the last call."""
        late = self._late()
        since, self._told = late - self._told, late
        return since

    def _late(self) -> int:
        calculation = self._calculation
        if isinstance(calculation, TradeCalculation | CandleCalculation):
            return sum(calculation.dropped.values())
        return 0


def computable(row: Event) -> bool:
    """Tell whether the numbers of an input row are ones that calculations take."""
    try:
        if isinstance(row, Trade):
            texts = (row.price, row.price, row.price, row.price, row.amount)
            numbers = of_texts(0, texts, None)
            return abs(numbers.close * numbers.volume) < LIMIT
        if isinstance(row, Candle):
            texts = (row.open, row.high, row.low, row.close, row.volume)
            of_texts(0, texts, row.quote_volume)
    except NumberError:
        return False
    return True
