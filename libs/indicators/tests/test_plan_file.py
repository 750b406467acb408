from __future__ import annotations

import pytest

from collector_core.errors import SettingsError
from collector_indicators.plan_file import read_plan
from collector_indicators.selection import Choice
from collector_indicators.settings import CalculationSettings

WHOLE = """\
# what the desk watches
calculations:
  - symbols: ["binance:*/USDT", "upbit:BTC/KRW"]
    input: bar
    intervals: [1s, 1m]
    indicators:
      - rsi
      - macd:5:10:3
      - bollinger: {deviations: 2.5}
    live: off
    grace: 0.25
    horizon: 3
  - symbols: ["*:*"]
    input: candle
    intervals: [5m]
  - symbols: ["*:*"]
    input: book
    intervals: [1m]
    indicators: [spread, {book_imbalance: {levels: 10}}]
    grace: 0.2
"""


def test_every_field_is_read() -> None:
    first, second, third = read_plan(WHOLE, "plan.yaml").entries
    assert first.settings == CalculationSettings(
        "bar",
        ("1s", "1m"),
        (Choice("rsi", "14"), Choice("macd", "5:10:3"), Choice("bollinger", "20:2.5")),
        grace=250_000,
        horizon=3,
        live_every=None,
    )
    assert [first.following.wants("upbit", s) for s in ("BTC/KRW", "ETH/KRW")] == [True, False]
    assert second.settings == CalculationSettings("candle", ("5m",), grace=0)
    assert third.settings == CalculationSettings(
        "book", ("1m",), (Choice("spread", ""), Choice("book_imbalance", "10")), grace=200_000
    )


@pytest.mark.parametrize(
    ("live", "expected"),
    [("off", None), ("false", None), ("0", None), ("on", 1_000_000), ("2", 2_000_000),
     ("0.25", 250_000)],
)  # fmt: skip
def test_live_values_are_switched_or_given_their_grid(live: str, expected: int | None) -> None:
    [first, *_] = read_plan(WHOLE.replace("live: off", f"live: {live}"), "plan.yaml").entries
    assert first.settings.live_every == expected


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("macd:5:10:3", "macd:10:5:3", "line 8: indicators: indicator macd: expected fast below"),
        ("- rsi\n", "- rsj\n", "line 7: indicators: expected an indicator ("),
        ("deviations: 2.5", "width: 2", "line 9: indicators: indicator bollinger: expected a para"),
        ("deviations: 2.5", "deviations: 0", "line 9: indicators: indicator bollinger: parameter "),
        ("- macd:5:10:3", "- rsi:14", "line 8: indicators: expected each indicator once, was rsi"),
        ("- rsi\n", "- spread\n", "line 7: indicators: expected an indicator over bar, was spread"),
        ("[spread,", "[rsi,", "line 19: indicators: expected an indicator over book, was rsi"),
        ("[1s, 1m]", "[1s, 1x]", "line 5: intervals: expected an interval such as 1s, 5m, 1h"),
        ("[1s, 1m]", "[]", "line 3: calculations: intervals: expected at least one"),
        ("binance:*/USDT", "binance", "line 3: symbols: expected exchange:symbol, such as"),
        ("input: bar", "input: bars", "line 4: input: invalid enum value 'bars'"),
        ("horizon: 3", "horizon: soon", "line 12: horizon: expected int, was str"),
        ("horizon: 3", "horizont: 3", "line 12: horizont: expected one of symbols, input, "),
        ("live: off", "live: 0.0001", "line 10: live: expected off or 0.001 to 86400 seconds"),
        ("live: off", "live: off\n    live: on", "line 11: expected YAML, was the key live twice"),
        ("    input: bar\n", "", "line 3: calculations: object missing required field input"),
        ("[1s, 1m]", "[1s, 1m", "line 6: expected YAML, "),
        ("calculations:", "calculation:", "line 2: calculation: expected one of calculations"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(before: str, after: str, said: str) -> None:
    text = WHOLE.replace(before, after, 1)
    assert text != WHOLE
    with pytest.raises(SettingsError) as caught:
        read_plan(text, "plan.yaml")
    assert str(caught.value).startswith(f"plan.yaml {said}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "plan.yaml: expected a mapping with calculations"),
        ("- rsi", "plan.yaml: expected a mapping with calculations"),
        ("calculations: []", "plan.yaml line 1: calculations: expected at least one entry"),
        ("calculations: 3", "plan.yaml line 1: calculations: expected array, was int"),
    ],
)
def test_a_file_that_is_no_plan_is_refused(text: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_plan(text, "plan.yaml")
    assert str(caught.value).startswith(said)
