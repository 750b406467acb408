"""What users choose, and what they are told when they choose wrongly."""

from __future__ import annotations

import sys
from importlib import invalidate_caches
from pathlib import Path

import pytest

from collector_core.errors import SettingsError
from collector_indicators import catalogue
from collector_indicators.discovery import indicators
from collector_indicators.selection import Choice, parse_choice, parse_set
from collector_indicators.settings import CalculationSettings


def test_a_set_is_read_in_its_order_with_defaults_written_out() -> None:
    assert (
        Choice("rsi", "14"),
        Choice("macd", "12:26:9"),
        Choice("bollinger", "20:2"),
        Choice("vwap", "utc"),
        Choice("bollinger", "20:2.5"),
        Choice("macd", "5:35:9"),
    ) == parse_set("rsi:14, macd:12:26:9,bollinger,vwap,bollinger:20:2.5,macd:5:35")


def test_a_choice_prints_as_it_is_written() -> None:
    assert str(parse_choice("macd")) == "macd:12:26:9"
    assert str(Choice("rsi", "")) == "rsi"


def test_what_is_made_is_over_its_own_input() -> None:
    assert parse_choice("book_imbalance").create_of_book().levels == 5
    with pytest.raises(SettingsError, match="over candle or bar, was spread, which is over book"):
        parse_choice("spread").create()
    with pytest.raises(SettingsError, match="over book, was rsi, which is over candle or bar"):
        parse_choice("rsi").create_of_book()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("book_imbalance:51", "indicator book_imbalance: parameter levels: expected `int` <= 50"),
        ("rsi:x", "indicator rsi: parameter period: expected `int`, was 'x'"),
        ("rsi:1", "indicator rsi: parameter period: expected `int` >= 2, was '1'"),
        ("rsi:14:2", "indicator rsi: expected at most 1 parameters (period), was '14:2'"),
        ("macd:30", "indicator macd: expected fast below slow, was 30 and 26"),
        ("bollinger:20:0", "parameter deviations: expected `float` > 0.0, was '0'"),
        ("bollinger:20:nan", "parameter deviations: expected"),
        ("bollinger:20:inf", "parameter deviations: expected"),
        ("vwap:est", "indicator vwap: parameter window: expected `str` matching"),
        ("none:5", f"expected an indicator ({', '.join(indicators())}), was 'none'"),
        ("", "expected an indicator"),
        ("rsi,rsi:14", "expected each indicator once, was rsi:14 twice"),
    ],
)
def test_a_wrong_set_is_said_in_one_sentence(given: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_set(given)
    assert said in str(caught.value)


def test_settings_take_what_is_right() -> None:
    settings = CalculationSettings("bar", ("1s", "1m", "1w", "1M"), parse_set("rsi,vwap"))
    assert (settings.grace, settings.horizon, settings.live_every) == (100_000, 2, 1_000_000)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"input": "books"}, "input: expected candle, bar or book, was 'books'"),
        (
            {"input": "book", "indicators": parse_set("rsi")},
            "over book, was rsi, which is over candle or",
        ),
        ({"indicators": parse_set("spread")}, "expected an indicator over bar, was spread, "),
        ({"intervals": ()}, "intervals: expected at least one"),
        ({"intervals": ("1m", "1m")}, "intervals: expected 1m once, was 1m,1m"),
        ({"intervals": ("1x",)}, "expected an interval"),
        ({"indicators": parse_set("rsi") * 2}, "indicators: expected each once"),
        ({"indicators": (Choice("rsi", ""),)}, "expected all parameters written out, was rsi"),
        ({"indicators": (Choice("nope", ""),)}, "expected an indicator"),
        ({"grace": -1}, "grace: expected at least 0"),
        ({"horizon": -1}, "horizon: expected 0 to 1000"),
        ({"live_every": 0}, "live_every: expected at least 1"),
    ],
)
def test_wrong_settings_are_said_in_one_sentence(changed: dict[str, object], said: str) -> None:
    given: dict[str, object] = {"input": "bar", "intervals": ("1m",)} | changed
    with pytest.raises(SettingsError) as caught:
        CalculationSettings(**given)  # type: ignore[arg-type]  # wrong on purpose
    assert said in str(caught.value)


def test_two_indicators_of_one_name_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # a module beside the others that brings rsi a second time
    module = f"{catalogue.__name__}.zz_again"
    text = 'from collector_indicators.catalogue.rsi import Rsi\n\n__all__ = ["Rsi"]\n'
    (tmp_path / "zz_again.py").write_text(text)
    monkeypatch.setattr(catalogue, "__path__", [*catalogue.__path__, str(tmp_path)])
    invalidate_caches()
    indicators.cache_clear()
    try:
        with pytest.raises(SettingsError, match=f"expected one indicator rsi, was .* {module}"):
            indicators()
    finally:
        sys.modules.pop(module, None)
        indicators.cache_clear()
