"""The market as a whole: repeatable, never crossed, and of a sensible shape."""

from __future__ import annotations

import random
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector_core.errors import SymbolError
from collector_testkit.market import BookChange, Listing, Market, MarketEvent, Trade

START = 1_790_000_000_000_000
LISTINGS = (
    Listing("BTC/USDT", "84250.00", "0.01", "0.00001", "0.05", "5.00"),
    Listing("BTC/KRW", "116539000", "1000", "0.00000001", "0.02", "5000"),
    Listing("ETH/BTC", "0.03213000", "0.00000001", "0.00000001", "0.05", "0.00005", orders=24),
)


def market(seed: int = 1, rate: float = 200.0) -> Market:
    return Market(LISTINGS, random.Random(seed), START, rate)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.integers(0, 900_000), max_size=6))
def test_the_same_seed_gives_the_same_events_however_time_is_cut(
    seed: int, cuts: list[int]
) -> None:
    whole = market(seed).advance(START + 1_000_000)
    pieces: list[MarketEvent] = []
    cut = market(seed)
    for time in [*sorted(cuts), 1_000_000]:
        pieces += cut.advance(START + time)
    assert msgspec.json.encode(pieces) == msgspec.json.encode(whole)
    assert whole


def test_another_seed_gives_another_market() -> None:
    one, two = market(1).advance(START + 10**6), market(2).advance(START + 10**6)
    assert msgspec.json.encode(one) != msgspec.json.encode(two)


def test_times_ids_and_update_numbers_have_no_holes() -> None:
    events = market().advance(START + 20_000_000)
    times = [event.time for event in events]
    assert times == sorted(times)
    assert times[0] >= START
    assert times[-1] < START + 20_000_000
    for listing in LISTINGS:
        own = [event for event in events if event.symbol == listing.symbol]
        trades = [event for event in own if isinstance(event, Trade)]
        changes = [event for event in own if isinstance(event, BookChange)]
        assert [trade.id for trade in trades] == list(range(1, len(trades) + 1))
        groups = [trade.group for trade in trades]
        assert set(groups) == set(range(1, groups[-1] + 1))
        assert all(b.first == a.last + 1 for a, b in pairwise(changes))
        assert all(len(c.bids) + len(c.asks) == c.last - c.first + 1 for c in changes)
        milliseconds = [(trade.time // 1000, trade.nth) for trade in trades]
        assert len(set(milliseconds)) == len(milliseconds)


def test_changes_rebuild_the_books_which_are_never_crossed() -> None:
    traded = market()
    books = {
        symbol: {"buy": dict(m.engine.levels("buy")), "sell": dict(m.engine.levels("sell"))}
        for symbol, m in traded.symbols.items()
    }
    for events in traded.steps(START + 20_000_000):
        for event in events:
            if isinstance(event, BookChange):
                book = books[event.symbol]
                for levels, changes in ((book["buy"], event.bids), (book["sell"], event.asks)):
                    for price, total in changes:
                        levels[price] = total
                        if not total:
                            del levels[price]
                assert max(book["buy"], default=0) < min(book["sell"], default=2**62)
    for symbol, own in traded.symbols.items():
        assert dict(own.engine.levels("buy")) == books[symbol]["buy"]
        assert dict(own.engine.levels("sell")) == books[symbol]["sell"]


def test_the_market_has_depth_and_stays_near_its_price() -> None:
    traded = market()
    events = traded.advance(START + 120_000_000)
    trades = [event for event in events if isinstance(event, Trade)]
    for listing in LISTINGS[:2]:
        engine = traded.symbol(listing.symbol).engine
        bid, ask = engine.best_bid(), engine.best_ask()
        assert bid is not None
        assert ask is not None
        assert (ask - bid) / ask < 0.002
        assert len(engine.levels("buy")) > 150
        assert len(engine.levels("sell")) > 150
        prices = [trade.price for trade in trades if trade.symbol == listing.symbol]
        assert max(prices) < listing.price_ticks * 1.05
        assert min(prices) > listing.price_ticks * 0.95
    assert {trade.side for trade in trades} == {"buy", "sell"}


def test_the_rate_is_the_mean_number_of_actions_a_second() -> None:
    traded = market(rate=100.0)
    steps = sum(1 for _ in traded.steps(START + 20_000_000))
    assert 3 * 100 * 20 * 0.9 < steps < 3 * 100 * 20 * 1.1
    traded.set_rate(0)
    assert traded.advance(START + 60_000_000) == []
    traded.set_rate(1000)
    steps = sum(1 for _ in traded.steps(START + 61_000_000))
    assert 3 * 1000 * 0.8 < steps < 3 * 1000 * 1.2


def test_wrong_rates_and_symbols_are_refused() -> None:
    with pytest.raises(ValueError, match="expected a rate of 0 to 1000000 actions a second"):
        market().set_rate(-1)
    with pytest.raises(SymbolError, match="expected a symbol of this market, was 'X/Y'"):
        market().symbol("X/Y")


def test_a_still_symbol_has_a_book_that_does_not_move_until_it_wakes() -> None:
    still = Listing("NEW/USDT", "10", "0.01", "0.1", "5", "1")
    market = Market(LISTINGS, random.Random(3), START, 50.0, still=[still])
    own = market.symbol("NEW/USDT")
    assert "engine" not in vars(own)
    assert own.update == len(own.engine.levels("buy")) + len(own.engine.levels("sell")) > 100
    levels = own.engine.levels("buy")
    alone = Market(LISTINGS, random.Random(3), START, 50.0).advance(START + 2_000_000)
    assert market.advance(START + 2_000_000) == alone
    assert own.engine.levels("buy") == levels
    market.wake("NEW/USDT")
    market.wake("NEW/USDT")
    events = market.advance(START + 4_000_000)
    mine = [event for event in events if event.symbol == "NEW/USDT"]
    assert 60 < len(mine) < 250
    assert own.engine.levels("buy") != levels


def test_what_comes_later_does_not_depend_on_the_order() -> None:
    def books(names: list[str]) -> dict[str, list[tuple[int, int]]]:
        market = Market(LISTINGS, random.Random(3), START, 50.0)
        for name in names:
            market.add(Listing(name, "10", "0.01", "0.1", "5", "1"), still=True)
        return {name: market.symbol(name).engine.levels("buy") for name in sorted(names)}

    assert books(["A/USDT", "B/USDT"]) == books(["B/USDT", "A/USDT"])
    assert len({str(levels) for levels in books(["A/USDT", "B/USDT"]).values()}) == 2


def test_the_rate_changes_for_what_trades() -> None:
    market = Market(LISTINGS, random.Random(3), START, 0.0)
    market.add(Listing("NEW/USDT", "10", "0.01", "0.1", "5", "1"))
    market.add(Listing("OFF/USDT", "10", "0.01", "0.1", "5", "1"), still=True)
    assert market.advance(START + 1_000_000) == []
    market.set_rate(50.0)
    seen = {event.symbol for event in market.advance(START + 3_000_000)}
    assert seen == {*market.trading} == {*market.symbols} - {"OFF/USDT"}
    market.remove("NEW/USDT")
    market.set_rate(50.0)
    seen = {event.symbol for event in market.advance(START + 5_000_000)}
    assert seen == {*market.trading} == {*market.symbols} - {"OFF/USDT"}
