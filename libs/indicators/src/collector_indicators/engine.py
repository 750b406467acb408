"""Where a service or a script begins: one calculation a topic and symbol, or a whole file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from collector_core.events import Candle, Indicator
from collector_indicators.calculation import Calculation
from collector_indicators.candle_calculation import CandleCalculation
from collector_indicators.selection import Choice
from collector_indicators.settings import CalculationSettings
from collector_indicators.trade_calculation import TradeCalculation

__all__ = ["compute", "create"]


def create(exchange: str, symbol: str, settings: CalculationSettings) -> Calculation:
    """Return a new calculation for the topic that ``settings.input`` names.

    ``candle`` reads the candle topic of the symbol, ``bar`` its trade topic.
    """
    kind = CandleCalculation if settings.input == "candle" else TradeCalculation
    return kind(exchange, symbol, settings)


def compute(
    candles: Iterable[Candle], indicators: Sequence[Choice], *, horizon: int = 2
) -> Iterator[Indicator]:
    """Return the indicator rows over candles, the very ones that the service publishes as closed.

    Each (exchange, symbol, interval) among the candles is a series of its own. Nothing is read
    ahead: a row follows from the candles up to it.

    Raises:
        NumberError: a candle's number is no finite decimal number.
        SettingsError: an interval is none, or an indicator is chosen twice.
    """
    calculations: dict[tuple[str, str, str], Calculation] = {}
    for candle in candles:
        series = (candle.exchange, candle.symbol, candle.interval)
        if series not in calculations:
            settings = CalculationSettings(
                "candle", (candle.interval,), tuple(indicators), horizon=horizon, live_every=None
            )
            calculations[series] = create(candle.exchange, candle.symbol, settings)
        for row in calculations[series].feed(candle):
            if isinstance(row, Indicator):
                yield row
