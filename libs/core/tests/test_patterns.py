"""Patterns of symbols: what they fit, which of two counts, what is refused."""

from __future__ import annotations

import pytest

from collector_core.errors import SymbolError
from collector_core.patterns import SymbolPattern, is_pattern

SYMBOLS = ["BTC/USDT", "ETH/USDT", "BTC/KRW", "1INCH/USDT", "USDT/USD"]


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("BTC/USDT", ["BTC/USDT"]),
        ("*/USDT", ["BTC/USDT", "ETH/USDT", "1INCH/USDT"]),
        ("BTC/*", ["BTC/USDT", "BTC/KRW"]),
        ("*/*", SYMBOLS),
        ("*/USD", ["USDT/USD"]),
        ("?TC/*", ["BTC/USDT", "BTC/KRW"]),
        ("[BE]*/USDT", ["BTC/USDT", "ETH/USDT"]),
        ("[!B]*/USDT", ["ETH/USDT", "1INCH/USDT"]),
        ("*T/*", ["USDT/USD"]),
    ],
)
def test_what_a_pattern_stands_for(text: str, fits: list[str]) -> None:
    pattern = SymbolPattern(text)
    assert [symbol for symbol in SYMBOLS if pattern.matches(symbol)] == fits
    assert pattern.exact is not is_pattern(text)


def test_the_nearer_one_counts() -> None:
    texts = ["BTC/USDT", "BTC/*", "BTC/[KU]*", "*/USDT", "B*/USDT", "B*/U*", "*/U*", "*/*"]
    ranked = sorted((SymbolPattern(text) for text in texts), key=lambda p: p.rank, reverse=True)
    assert [pattern.text for pattern in ranked] == [
        "BTC/USDT",
        "BTC/[KU]*",
        "BTC/*",
        "B*/USDT",
        "*/USDT",
        "B*/U*",
        "*/U*",
        "*/*",
    ]


@pytest.mark.parametrize(
    "text", ["*", "*USDT", "*/", "/*", "*/usdt", "btc/*", "*/US DT", "*/*/*", "*|x/*"]
)
def test_what_is_no_pattern(text: str) -> None:
    with pytest.raises(SymbolError, match=r"expected a pattern of symbols such as \*/USDT"):
        SymbolPattern(text)


@pytest.mark.parametrize("text", ["BTCUSDT", "btc/USDT", ""])
def test_what_is_no_symbol(text: str) -> None:
    with pytest.raises(SymbolError, match="expected a symbol such as BTC/USDT"):
        SymbolPattern(text)
