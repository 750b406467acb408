from __future__ import annotations

import pytest

from collector_core.errors import SettingsError
from collector_indicator.settings import IndicatorSettings
from collector_indicators.selection import Choice


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.chdir(str(tmp_path))


def test_the_defaults_compute_both_inputs() -> None:
    calculations = IndicatorSettings.load().calculations()
    assert {"trade", "candle"} == set(calculations)
    bars, candles = calculations["trade"], calculations["candle"]
    assert (bars.input, bars.intervals) == ("bar", ("1s", "1m"))
    assert (candles.input, candles.intervals) == ("candle", ("1m",))
    assert (bars.grace, bars.horizon, bars.live_every) == (100_000, 2, 1_000_000)
    assert bars.indicators[0] == Choice("rsi", "14")
    assert bars.indicators == candles.indicators


def test_an_input_may_be_left_out() -> None:
    assert {"candle"} == set(IndicatorSettings.load(bar_intervals=()).calculations())
    only_bars = IndicatorSettings.load(candle_intervals=(), live_every=0).calculations()
    assert {"trade"} == set(only_bars)
    assert only_bars["trade"].live_every is None


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"shards": 0}, "setting COLLECTOR_SHARDS: expected greater than or equal to 1, was 0"),
        (
            {"bar_intervals": "1m,7x"},
            "setting COLLECTOR_BAR_INTERVALS: expected an interval such as 1s, 5m, 1h, 1d or",
        ),
        (
            {"bar_intervals": "1m,1m"},
            "setting COLLECTOR_BAR_INTERVALS: expected each interval once, was 1m,1m",
        ),
        (
            {"bar_intervals": "", "candle_intervals": ""},
            "setting COLLECTOR_CANDLE_INTERVALS: expected intervals here or in COLLECTOR_BAR_INTE",
        ),
        ({"indicators": "rsi,rsi:14"}, "setting COLLECTOR_INDICATORS: expected each indicator"),
        (
            {"follow": "binance"},
            "setting COLLECTOR_FOLLOW: expected exchange:symbol, such as *:*/USDT, was 'binance'",
        ),
        ({"live_every": 0.0001}, "setting COLLECTOR_LIVE_EVERY: expected 0 or at least 0.001"),
        ({"tick": 0}, "setting COLLECTOR_TICK: expected "),
    ],
)
def test_what_is_wrong_is_named(given: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingsError) as raised:
        IndicatorSettings.load(**given)
    assert str(raised.value).startswith(sentence)
