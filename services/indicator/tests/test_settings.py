from __future__ import annotations

from pathlib import Path

import pytest

from collector_core.errors import SettingsError
from collector_indicator.settings import IndicatorSettings
from collector_indicators.selection import Choice
from collector_indicators.settings import CalculationSettings


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.chdir(str(tmp_path))


def test_the_defaults_compute_both_inputs() -> None:
    plan = IndicatorSettings.load().calculations()
    bars, candles = (entry.settings for entry in plan.entries)
    assert plan.settings_of("trade", "binance", "BTC/USDT") == bars
    assert plan.settings_of("candle", "binance", "BTC/USDT") == candles
    assert (bars.input, bars.intervals) == ("bar", ("1s", "1m"))
    assert (candles.input, candles.intervals) == ("candle", ("1m",))
    assert (bars.grace, bars.horizon, bars.live_every) == (100_000, 2, 1_000_000)
    assert bars.indicators[0] == Choice("rsi", "14")
    assert bars.indicators == candles.indicators


def test_an_input_may_be_left_out() -> None:
    assert {"candle"} == IndicatorSettings.load(bar_intervals=()).calculations().channels
    only_bars = IndicatorSettings.load(candle_intervals=(), live_every=0).calculations()
    assert {"trade"} == only_bars.channels
    [entry] = only_bars.entries
    assert entry.settings.live_every is None


def test_books_are_followed_where_they_have_intervals() -> None:
    assert "book" not in IndicatorSettings.load().calculations().channels
    plan = IndicatorSettings.load(
        bar_intervals="", candle_intervals="", book_intervals="1s,1m", grace=0.25
    ).calculations()
    [entry] = plan.entries
    assert plan.settings_of("book", "binance", "BTC/USDT") == entry.settings
    assert entry.settings == CalculationSettings(
        "book",
        ("1s", "1m"),
        (Choice("spread", ""), Choice("book_imbalance", "5")),
        grace=250_000,
    )


def test_a_plan_file_replaces_them(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("calculations: [{symbols: ['*:*'], input: candle, intervals: [5m]}]")
    plan = IndicatorSettings.load(plan=path).calculations()
    assert plan.settings_of("candle", "upbit", "BTC/KRW") == CalculationSettings(
        "candle", ("5m",), grace=0
    )
    assert plan.settings_of("trade", "upbit", "BTC/KRW") is None


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
            "setting COLLECTOR_BAR_INTERVALS: expected 1m once, was 1m,1m",
        ),
        (
            {"bar_intervals": "", "candle_intervals": ""},
            "setting COLLECTOR_BOOK_INTERVALS: expected intervals here, in COLLECTOR_BAR_INTERVALS",
        ),
        ({"book_intervals": "1m,1m"}, "setting COLLECTOR_BOOK_INTERVALS: expected 1m once"),
        (
            {"indicators": "rsi,spread"},
            "setting COLLECTOR_INDICATORS: expected an indicator over candle, was spread",
        ),
        (
            {"book_indicators": "rsi"},
            "setting COLLECTOR_BOOK_INDICATORS: expected an indicator over book, was rsi",
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


def test_a_plan_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    settings = IndicatorSettings.load(plan=tmp_path / "none.yaml")
    with pytest.raises(SettingsError, match=r"expected a readable file at .*none\.yaml, was "):
        settings.calculations()
