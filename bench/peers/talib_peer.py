"""TA-Lib's streams over bars that are read from standard input; figures to standard output.

From 0.8.1 on ``talib.stream.RSI`` is a handle in C that keeps its state; before, it was a function
of the whole array that computed the last value from as many rows as it looks back over. Either is
called for each bar. Input and output as ``talipp_peer``.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from talib import stream

COLUMNS = ("open", "high", "low", "close", "volume")
HLC = ("high", "low", "close")
OF = {
    "adl": ("AD", (*HLC, "volume")),
    "adx": ("ADX", HLC),
    "aroon": ("AROON", ("high", "low")),
    "atr": ("ATR", HLC),
    "bollinger": ("BBANDS", ("close",)),
    "cci": ("CCI", HLC),
    "cmo": ("CMO", ("close",)),
    "dema": ("DEMA", ("close",)),
    "ema": ("EMA", ("close",)),
    "kama": ("KAMA", ("close",)),
    "macd": ("MACD", ("close",)),
    "mfi": ("MFI", (*HLC, "volume")),
    "momentum": ("MOM", ("close",)),
    "obv": ("OBV", ("close", "volume")),
    "parabolic_sar": ("SAR", ("high", "low")),
    "roc": ("ROC", ("close",)),
    "rsi": ("RSI", ("close",)),
    "sma": ("SMA", ("close",)),
    "stddev": ("STDDEV", ("close",)),
    "stochastic": ("STOCH", HLC),
    "stochrsi": ("STOCHRSI", ("close",)),
    "tema": ("TEMA", ("close",)),
    "trix": ("TRIX", ("close",)),
    "williams_r": ("WILLR", HLC),
    "wma": ("WMA", ("close",)),
}
"""Function and inputs, by our name."""
HISTORY = 200
"""Bars on which a handle is opened, or before which a function is not called; not timed."""


def handle(kind: Callable[..., Any], inputs: list[Any], numbers: list[float]) -> tuple[float, Any]:
    """Return CPU seconds and last value of a handle that is given bar after bar."""
    update = kind(*(column[:HISTORY] for column in inputs), *numbers).update
    bars = list(zip(*(column[HISTORY:].tolist() for column in inputs), strict=True))
    last = None
    began = time.process_time()
    for bar in bars:
        last = update(*bar)
    return time.process_time() - began, last


def function(
    kind: Callable[..., Any], inputs: list[Any], numbers: list[float]
) -> tuple[float, Any]:
    """Return CPU seconds and last value of a function that is given the rows up to each bar."""
    last = None
    began = time.process_time()
    if len(inputs) == 1:
        [column] = inputs
        for end in range(HISTORY + 1, len(column) + 1):
            last = kind(column[:end], *numbers)
    else:
        for end in range(HISTORY + 1, len(inputs[0]) + 1):
            last = kind(*[column[:end] for column in inputs], *numbers)
    return time.process_time() - began, last


def main() -> None:
    """Time each indicator on its own, bar by bar, as a live system feeds it."""
    order = json.loads(sys.stdin.readline())
    table = np.array(order["bars"], dtype=float)
    columns = {name: np.ascontiguousarray(table[:, number]) for number, name in enumerate(COLUMNS)}
    found = {}
    for name, numbers in order["indicators"].items():
        spelling, names = OF[name]
        kind = getattr(stream, spelling)
        measure = handle if isinstance(kind, type) else function
        spent, last = measure(kind, [columns[column] for column in names], numbers)
        values = [float(value) for value in (last if isinstance(last, tuple) else (last,))]
        found[name] = [spent / (len(table) - HISTORY) * 1e6, values]
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
