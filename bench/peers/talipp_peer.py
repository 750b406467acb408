"""talipp's indicators over bars that are read from standard input; figures to standard output.

Input: one line of JSON, ``{"indicators": {name: [numbers]}, "bars": [[open, high, low, close,
volume], …]}``. Output: one line, ``{name: [CPU µs an update, [last values]]}``.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

from talipp.indicators import BB, EMA, MACD, RSI, VWAP
from talipp.ohlcv import OHLCV

KINDS = {"rsi": RSI, "macd": MACD, "bollinger": BB, "ema": EMA, "vwap": VWAP}


def last_values(indicator: Sequence[Any]) -> list[float]:
    """Return the last value's parts as plain numbers."""
    last = indicator[-1]
    return [last] if isinstance(last, float) else list(vars(last).values())


def main() -> None:
    """Time each indicator on its own, bar by bar, as a live system feeds it."""
    order = json.loads(sys.stdin.readline())
    closes = [bar[3] for bar in order["bars"]]
    whole = [OHLCV(*bar) for bar in order["bars"]]
    found = {}
    for name, numbers in order["indicators"].items():
        indicator = KINDS[name](*numbers)
        inputs: list[Any] = whole if name == "vwap" else closes
        began = time.process_time()
        for value in inputs:
            indicator.add(value)
        spent = time.process_time() - began
        found[name] = [spent / len(inputs) * 1e6, last_values(indicator)]
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
