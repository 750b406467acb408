"""The indicator engine: CPU time of an update, beside talipp's same indicator on the same bars."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from math import isclose
from pathlib import Path
from typing import Final

from bench.environments import Missing, python_of
from bench.figures import Figure, ratio
from bench.machine import load
from bench.processes import Failed, Program

from collector_core.events import Candle
from collector_indicators.discovery import indicators
from collector_indicators.engine import compute
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.selection import Choice, parse_choice

__all__ = ["UPDATE", "run"]

UPDATE: Final = "CPU µs/update"
_OURS: Final = "ours"
_CHOSEN: Final[Mapping[str, tuple[str, tuple[float, ...]]]] = {
    "rsi": ("14", (14,)),
    "macd": ("12:26:9", (12, 26, 9)),
    "bollinger": ("20:2", (20, 2)),
    "ema": ("20", (20,)),
    "vwap": ("", ()),
}
"""Indicators that talipp has, with our parameters and its own."""
_SUMMED: Final = ("rsi", "macd", "bollinger", "ema")
_MIDNIGHT: Final = 1_795_305_600_000_000
_SECOND: Final = 1_000_000
_PEER: Final = Path(__file__).parent / "peers" / "talipp_peer.py"
_TIMEOUT: Final = 120.0

_Measured = dict[str, tuple[float, list[float]]]


def run(runs: int, *, quick: bool, say: Callable[[str], None]) -> list[Figure]:
    """Return figures of each indicator that we have, ours and talipp's, and of the engine."""
    bars = _bars(4_000 if quick else 20_000)
    chosen = {
        name: parse_choice(f"{name}:{_CHOSEN[name][0]}".rstrip(":"))
        for name in indicators()
        if name in _CHOSEN
    }
    python, failure = "", ""
    try:
        python = python_of("talipp", install=True)
    except Missing as reason:
        failure = str(reason)
    ours = {name: Figure("indicators", f"{name}, {_OURS}", UPDATE) for name in chosen}
    theirs = {name: Figure("indicators", f"{name}, talipp", UPDATE) for name in chosen}
    whole = Figure("indicators", f"engine, {' '.join(map(str, chosen.values()))}", "CPU µs/candle")
    whole.note = "candle to indicator rows, all of them"
    for number in range(runs):
        say(f"run {number + 1} of {runs}: indicators")
        at = load()
        mine = {name: _update(choice, bars) for name, choice in chosen.items()}
        _note(ours, mine, at)
        whole.values.append(_engine(list(chosen.values()), bars))
        whole.load = max(whole.load, at)
        if not failure:
            try:
                peer = _talipp(python, chosen, bars)
            except Failed as error:
                failure = str(error)
            else:
                _note(theirs, peer, at)
                _compare(theirs, mine, peer)
    for figure in theirs.values():
        figure.failure = failure
    return _ordered(ours, theirs, whole)


def _ordered(ours: dict[str, Figure], theirs: dict[str, Figure], whole: Figure) -> list[Figure]:
    names = [name for name in _SUMMED if name in ours]
    sums = [
        _sum(f"sum of {', '.join(names)}, {label}", [figures[name] for name in names])
        for label, figures in ((_OURS, ours), ("talipp", theirs))
    ]
    pairs = [*((ours[name], theirs[name]) for name in ours), (sums[0], sums[1])]
    for mine, peer in pairs:
        ratio(peer, mine)
    return [figure for pair in pairs for figure in pair] + [whole]


def _sum(label: str, parts: list[Figure]) -> Figure:
    values = [sum(run) for run in zip(*(part.values for part in parts), strict=True)]
    failure = next((part.failure for part in parts if part.failure), "")
    at = max(part.load for part in parts)
    return Figure("indicators", label, UPDATE, values, at, failure=failure)


def _note(figures: dict[str, Figure], measured: _Measured, at: float) -> None:
    for name, (microseconds, _) in measured.items():
        figures[name].values.append(microseconds)
        figures[name].load = max(figures[name].load, at)


def _compare(figures: dict[str, Figure], mine: _Measured, peer: _Measured) -> None:
    for name, (_, theirs) in peer.items():
        ours = mine[name][1]
        same = len(ours) == len(theirs) and all(
            any(isclose(a, b, rel_tol=1e-6, abs_tol=1e-6) for b in theirs) for a in ours
        )
        figures[name].note = "same last values" if same else "other last values than ours"


def _bars(count: int) -> list[Ohlcv]:
    """Return bars of one second, all of one day, of a price that wanders."""
    generator = random.Random(7)
    bars, close = [], 60_000.0
    for number in range(count):
        opened, close = close, round(max(1.0, close + generator.gauss(0, 5)), 2)
        high = round(max(opened, close) + generator.random(), 2)
        low = round(min(opened, close) - generator.random(), 2)
        volume = round(generator.expovariate(1.0) + 1e-5, 5)
        bars.append(Ohlcv(_MIDNIGHT + number * _SECOND, opened, high, low, close, volume))
    return bars


def _update(choice: Choice, bars: list[Ohlcv]) -> tuple[float, list[float]]:
    indicator = choice.create()
    update = indicator.update
    began = time.process_time()
    for bar in bars:
        last = update(bar)
    spent = time.process_time() - began
    return spent / len(bars) * 1e6, [value for value in last.values() if value is not None]


def _engine(chosen: list[Choice], bars: list[Ohlcv]) -> float:
    candles = [
        Candle(
            exchange="bench", symbol="BTC/USDT", exchange_time=bar.open_time + _SECOND,
            receive_time=bar.open_time + _SECOND, epoch=1, seq=number, interval="1s",
            open_time=bar.open_time, close_time=bar.open_time + _SECOND, open=str(bar.open),
            high=str(bar.high), low=str(bar.low), close=str(bar.close), volume=str(bar.volume),
            quote_volume=None, trade_count=None, closed=True,
        )
        for number, bar in enumerate(bars, 1)
    ]  # fmt: skip
    began = time.process_time()
    rows = sum(1 for _ in compute(candles, chosen))
    spent = time.process_time() - began
    if rows != len(bars) * len(chosen):
        raise Failed(f"expected {len(bars) * len(chosen)} indicator rows, was {rows}")
    return spent / len(bars) * 1e6


def _talipp(python: str, chosen: Mapping[str, Choice], bars: list[Ohlcv]) -> _Measured:
    order = {
        "indicators": {name: _CHOSEN[name][1] for name in chosen},
        "bars": [(bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in bars],
    }
    with Program("talipp", [python, str(_PEER)]) as program:
        program.tell(json.dumps(order))
        found = json.loads(program.line(_TIMEOUT))
    return {name: (microseconds, last) for name, (microseconds, last) in found.items()}
