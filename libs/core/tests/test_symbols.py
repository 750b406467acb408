"""Symbols in both spellings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector_core.errors import SymbolError
from collector_core.symbols import SymbolTable, join, split, split_concatenated

codes = st.text(
    st.characters(categories=["L", "N", "P", "S"], exclude_characters="/|"), min_size=1, max_size=6
)


@given(codes, codes)
def test_split_undoes_join(base: str, quote: str) -> None:
    symbol = join(base, quote)
    assert join(*split(symbol)) == symbol


@given(codes, codes)
def test_upper_case_is_ascii_only(base: str, quote: str) -> None:
    left, right = split(join(base, quote))
    for code, written in ((base, left), (quote, right)):
        assert len(written) == len(code)
        assert all(
            there == (here.upper() if here.isascii() else here)
            for here, there in zip(code, written, strict=True)
        )


def test_letters_outside_ascii_do_not_become_another_currency() -> None:
    dotless = "\N{LATIN SMALL LETTER DOTLESS I}"
    assert join(dotless + "nj", "usdt") == f"{dotless}NJ/USDT"
    assert join("inj", "usdt") == "INJ/USDT"


@pytest.mark.parametrize(
    "code", ["", " ", "A B", "A/B", "A|B", "A\n", "\x00", "\u200b", "\ud800", "A\u00a0"]
)
def test_a_code_that_would_break_keys_is_refused(code: str) -> None:
    with pytest.raises(SymbolError, match="expected a currency code"):
        join(code, "USDT")
    with pytest.raises(SymbolError, match="expected a currency code"):
        join("BTC", code)


@pytest.mark.parametrize(
    "symbol", ["", "BTC", "BTC/", "/USDT", "/", "btc/usdt", "BTC/USDT/X", "A//B"]
)
def test_what_is_not_our_spelling_is_refused(symbol: str) -> None:
    with pytest.raises(SymbolError, match="expected"):
        split(symbol)


@pytest.mark.parametrize(
    ("venue_symbol", "symbol"),
    [
        ("BTCUSDT", "BTC/USDT"),
        ("btcusdt", "BTC/USDT"),
        ("ETHBTC", "ETH/BTC"),
        # USDSB is longer than SB would be: the longest quote wins
        ("BNBUSDSB", "BNB/USDSB"),
        ("USDTUSD", "USDT/USD"),
    ],
)
def test_the_longest_quote_cuts(venue_symbol: str, symbol: str) -> None:
    assert split_concatenated(venue_symbol, ("USDT", "USD", "BTC", "SB", "USDSB")) == symbol


@pytest.mark.parametrize("venue_symbol", ["", "USDT", "BTCXYZ"])
def test_a_symbol_without_a_known_quote_is_refused(venue_symbol: str) -> None:
    with pytest.raises(SymbolError, match="one of USDT, BTC"):
        split_concatenated(venue_symbol, ("USDT", "BTC"))


def test_the_table_maps_both_ways() -> None:
    table = SymbolTable([("BTC/KRW", "KRW-BTC"), ("ETH/KRW", "KRW-ETH")])
    assert table.to_venue("BTC/KRW") == "KRW-BTC"
    assert table.from_venue("KRW-ETH") == "ETH/KRW"
    assert "BTC/KRW" in table
    assert "KRW-BTC" not in table
    assert list(table) == ["BTC/KRW", "ETH/KRW"]
    assert len(table) == 2


def test_the_table_takes_the_same_pair_again_and_no_other() -> None:
    table = SymbolTable([("BTC/KRW", "KRW-BTC")])
    table.add("BTC/KRW", "KRW-BTC")
    for pair in (("BTC/KRW", "KRW-XBT"), ("XBT/KRW", "KRW-BTC")):
        with pytest.raises(SymbolError, match="was known as"):
            table.add(*pair)
    assert table.to_venue("BTC/KRW") == "KRW-BTC"
    assert len(table) == 1


def test_an_unlisted_symbol_is_an_error() -> None:
    table = SymbolTable([("BTC/KRW", "KRW-BTC")])
    with pytest.raises(SymbolError, match="expected a listed symbol, was 'DOGE/KRW'"):
        table.to_venue("DOGE/KRW")
    with pytest.raises(SymbolError, match="expected a known venue symbol, was 'KRW-DOGE'"):
        table.from_venue("KRW-DOGE")


def test_a_fallback_reads_a_symbol_once() -> None:
    asked: list[str] = []

    def read(venue_symbol: str) -> str:
        asked.append(venue_symbol)
        return split_concatenated(venue_symbol, ("USDT",))

    table = SymbolTable(fallback=read)
    assert [table.from_venue("BTCUSDT") for _ in range(3)] == ["BTC/USDT"] * 3
    assert asked == ["BTCUSDT"]
    assert table.to_venue("BTC/USDT") == "BTCUSDT"
