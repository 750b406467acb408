"""Each indicator against a reference written from its source, and against TA-Lib.

References compute with rational or 60-digit decimal numbers over the doubles that the indicators
get, so their error does not count. The bound is that of the issue: 1e-9 of the larger of the
reference and the largest input in the window.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
import talib

from collector_indicators.ohlcv import Ohlcv
from collector_indicators.selection import parse_choice

BOUND = 1e-9
DAY = 86_400_000_000
MINUTE = 60_000_000


def walk(seed: int, count: int, start: float, step: float, drift: float = 0.0) -> list[float]:
    """Return a seeded random walk that stays positive."""
    draw = random.Random(seed)
    price, prices = start, []
    for _ in range(count):
        price = max(price + (draw.random() - 0.5 + drift) * step, start * 1e-3)
        prices.append(price)
    return prices


SERIES: dict[str, list[float]] = {
    "random": walk(1, 250, 50_000.0, 300.0),
    "trending": walk(2, 150, 100.0, 1.0, drift=0.4),
    "flat": [0.1] * 120,
    "flat_then_random": [7.3] * 60 + walk(3, 100, 7.3, 0.1),
    "random_then_flat": walk(4, 100, 7.3, 0.1) + [7.3] * 200,
    "rising": [100 + i * 0.01 for i in range(120)],
    "falling": [100 - i * 0.01 for i in range(120)],
    "huge": walk(5, 200, 1e15, 1e13),
    "tiny": walk(6, 200, 1e-12, 1e-14),
    "tinier": walk(8, 200, 1e-14, 1e-17),
    "tiny_steps_on_huge": walk(7, 200, 1e15, 4.0),
    "spikes": [1e15 if i % 37 == 5 else 1e-12 * (1 + i % 7) for i in range(200)],
    "steps": [float(i // 10) + 1 for i in range(200)],
    "one_row": [42.0],
    "two_rows": [42.0, 43.0],
    "empty": [],
}


def bars_of(closes: list[float]) -> list[Ohlcv]:
    """Return bars of 17 minutes around closes, so that a few days pass; every ninth is empty."""
    draw = random.Random(len(closes))
    return [
        Ohlcv(
            i * 17 * MINUTE,
            close,
            close * (1 + draw.random() * 0.01),
            close * (1 - draw.random() * 0.01),
            close,
            0.0 if i % 9 == 0 else draw.random() * 1000,
        )
        for i, close in enumerate(closes)
    ]


def rsi_reference(bars: list[Ohlcv], period: int) -> Iterator[dict[str, Decimal | None]]:
    """Wilder 1978: RSI = 100 - 100 / (1 + average gain / average loss)."""
    gain = loss = Decimal(0)
    for i, bar in enumerate(bars):
        change = Decimal(bar.close) - Decimal(bars[i - 1].close) if i else Decimal(0)
        up, down = max(change, Decimal(0)), max(-change, Decimal(0))
        if i <= period:
            gain, loss = gain + up / period, loss + down / period
        else:
            gain = (gain * (period - 1) + up) / period
            loss = (loss * (period - 1) + down) / period
        if i < period:
            yield {"rsi": None}
        elif loss:
            yield {"rsi": 100 - 100 / (1 + gain / loss)}
        else:
            yield {"rsi": Decimal(100) if gain else Decimal(50)}


def macd_reference(
    bars: list[Ohlcv], fast: int, slow: int, signal: int
) -> Iterator[dict[str, Decimal | None]]:
    """Appel, with TA-Lib's seeds: both price averages begin at bar ``slow``."""
    closes = [Decimal(bar.close) for bar in bars]
    averages: list[Decimal] = []
    macds: list[Decimal] = []
    signal_average = Decimal(0)
    for i, close in enumerate(closes):
        if i + 1 < slow:
            yield {"macd": None, "signal": None, "histogram": None}
            continue
        if i + 1 == slow:
            averages = [sum(closes[i + 1 - n : i + 1]) / n for n in (fast, slow)]
        else:
            averages = [
                (2 * close + (n - 1) * average) / (n + 1)
                for n, average in zip((fast, slow), averages, strict=True)
            ]
        macds.append(averages[0] - averages[1])
        if len(macds) < signal:
            yield {"macd": macds[-1], "signal": None, "histogram": None}
            continue
        if len(macds) == signal:
            signal_average = sum(macds, Decimal(0)) / signal
        else:
            signal_average = (2 * macds[-1] + (signal - 1) * signal_average) / (signal + 1)
        yield {
            "macd": macds[-1],
            "signal": signal_average,
            "histogram": macds[-1] - signal_average,
        }


def bollinger_reference(
    bars: list[Ohlcv], period: int, deviations: Decimal
) -> Iterator[dict[str, Decimal | None]]:
    """Bollinger 2001: mean of the window, bands at population standard deviations."""
    for i in range(len(bars)):
        window = [Fraction(bar.close) for bar in bars[max(0, i + 1 - period) : i + 1]]
        if len(window) < period:
            yield {"upper": None, "middle": None, "lower": None}
            continue
        mean = sum(window) / period
        variance = sum((close - mean) ** 2 for close in window) / period
        middle = Decimal(mean.numerator) / Decimal(mean.denominator)
        width = deviations * (Decimal(variance.numerator) / Decimal(variance.denominator)).sqrt()
        yield {"upper": middle + width, "middle": middle, "lower": middle - width}


def vwap_reference(bars: list[Ohlcv], window: str) -> Iterator[dict[str, Decimal | None]]:
    """Turnover by volume since the day began, or over the last N bars."""
    offset = {"utc": 0, "kst": 9 * 60 * MINUTE}.get(window, 0)
    for i, bar in enumerate(bars):
        if window in {"utc", "kst"}:
            day = (bar.open_time + offset) // DAY
            chosen = [b for b in bars[: i + 1] if (b.open_time + offset) // DAY == day]
        else:
            chosen = bars[max(0, i + 1 - int(window)) : i + 1]
        volume = sum(Fraction(b.volume) for b in chosen)
        turnover = sum(
            Fraction(b.quote_volume)
            if b.quote_volume is not None
            else (Fraction(b.high) + Fraction(b.low) + Fraction(b.close)) / 3 * Fraction(b.volume)
            for b in chosen
        )
        exact = turnover / volume if volume else None
        yield {
            "vwap": None if exact is None else Decimal(exact.numerator) / Decimal(exact.denominator)
        }


Reference = Callable[[list[Ohlcv]], Iterator[dict[str, Decimal | None]]]

CASES: dict[str, Reference] = {
    "rsi:14": lambda bars: rsi_reference(bars, 14),
    "rsi:2": lambda bars: rsi_reference(bars, 2),
    "macd:12:26:9": lambda bars: macd_reference(bars, 12, 26, 9),
    "macd:3:5:1": lambda bars: macd_reference(bars, 3, 5, 1),
    "bollinger:20:2": lambda bars: bollinger_reference(bars, 20, Decimal(2)),
    "bollinger:5:0.5": lambda bars: bollinger_reference(bars, 5, Decimal("0.5")),
    "vwap:utc": lambda bars: vwap_reference(bars, "utc"),
    "vwap:kst": lambda bars: vwap_reference(bars, "kst"),
    "vwap:20": lambda bars: vwap_reference(bars, "20"),
}


def assert_close(
    bars: list[Ohlcv], i: int, window: int, name: str, expected: Decimal | None, got: float | None
) -> None:
    """Compare one value within the bound of the issue."""
    if expected is None or got is None:
        assert (expected is None) == (got is None), f"{name} at {i}: {expected} {got}"
        return
    largest = max(abs(bar.high) for bar in bars[max(0, i + 1 - window) : i + 1])
    bound = Decimal(BOUND) * max(abs(expected), Decimal(largest))
    assert abs(Decimal(got) - expected) <= bound, f"{name} at {i}: expected {expected}, was {got}"


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("case", CASES)
def test_agrees_with_its_reference(case: str, series: str) -> None:
    bars = bars_of(SERIES[series])
    indicator = parse_choice(case).create()
    with localcontext() as context:
        context.prec = 60
        for i, (bar, expected) in enumerate(zip(bars, CASES[case](bars), strict=True)):
            got = indicator.update(bar)
            assert list(expected) == list(got)
            for name in expected:
                assert_close(bars, i, indicator.bars_needed, name, expected[name], got[name])


@pytest.mark.parametrize("case", ["vwap:utc", "vwap:3"])
def test_vwap_takes_the_quote_volume_where_there_is_one(case: str) -> None:
    bars = [
        Ohlcv(i * MINUTE, 10.0, 20.0, 10.0, 15.0, 2.0, quote_volume=None if i == 4 else 25.0 + i)
        for i in range(9)
    ]
    indicator = parse_choice(case).create()
    with localcontext() as context:
        context.prec = 60
        for i, (bar, expected) in enumerate(zip(bars, CASES_VWAP(bars, case), strict=True)):
            assert_close(bars, i, 9, "vwap", expected["vwap"], indicator.update(bar)["vwap"])


def CASES_VWAP(bars: list[Ohlcv], case: str) -> Iterator[dict[str, Decimal | None]]:  # noqa: N802  # stands with CASES
    """Return the reference for a VWAP choice."""
    return vwap_reference(bars, case.partition(":")[2])


# TA-Lib says 0 for an RSI without changes, and its running sums keep the rounding error of a term
# after that has left the window. There the reference decides.
TALIB_MISSES = {
    "rsi": {"flat", "flat_then_random"},
    "macd": set[str](),
    "bollinger": {"spikes"},
}


@pytest.mark.parametrize("series", [name for name in SERIES if SERIES[name]])
@pytest.mark.parametrize("name", sorted(TALIB_MISSES))
def test_agrees_with_talib_but_where_that_misses_the_reference(name: str, series: str) -> None:
    if series in TALIB_MISSES[name]:
        with pytest.raises(AssertionError):
            compare_with_talib(name, series)
    else:
        compare_with_talib(name, series)


def compare_with_talib(name: str, series: str) -> None:
    """Compare every value that TA-Lib gives."""
    closes = SERIES[series]
    given = np.array(closes)
    expected: dict[str, np.ndarray]
    if name == "rsi":
        choice, expected = "rsi:14", {"rsi": talib.RSI(given, 14)}
    elif name == "macd":
        three = talib.MACD(given, 12, 26, 9)
        choice = "macd:12:26:9"
        expected = dict(zip(("macd", "signal", "histogram"), three, strict=True))
    else:
        three = talib.BBANDS(given, 20, 2, 2)
        choice = "bollinger:20:2"
        expected = dict(zip(("upper", "middle", "lower"), three, strict=True))
    bars = bars_of(closes)
    indicator = parse_choice(choice).create()
    for i, bar in enumerate(bars):
        got = indicator.update(bar)
        for output, values in expected.items():
            if not np.isnan(values[i]):
                value = Decimal(float(values[i]))
                assert_close(bars, i, indicator.bars_needed, output, value, got[output])
        assert (i + 1 >= indicator.bars_needed) == (not np.isnan(next(iter(expected.values()))[i]))


def test_rsi_of_a_flat_series_is_fifty_where_talib_says_zero() -> None:
    closes = [0.1] * 20
    indicator = parse_choice("rsi:14").create()
    got = [indicator.update(bar)["rsi"] for bar in bars_of(closes)]
    assert got == [None] * 14 + [50.0] * 6
    assert talib.RSI(np.array(closes), 14)[-1] == 0.0


@pytest.mark.parametrize("period", [2, 14])
def test_rsi_stays_while_the_price_stands_however_long(period: int) -> None:
    # the averages shrink far below the smallest double; their ratio must not change
    closes = [100.0, 103.0, 101.0, 104.0, 103.5, 105.0] * 5
    indicator = parse_choice(f"rsi:{period}").create()
    for bar in bars_of(closes):
        before = indicator.update(bar)["rsi"]
    for bar in bars_of([closes[-1]] * 30_000):
        value = indicator.update(bar)["rsi"]
    assert value == pytest.approx(before, rel=1e-9)
    # and a new change counts at its own size
    assert indicator.update(bars_of([closes[-1] + 1])[0])["rsi"] == 100.0
    assert indicator.update(bars_of([closes[-1]])[0])["rsi"] == pytest.approx(
        100 * (period - 1) / (2 * period - 1)
    )


def test_nothing_drifts_over_many_rows() -> None:
    # many rows, each sixth a thousand million times as large as the others
    draw = random.Random(11)
    closes = [draw.random() * (1e9 if i % 6 == 0 else 1.0) for i in range(200_000)]
    closes += [1.0 + i * 1e-9 for i in range(20)]
    long = parse_choice("bollinger:20:2").create()
    rolling = parse_choice("vwap:20").create()
    for i, close in enumerate(closes):
        bar = Ohlcv(i, close, close, close, close, 1.0 + close)
        bands, price = long.update(bar), rolling.update(bar)
    fresh = parse_choice("bollinger:20:2").create()
    fresh_rolling = parse_choice("vwap:20").create()
    for i, close in enumerate(closes[-20:]):
        bar = Ohlcv(i, close, close, close, close, 1.0 + close)
        expected, expected_price = fresh.update(bar), fresh_rolling.update(bar)
    assert expected == bands
    assert expected_price == price
