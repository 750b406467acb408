"""Symbols found in messages, however an exchange writes them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from collector_core.symbols import split
from collector_testkit.dialects.sleepers import Sleepers

SYMBOLS = ("BTC/USDT", "ETH/USDT", "BTC/KRW", "1INCH/KRW")


def dashed(symbol: str) -> str:
    return "-".join(split(symbol))


def reversed_(symbol: str) -> str:
    base, quote = split(symbol)
    return f"{quote}-{base}"


def joined(symbol: str) -> str:
    return "".join(split(symbol))


@pytest.mark.parametrize(
    ("to_venue", "text", "expected"),
    [
        (joined, '{"params":["ethusdt@trade","btcusdt@kline_1m"]}', ["ETH/USDT", "BTC/USDT"]),
        (joined, "/ws/btcusdt@depth@100ms/xrpusdt@trade", ["BTC/USDT"]),
        (joined, '{"op":"subscribe","args":["orderbook.50.BTCUSDT"]}', ["BTC/USDT"]),
        (reversed_, '[{"type":"orderbook","codes":["KRW-BTC.15","KRW-1INCH"]}]',
         ["BTC/KRW", "1INCH/KRW"]),
        (dashed, '{"args":[{"channel":"books","instId":"ETH-USDT"}]}', ["ETH/USDT"]),
        (str, '{"symbol":["BTC/USDT","BTC/EUR"]}', ["BTC/USDT"]),
        (dashed, '{"topic":{"quote_currency":"KRW","target_currency":"BTC"}}', ["BTC/KRW"]),
        (dashed, '{"method":"ping"}', []),
        (dashed, '{"a":"BTC"}', []),
    ],
)  # fmt: skip
def test_a_message_names_symbols(
    to_venue: Callable[[str], str], text: str, expected: list[str]
) -> None:
    sleepers = Sleepers(to_venue)
    for symbol in SYMBOLS:
        sleepers.add(symbol)
    assert sleepers.named(text) == expected


def test_a_symbol_that_was_discarded_is_found_no_more() -> None:
    sleepers = Sleepers(joined)
    sleepers.add("BTC/USDT")
    sleepers.discard("ETH/USDT")
    sleepers.discard("BTC/USDT")
    assert sleepers.named("btcusdt") == []
    sleepers.add("ETH/USDT")
    assert sleepers.named("btcusdt BTC USDT") == []
