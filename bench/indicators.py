"""The indicator engine: CPU time of an update, beside the same one of peers on the same bars."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from math import isclose
from typing import Final

from bench.environments import Missing, python_of
from bench.figures import Figure, ratio
from bench.indicator_peers import CHOSEN, PEERS, Measured, Peer
from bench.machine import load
from bench.processes import Failed

from collector_core.events import Candle
from collector_indicators.discovery import bar_indicators
from collector_indicators.engine import compute
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.selection import Choice, parse_choice

__all__ = ["UPDATE", "run"]

UPDATE: Final = "CPU µs/update"
_OURS: Final = "ours"
_TOGETHER: Final = ("rsi", "macd", "bollinger", "vwap")
"""What the service computes by default."""
_SUMMED: Final = ("rsi", "macd", "bollinger", "ema")
_MIDNIGHT: Final = 1_795_305_600_000_000
_SECOND: Final = 1_000_000


def run(runs: int, *, quick: bool, say: Callable[[str], None]) -> list[Figure]:
    """Return figures of each indicator that a peer has too, ours and theirs, and of the engine."""
    bars = _bars(4_000 if quick else 20_000)
    chosen = {
        name: parse_choice(f"{name}:{CHOSEN[name]}".rstrip(":"))
        for name in bar_indicators()
        if name in CHOSEN
    }
    ours = {name: Figure("indicators", f"{name}, {_OURS}", UPDATE) for name in chosen}
    besides = [_Beside(peer, [n for n in peer.numbers if n in chosen]) for peer in PEERS]
    together = [chosen[name] for name in _TOGETHER]
    whole = Figure("indicators", f"engine, {' '.join(map(str, together))}", "CPU µs/candle")
    whole.note = "candle to indicator rows, all of them"
    for number in range(runs):
        say(f"run {number + 1} of {runs}: indicators")
        at = load()
        mine = {name: _update(choice, bars) for name, choice in chosen.items()}
        _note(ours, mine, at)
        whole.values.append(_engine(together, bars))
        whole.load = max(whole.load, at)
        for beside in besides:
            beside.measure(bars, mine, at)
    return [*_ordered(ours, besides), whole]


class _Beside:
    """A peer with its figures."""

    def __init__(self, peer: Peer, names: list[str]) -> None:
        self.peer = peer
        self.names = names
        self.figures = {
            name: Figure("indicators", f"{name}, {peer.label}", UPDATE) for name in names
        }
        self._python = ""
        try:
            self._python = python_of(peer.environment, install=True)
        except Missing as reason:
            self._fail(str(reason))

    def measure(self, bars: list[Ohlcv], mine: Measured, at: float) -> None:
        """Take a run, if it can be had."""
        if not self._python:
            return
        try:
            found = self.peer.measure(self._python, self.names, bars)
        except Failed as error:
            self._fail(str(error))
        else:
            _note(self.figures, found, at)
            _compare(self.figures, mine, found)

    def _fail(self, reason: str) -> None:
        for figure in self.figures.values():
            figure.failure = reason


def _ordered(ours: dict[str, Figure], besides: list[_Beside]) -> list[Figure]:
    found = []
    for name, mine in ours.items():
        found.append(mine)
        for beside in besides:
            if name in beside.figures:
                ratio(beside.figures[name], mine)
                found.append(beside.figures[name])
    names = [name for name in _SUMMED if name in ours]
    total = ", ".join(names)
    mine = _sum(f"sum of {total}, {_OURS}", [ours[name] for name in names])
    found.append(mine)
    for beside in besides:
        parts = [beside.figures[name] for name in names]
        theirs = _sum(f"sum of {total}, {beside.peer.label}", parts)
        ratio(theirs, mine)
        found.append(theirs)
    return found


def _sum(label: str, parts: list[Figure]) -> Figure:
    values = [sum(run) for run in zip(*(part.values for part in parts), strict=True)]
    failure = next((part.failure for part in parts if part.failure), "")
    at = max(part.load for part in parts)
    return Figure("indicators", label, UPDATE, values, at, failure=failure)


def _note(figures: dict[str, Figure], measured: Measured, at: float) -> None:
    for name, (microseconds, _) in measured.items():
        figures[name].values.append(microseconds)
        figures[name].load = max(figures[name].load, at)


def _compare(figures: dict[str, Figure], mine: Measured, peer: Measured) -> None:
    for name, (_, theirs) in peer.items():
        # ours may have more parts, as the lines beside the ADX, or fewer
        few, many = sorted((mine[name][1], theirs), key=len)
        same = bool(few) and all(
            any(isclose(a, b, rel_tol=1e-6, abs_tol=1e-6) for b in many) for a in few
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
