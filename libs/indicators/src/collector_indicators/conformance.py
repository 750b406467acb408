"""The rules that every indicator keeps, whoever wrote it; ``collector indicators check`` asks them.

Bars come from a fixed sequence, so the same code gets the same answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from math import isfinite
from typing import Final

import msgspec

from collector_core.errors import StateError
from collector_indicators.book_conformance import book_violations
from collector_indicators.book_indicator import BookIndicator
from collector_indicators.discovery import AnyIndicator, AnyKind
from collector_indicators.form import form, said
from collector_indicators.indicator import Values
from collector_indicators.ohlcv import Ohlcv

__all__ = ["SERIES", "violations"]

_ATTRIBUTES: Final = ("name", "outputs", "parameters_type", "state_type")
_BARS: Final = 160
_LONG: Final = 1_500
_MINUTE: Final = 60_000_000


def _numbers(seed: int) -> Iterator[float]:
    """Return numbers between 0 and 1: Knuth's linear congruential sequence (MMIX)."""
    while True:
        seed = (seed * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        yield (seed >> 11) / (1 << 53)


def _bars(scale: float, step: float, *, wide: bool = True, volume: float = 10.0) -> list[Ohlcv]:
    draw, close, bars = _numbers(7), scale, []
    for i in range(_BARS):
        first = close if wide else close + (next(draw) - 0.5) * step
        close = max(first + (next(draw) - 0.5) * step, scale * 1e-3) if wide else first
        high = max(first, close) + (next(draw) * step if wide else 0.0)
        low = min(first, close) - (next(draw) * step * 0.1 if wide else 0.0)
        amount = 0.0 if i % 7 == 3 else next(draw) * volume
        quote = None if i % 5 == 2 else amount * close
        bought = None if i % 11 == 5 else amount * next(draw)
        bars.append(
            Ohlcv(i * 400 * _MINUTE, first, high, low, close, amount, quote, buy_volume=bought)
        )
    return bars


SERIES: Final[Mapping[str, list[Ohlcv]]] = {
    "a random walk": _bars(50_000.0, 300.0),
    "a flat price": _bars(7.3, 0.0),
    "a price of zero": _bars(0.0, 0.0),
    "high equal to low": _bars(3_000.0, 20.0, wide=False),
    "no volume": _bars(3_000.0, 20.0, volume=0.0),
    "huge numbers": _bars(1e90, 1e89, volume=1e90),
    "tiny numbers": _bars(1e-90, 1e-91, volume=1e-90),
    "one row": _bars(42.0, 1.0)[:1],
}
"""Bars over which the rules are asked, by what they are."""


def violations(kind: AnyKind) -> list[str]:
    """Return a sentence for each rule of the contract that an indicator breaks.

    Args:
        kind: the indicator, tried with its defaults.
    """
    if issubclass(kind, BookIndicator):
        return book_violations(kind)
    found = [*form(kind, _ATTRIBUTES)] or [*_bars_needed(kind)]
    if found:
        return found
    for name, bars in SERIES.items():
        for rule in (_values, _states):
            try:
                found += [f"over {name}: {broken}" for broken in islice(rule(kind, bars), 1)]
            except Exception as error:  # noqa: BLE001  # a user's code may raise anything
                found.append(f"over {name}: expected no error, was {said(error)}")
    try:
        found += islice(_bounds(kind), 1)
    except Exception as error:  # noqa: BLE001  # as above
        found.append(f"over many bars: expected no error, was {said(error)}")
    return found


def _bars_needed(kind: type[AnyIndicator]) -> Iterator[str]:
    try:
        needed = kind.create().bars_needed
        if needed < 1:
            yield f"expected bars_needed to be at least 1, was {needed}"
    except Exception as error:  # noqa: BLE001  # as below
        yield f"expected to be made with its defaults, was {said(error)}"


def _values(kind: type[AnyIndicator], bars: list[Ohlcv]) -> Iterator[str]:
    indicator = kind.create()
    for i, bar in enumerate(bars):
        before = indicator.state()
        peeked, warm = indicator.peek(bar), indicator.warm(bar, i + 1)
        if before != indicator.state():
            yield f"expected peek to change nothing, was another state at bar {i}"
        values = indicator.update(bar)
        if tuple(values) != kind.outputs:
            yield f"expected outputs {kind.outputs}, was {tuple(values)} at bar {i}"
        if _bits(peeked) != _bits(values):
            yield f"expected update to give what peek gave, {peeked}, was {values} at bar {i}"
        for name, value in values.items():
            if value is not None and not isfinite(value):
                yield f"expected {name} to be finite or None, was {value} at bar {i}"
            if value is None and warm and bar.volume and bar.close:
                yield f"expected {name} where it says that it is warm, was None at bar {i}"


def _states(kind: type[AnyIndicator], bars: list[Ohlcv]) -> Iterator[str]:
    whole = kind.create()
    expected = [_bits(whole.update(bar)) for bar in bars]
    for cut in sorted({0, 1, len(bars) // 3, len(bars) - 1}):
        one = kind.create()
        for bar in bars[:cut]:
            one.update(bar)
        two, state = one.copy(), one.state()
        if two.state() != state:
            yield f"expected the same state after a restore, was another at bar {cut}"
        continued = [_bits(two.update(bar)) for bar in bars[cut:]]
        if one.state() != state:
            yield f"expected a copy to go its own way, was a change at bar {cut}"
        if continued != expected[cut:]:
            yield f"expected a restore at bar {cut} to change no value, was another"
    for wrong in (b"", b"\xc1", whole.state()[:-1]):
        try:
            kind.create().restore(wrong)
        except StateError:
            continue
        yield f"expected StateError for a state of {wrong!r}, was taken"


def _bounds(kind: type[AnyIndicator]) -> Iterator[str]:
    indicator, walk = kind.create(), SERIES["a random walk"]
    needed = indicator.bars_needed
    sizes = []
    for i in range(2 * max(_LONG, 2 * needed)):
        bar = walk[i % _BARS]
        indicator.update(msgspec.structs.replace(bar, open_time=i * _MINUTE))
        if i + 1 in {max(_LONG, 2 * needed), 2 * max(_LONG, 2 * needed)}:
            sizes.append(len(indicator.state()))
    if sizes[1] > 1.5 * sizes[0] + 1_000:
        yield f"expected a state of bounded size, was {sizes[0]} bytes and later {sizes[1]}"


def _bits(values: Values) -> list[str | None]:
    return [None if value is None else value.hex() for value in values.values()]
