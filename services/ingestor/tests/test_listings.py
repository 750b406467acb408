"""What changes between two answers of an exchange."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from collector_core.errors import FrameError
from collector_core.events import Instrument, stamp
from collector_ingestor.listings import Listings


def instrument(symbol: str, **fields: object) -> Instrument:
    base, _, quote = symbol.partition("/")
    made = Instrument(
        "binance", symbol, None, 1_000, 0, 0, base + quote, base, quote, "0.01", "0.1", "1", "5",
        "trading",
    )  # fmt: skip
    return replace(made, **fields)


BTC, ETH, SOL = (instrument(f"{base}/USDT") for base in ("BTC", "ETH", "SOL"))


def told(changes: list[Instrument]) -> list[tuple[str, str]]:
    return [(change.symbol, change.state) for change in changes]


def test_everything_is_new_at_first_and_nothing_later() -> None:
    listings = Listings()
    assert told(listings.update([BTC, ETH])) == [("BTC/USDT", "trading"), ("ETH/USDT", "trading")]
    # times and the publisher's stamps are no change
    stamp(listings.instruments["BTC/USDT"], 7, 8)
    assert listings.update([replace(ETH, receive_time=2_000), instrument("BTC/USDT")]) == []
    assert listings.table.to_venue("BTC/USDT") == "BTCUSDT"


def test_new_and_changed_ones_are_told() -> None:
    listings = Listings()
    listings.update([BTC, ETH])
    finer = replace(BTC, price_tick="0.001")
    halted = replace(ETH, state="halted")
    assert listings.update([finer, halted, SOL]) == [finer, halted, SOL]
    assert list(listings.instruments) == ["BTC/USDT", "ETH/USDT", "SOL/USDT"]
    assert listings.instruments["BTC/USDT"].price_tick == "0.001"


def test_what_two_answers_lack_is_delisted() -> None:
    listings = Listings()
    listings.update([BTC, ETH])
    assert listings.update([BTC]) == []
    assert "ETH/USDT" in listings.instruments
    later = replace(BTC, receive_time=9_000)
    assert listings.update([later]) == [replace(ETH, state="delisted", receive_time=9_000)]
    assert list(listings.instruments) == ["BTC/USDT"]
    # and comes again
    assert told(listings.update([BTC, ETH])) == [("ETH/USDT", "trading")]


def test_what_one_answer_forgot_goes_on() -> None:
    listings = Listings()
    listings.update([BTC, ETH])
    for answer in ([BTC], [BTC, ETH], [BTC], [BTC, ETH]):
        assert listings.update(answer) == []
    assert list(listings.instruments) == ["BTC/USDT", "ETH/USDT"]


def test_what_the_exchange_calls_delisted_is_so_at_once() -> None:
    listings = Listings()
    gone = replace(ETH, state="delisted")
    assert told(listings.update([BTC, gone])) == [("BTC/USDT", "trading")]
    listings.update([BTC, ETH])
    assert listings.update([BTC, gone]) == [gone]
    assert listings.update([BTC, gone]) == []
    assert list(listings.instruments) == ["BTC/USDT"]


def test_an_empty_answer_delists_nothing() -> None:
    listings = Listings()
    listings.update([BTC])
    with pytest.raises(FrameError, match="expected a list of instruments, was empty"):
        listings.update([])
    assert list(listings.instruments) == ["BTC/USDT"]


def test_two_instruments_of_one_name() -> None:
    listings = Listings()
    other = replace(BTC, venue_symbol="XBTUSDT")
    assert told(listings.update([BTC, other])) == [("BTC/USDT", "trading")]
    assert listings.update([other, BTC]) == []
    assert list(listings.refused) == ["XBTUSDT"]
    assert listings.instruments["BTC/USDT"].venue_symbol == "BTCUSDT"
