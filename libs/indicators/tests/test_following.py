from __future__ import annotations

import pytest

from collector_core.errors import SettingsError
from collector_indicators.following import Following


@pytest.mark.parametrize(
    ("patterns", "exchange", "symbol", "expected"),
    [
        (["*:*"], "upbit", "BTC/KRW", True),
        (["binance:*/USDT"], "binance", "BTC/USDT", True),
        (["binance:*/USDT"], "binance", "BTC/EUR", False),
        (["binance:*/USDT"], "upbit", "BTC/USDT", False),
        (["binance:BTC/*", "upbit:*"], "upbit", "XRP/KRW", True),
        (["*:?TC/USDT"], "binance", "LTC/USDT", True),
        (["*:btc/usdt"], "binance", "BTC/USDT", False),
    ],
)
def test_a_stream_fits_a_pattern(
    patterns: list[str], exchange: str, symbol: str, *, expected: bool
) -> None:
    assert expected == Following(patterns).wants(exchange, symbol)


@pytest.mark.parametrize("pattern", ["binance", ":BTC/USDT", "binance:", ""])
def test_a_pattern_has_two_parts(pattern: str) -> None:
    with pytest.raises(SettingsError, match="expected exchange:symbol"):
        Following([pattern])
