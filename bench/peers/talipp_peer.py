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

from talipp.indicators import (
    ADX,
    ATR,
    BB,
    CCI,
    DEMA,
    DPO,
    EMA,
    HMA,
    KAMA,
    MACD,
    OBV,
    ROC,
    RSI,
    SMA,
    TEMA,
    TRIX,
    VWAP,
    WMA,
    ZLEMA,
    AccuDist,
    Aroon,
    DonchianChannels,
    Ichimoku,
    KeltnerChannels,
    ParabolicSAR,
    StdDev,
    Stoch,
    StochRSI,
    SuperTrend,
    Williams,
)
from talipp.ohlcv import OHLCV

OF_CLOSES = {
    "bollinger": BB,
    "dema": DEMA,
    "dpo": DPO,
    "ema": EMA,
    "hma": HMA,
    "kama": KAMA,
    "macd": MACD,
    "roc": ROC,
    "rsi": RSI,
    "sma": SMA,
    "stddev": StdDev,
    "stochrsi": StochRSI,
    "tema": TEMA,
    "trix": TRIX,
    "wma": WMA,
    "zlema": ZLEMA,
}
OF_BARS = {
    "adl": AccuDist,
    "adx": ADX,
    "aroon": Aroon,
    "atr": ATR,
    "cci": CCI,
    "donchian": DonchianChannels,
    "ichimoku": Ichimoku,
    "keltner": KeltnerChannels,
    "obv": OBV,
    "parabolic_sar": ParabolicSAR,
    "stochastic": Stoch,
    "supertrend": SuperTrend,
    "vwap": VWAP,
    "williams_r": Williams,
}


def last_values(indicator: Sequence[Any]) -> list[float]:
    """Return the last value's parts as plain numbers."""
    last = indicator[-1]
    parts = vars(last).values() if hasattr(last, "__dict__") else [last]
    return [part for part in parts if isinstance(part, float)]


def main() -> None:
    """Time each indicator on its own, bar by bar, as a live system feeds it."""
    order = json.loads(sys.stdin.readline())
    closes = [bar[3] for bar in order["bars"]]
    whole = [OHLCV(*bar) for bar in order["bars"]]
    found = {}
    for name, numbers in order["indicators"].items():
        kind, inputs = (OF_BARS[name], whole) if name in OF_BARS else (OF_CLOSES[name], closes)
        indicator = kind(*numbers)
        began = time.process_time()
        for value in inputs:
            indicator.add(value)
        spent = time.process_time() - began
        found[name] = [spent / len(inputs) * 1e6, last_values(indicator)]
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
