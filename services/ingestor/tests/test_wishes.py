"""Settings and rows of the control topic: which of them counts for a symbol."""

from __future__ import annotations

import pytest

from collector_core.errors import SettingsError, SymbolError
from collector_core.records import Control
from collector_feed.outputs import Subscription
from collector_ingestor.wishes import Wishes, streams_of

LISTED = ["BTC/USDT", "ETH/USDT", "BTC/KRW", "SOL/EUR"]


def made(*symbols: str, channels: tuple[str, ...] = ("trade",)) -> Wishes:
    return Wishes(symbols, channels, ("1m",))


def put(wishes: Wishes, symbol: str, *channels: str) -> None:
    wishes.put(symbol, Control("binance", symbol, channels))


def channels(wishes: Wishes) -> dict[str, list[str]]:
    """Return what is wanted of the listed symbols."""
    found = {symbol: sorted(s.channel for s in wishes.of(symbol)) for symbol in LISTED}
    return {symbol: wanted for symbol, wanted in found.items() if wanted}


def test_candles_have_one_stream_for_each_interval() -> None:
    assert streams_of("BTC/USDT", ("trade", "candle"), ("1m", "1h")) == [
        Subscription("trade", "BTC/USDT"),
        Subscription("candle", "BTC/USDT", "1m"),
        Subscription("candle", "BTC/USDT", "1h"),
    ]
    with pytest.raises(SettingsError, match="expected intervals for the candles of BTC/USDT"):
        streams_of("BTC/USDT", ("candle",), ())


def test_a_pattern_of_the_settings() -> None:
    assert channels(made("*/USDT")) == {"BTC/USDT": ["trade"], "ETH/USDT": ["trade"]}
    assert channels(made()) == {}


def test_an_explicit_row_outweighs_a_pattern() -> None:
    wishes = made()
    put(wishes, "BTC/USDT", "book")
    put(wishes, "*/USDT", "ticker")
    assert channels(wishes) == {"BTC/USDT": ["book"], "ETH/USDT": ["ticker"]}
    put(wishes, "ETH/USDT")
    assert channels(wishes) == {"BTC/USDT": ["book"]}
    wishes.put("ETH/USDT", None)
    assert channels(wishes) == {"BTC/USDT": ["book"], "ETH/USDT": ["ticker"]}


def test_the_more_specific_pattern_outweighs_the_less() -> None:
    wishes = made("*/*")
    put(wishes, "*/USDT", "book")
    put(wishes, "BTC/*", "ticker")
    assert channels(wishes) == {
        "BTC/USDT": ["ticker"],
        "BTC/KRW": ["ticker"],
        "ETH/USDT": ["book"],
        "SOL/EUR": ["trade"],
    }
    put(wishes, "*/USDT")
    assert "ETH/USDT" not in channels(wishes)
    put(wishes, "*/*")
    assert channels(wishes) == {"BTC/USDT": ["ticker"], "BTC/KRW": ["ticker"]}


def test_a_row_stands_for_the_settings_of_its_text_alone() -> None:
    wishes = made("BTC/USDT", "*/USDT")
    put(wishes, "*/USDT", "book")
    # the symbol that the settings name keeps what they say
    assert channels(wishes) == {"BTC/USDT": ["trade"], "ETH/USDT": ["book"]}
    put(wishes, "BTC/USDT")
    assert channels(wishes) == {"ETH/USDT": ["book"]}
    wishes.put("BTC/USDT", None)
    wishes.put("*/USDT", None)
    assert channels(wishes) == {"BTC/USDT": ["trade"], "ETH/USDT": ["trade"]}


def test_the_order_of_rows_does_not_matter() -> None:
    rows = [("BTC/*", "ticker"), ("*/USDT", "book"), ("*/*", "trade"), ("ETH/USDT", "candle")]
    first, second = made(), made()
    for symbol, channel in rows:
        put(first, symbol, channel)
    for symbol, channel in reversed(rows):
        put(second, symbol, channel)
    assert channels(first) == channels(second)


def test_intervals_of_a_row_or_else_of_the_settings() -> None:
    wishes = made()
    wishes.put("BTC/*", Control("binance", "BTC/*", ("candle",), ("1h",)))
    put(wishes, "ETH/*", "candle")
    assert wishes.of("BTC/USDT") == {Subscription("candle", "BTC/USDT", "1h")}
    assert wishes.of("ETH/USDT") == {Subscription("candle", "ETH/USDT", "1m")}


def test_symbols_wanted_by_name() -> None:
    wishes = made("BTC/USDT", "*/KRW")
    put(wishes, "NO/SUCH", "trade")
    put(wishes, "ETH/USDT")
    assert wishes.names() == ["BTC/USDT", "NO/SUCH"]
    assert wishes.named("NO/SUCH")
    assert not wishes.named("ETH/USDT")
    assert not wishes.named("BTC/KRW")


def test_patterns_that_match_nothing() -> None:
    wishes = made("*/USDT", "*/XYZ", "NO/SUCH")
    put(wishes, "Q*/*")
    put(wishes, "Z*/*", "trade")
    assert wishes.idle(LISTED) == ["*/XYZ", "Z*/*"]


def test_what_no_row_may_say() -> None:
    wishes = made("BTC/USDT")
    with pytest.raises(SymbolError, match="expected a pattern of symbols"):
        put(wishes, "*", "trade")
    with pytest.raises(SymbolError, match="expected a row of 'BTC/USDT' under its key"):
        wishes.put("BTC/USDT", Control("binance", "ETH/USDT", ("trade",)))
    with pytest.raises(SettingsError, match="expected intervals"):
        Wishes((), ("trade",), ()).put("BTC/*", Control("binance", "BTC/*", ("candle",)))
    assert channels(wishes) == {"BTC/USDT": ["trade"]}
