from __future__ import annotations

from collector_indicators.following import Following
from collector_indicators.plan import Entry, Plan, channel_of
from collector_indicators.settings import CalculationSettings

MINUTES = CalculationSettings("bar", ("1m",))
SECONDS = CalculationSettings("bar", ("1s",))
CANDLES = CalculationSettings("candle", ("5m",), grace=0)


def test_the_first_entry_that_fits_a_stream_decides_for_each_input() -> None:
    plan = Plan(
        [
            Entry(Following(["binance:BTC/*"]), SECONDS),
            Entry(Following(["*:*/USDT"]), MINUTES),
            Entry(Following(["*:*"]), CANDLES),
        ]
    )
    assert plan.settings_of("trade", "binance", "BTC/USDT") == SECONDS
    assert plan.settings_of("trade", "okx", "BTC/USDT") == MINUTES
    assert plan.settings_of("trade", "upbit", "BTC/KRW") is None
    assert plan.settings_of("candle", "upbit", "BTC/KRW") == CANDLES
    assert plan.settings_of("book", "upbit", "BTC/KRW") is None


def test_channels_are_those_that_something_is_computed_from() -> None:
    assert Plan([Entry(Following(["*:*"]), CANDLES)]).channels == {"candle"}
    assert Plan([]).channels == frozenset()
    assert [channel_of(settings) for settings in (SECONDS, CANDLES)] == ["trade", "candle"]
