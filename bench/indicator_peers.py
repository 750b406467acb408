"""What computes indicators beside ours, and the parameters with which each is the same as ours."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from bench.processes import Program

from collector_indicators.ohlcv import Ohlcv

__all__ = ["CHOSEN", "PEERS", "Measured", "Peer"]

Measured = dict[str, tuple[float, list[float]]]
"""CPU µs an update and the last values, by indicator."""
Numbers = Mapping[str, tuple[float, ...]]

_TIMEOUT: Final = 120.0
_PEERS: Final = Path(__file__).parent / "peers"

CHOSEN: Final[Mapping[str, str]] = {
    "rsi": "14",
    "macd": "12:26:9",
    "bollinger": "20:2",
    "ema": "20",
    "adl": "",
    "adx": "14",
    "aroon": "25",
    "atr": "14",
    "cci": "20",
    "cmo": "14",
    "dema": "20",
    "donchian": "20",
    "dpo": "20",
    "hma": "20",
    "ichimoku": "9:26:52",
    "kama": "10:2:30",
    "keltner": "20:10:2",
    "mfi": "14",
    "momentum": "10",
    "obv": "",
    "parabolic_sar": "0.02:0.2",
    "roc": "12",
    "sma": "20",
    "stddev": "20",
    "stochastic": "14:1:3",
    "stochrsi": "14:14:3:3",
    "supertrend": "10:3",
    "tema": "20",
    "trix": "15",
    "vwap": "",
    "williams_r": "14",
    "wma": "20",
    "zlema": "20",
}
"""Our parameters of what a peer has too."""
_TALIPP: Final[Numbers] = {
    "rsi": (14,),
    "macd": (12, 26, 9),
    "bollinger": (20, 2),
    "ema": (20,),
    "adl": (),
    "adx": (14, 14),
    "aroon": (25,),
    "atr": (14,),
    "cci": (20,),
    "dema": (20,),
    "donchian": (20,),
    "dpo": (20,),
    "hma": (20,),
    "ichimoku": (26, 9, 26, 52, 26),
    "kama": (10, 2, 30),
    "keltner": (20, 10, 2, 2),
    "obv": (),
    "parabolic_sar": (0.02, 0.02, 0.2),
    "roc": (12,),
    "sma": (20,),
    "stddev": (20,),
    "stochastic": (14, 3),
    "stochrsi": (14, 14, 3, 3),
    "supertrend": (10, 3),
    "tema": (20,),
    "trix": (15,),
    "vwap": (),
    "williams_r": (14,),
    "wma": (20,),
    "zlema": (20,),
}
_TALIB: Final[Numbers] = {
    "rsi": (14,),
    "macd": (12, 26, 9),
    "bollinger": (20, 2, 2),
    "ema": (20,),
    "adl": (),
    "adx": (14,),
    "aroon": (25,),
    "atr": (14,),
    "cci": (20,),
    "cmo": (14,),
    "dema": (20,),
    "kama": (10,),
    "mfi": (14,),
    "momentum": (10,),
    "obv": (),
    "parabolic_sar": (0.02, 0.2),
    "roc": (12,),
    "sma": (20,),
    "stddev": (20, 1),
    "stochastic": (14, 1, 0, 3, 0),
    "stochrsi": (14, 14, 3, 0),
    "tema": (20,),
    "trix": (15,),
    "williams_r": (14,),
    "wma": (20,),
}
# what sums from the first row on is none of a function that looks at the last ones
_FUNCTIONS: Final[Numbers] = {
    name: numbers for name, numbers in _TALIB.items() if name not in {"adl", "obv", "parabolic_sar"}
}


class Peer(NamedTuple):
    """A program that computes indicators."""

    label: str
    environment: str
    script: str
    numbers: Numbers
    """Its parameters, by our indicator."""

    def measure(self, python: str, names: Sequence[str], bars: Sequence[Ohlcv]) -> Measured:
        """Return what it needed for each indicator, and where it ended.

        Raises:
            Failed: it ended, or was silent.
        """
        order = {
            "indicators": {name: self.numbers[name] for name in names},
            "bars": [(bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in bars],
        }
        with Program(self.environment, [python, str(_PEERS / self.script)]) as program:
            program.tell(json.dumps(order))
            found = json.loads(program.line(_TIMEOUT))
        return {name: (microseconds, last) for name, (microseconds, last) in found.items()}


PEERS: Final = (
    Peer("talipp 2.7", "talipp", "talipp_peer.py", _TALIPP),
    Peer("TA-Lib 0.7.1, functions", "talib-functions", "talib_peer.py", _FUNCTIONS),
    Peer("TA-Lib 0.8.2, handles in C", "talib", "talib_peer.py", _TALIB),
)
