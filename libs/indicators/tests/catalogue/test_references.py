"""Each indicator against references written from its source, and against TA-Lib.

The oracles stand beside what is asked of one indicator alone, in a module for each. References
compute with rational or 60-digit decimal numbers over the doubles that the indicators get, so their
error does not count.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal, localcontext
from importlib import import_module
from pathlib import Path

import numpy as np
import orjson
import pytest

from collector_indicators.discovery import bar_indicators
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.selection import parse_choice

from .oracle import Columns, Oracle, decimal_of
from .series import SERIES

# an indicator without a module of its own here ends the collection
FOUND: dict[str, tuple[Oracle, ...]] = {
    name: import_module(f"{__package__}.test_{name}").ORACLES for name in bar_indicators()
}
ORACLES = {oracle.choice: oracle for oracles in FOUND.values() for oracle in oracles}
WITH_TALIB = [choice for choice, oracle in ORACLES.items() if oracle.talib is not None]


@pytest.fixture(scope="module")
def recorded(captures: Path) -> list[Ohlcv]:
    """Return 1,000 hours of BTC/USDT as Binance's REST gave them (sample of gocryptotrader)."""
    lines = (captures / "binance/samples-gocryptotrader/rest-public.jsonl").read_bytes()
    for line in lines.splitlines():
        rows = orjson.loads(line)
        if isinstance(rows, list) and len(rows) == 1000 and isinstance(rows[0], list):
            return [Ohlcv(row[0] * 1000, *map(float, (*row[1:6], row[7], row[9]))) for row in rows]
    raise AssertionError("expected 1000 klines in one answer, was none")


@pytest.fixture
def bars(request: pytest.FixtureRequest) -> list[Ohlcv]:
    """Return a series by its name."""
    if request.param == "recorded":
        found: list[Ohlcv] = request.getfixturevalue("recorded")
        return found
    return SERIES[request.param]


each_series = pytest.mark.parametrize(
    ("bars", "series"),
    [(name, name) for name in SERIES]
    + [pytest.param("recorded", "recorded", marks=pytest.mark.captures)],
    indirect=["bars"],
    ids=[*SERIES, "recorded"],
)


@pytest.fixture(autouse=True)
def digits() -> Iterator[None]:
    """Let decimals have 60 digits."""
    with localcontext() as context:
        context.prec = 60
        yield


def test_every_indicator_has_oracles_of_its_own() -> None:
    assert {name: {name} for name in bar_indicators()} == {
        name: {oracle.choice.partition(":")[0] for oracle in oracles}
        for name, oracles in FOUND.items()
    }


@each_series
@pytest.mark.parametrize("choice", ORACLES)
def test_agrees_with_its_reference(choice: str, bars: list[Ohlcv], series: str) -> None:
    oracle, indicator = ORACLES[choice], parse_choice(choice).create()
    if series in oracle.ill_conditioned:
        given = [value for bar in bars for value in indicator.update(bar).values()]
        assert all(value is None or math.isfinite(value) for value in given)
        return
    for i, (bar, expected) in enumerate(zip(bars, oracle.reference(bars), strict=True)):
        got = indicator.update(bar)
        assert tuple(got) == indicator.outputs == tuple(expected)
        for name, value in got.items():
            wanted = expected[name]
            assert (wanted is None) == (value is None), f"{series} {name} at {i}: {wanted} {value}"
            if wanted is None or value is None:
                continue
            exact = decimal_of(wanted)
            allowed = oracle.allowed(bars, i, indicator.bars_needed, exact)
            assert abs(Decimal(value) - exact) <= allowed, (
                f"{series} {name} at {i}: expected {float(exact)!r}, was {value!r}"
            )


@each_series
@pytest.mark.parametrize("choice", WITH_TALIB)
def test_agrees_with_talib_but_where_that_misses_the_reference(
    choice: str, bars: list[Ohlcv], series: str
) -> None:
    if not bars or series in ORACLES[choice].ill_conditioned:
        return
    differences = list(differing(ORACLES[choice], bars))
    assert bool(differences) == (series in ORACLES[choice].talib_differs), differences[:3]


def differing(oracle: Oracle, bars: list[Ohlcv]) -> Iterator[str]:
    """Return where values differ from TA-Lib's by more than the bound."""
    assert oracle.talib is not None
    theirs = oracle.talib(Columns(bars))
    indicator = parse_choice(oracle.choice).create()
    for i, bar in enumerate(bars):
        got = indicator.update(bar)
        for name, values in theirs.items():
            if i < oracle.talib_from or np.isnan(values[i]):
                continue
            value, expected = got[name], Decimal(float(values[i]))
            if value is None or abs(Decimal(value) - expected) > oracle.allowed(
                bars, i, indicator.bars_needed, expected
            ):
                yield f"{name} at {i}: TA-Lib {float(expected)!r}, ours {value!r}"
