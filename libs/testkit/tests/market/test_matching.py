"""The matching engine against its three rules, on random orders."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector_core.events import Side
from collector_testkit.market import MatchingEngine

SIDES: st.SearchStrategy[Side] = st.sampled_from(["buy", "sell"])
# (what, side, price or place of an order, amount)
ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["limit", "limit", "limit", "market", "cancel"]),
        SIDES,
        st.integers(1, 25),
        st.integers(1, 12),
    ),
    max_size=120,
)


def other(side: Side) -> Side:
    return "sell" if side == "buy" else "buy"


@given(ACTIONS)
def test_nothing_is_made_or_lost_and_the_book_is_never_crossed(
    actions: list[tuple[str, Side, int, int]],
) -> None:
    engine = MatchingEngine()
    resting: list[int] = []
    placed = filled = dropped = cancelled = 0
    mirror: dict[Side, dict[int, int]] = {"buy": {}, "sell": {}}
    for kind, side, number, amount in actions:
        if kind == "cancel":
            alive = [i for i in resting if engine.order(i) is not None]
            if not alive:
                continue
            order = engine.order(alive[number % len(alive)])
            assert order is not None
            cancelled += order.amount
            outcome = engine.cancel(order.id)
        else:
            placed += amount
            outcome = (
                engine.limit(side, number, amount)
                if kind == "limit"
                else engine.market(side, amount)
            )
            done = sum(fill.amount for fill in outcome.fills)
            # a fill takes as much from the maker as from the taker
            filled += 2 * done
            if kind == "market":
                dropped += amount - done
            if outcome.resting is not None:
                resting.append(outcome.resting)
        for name, changes in (("buy", outcome.bids), ("sell", outcome.asks)):
            levels = mirror["buy" if name == "buy" else "sell"]
            for price, total in changes:
                levels[price] = total
                if not total:
                    del levels[price]
        bid, ask = engine.best_bid(), engine.best_ask()
        assert bid is None or ask is None or bid < ask
    left = sum(total for s in ("buy", "sell") for _, total in engine.levels(s))
    assert placed == filled + dropped + cancelled + left
    # the changes that were told are all there is to know
    assert sorted(mirror["buy"].items(), reverse=True) == engine.levels("buy")
    assert sorted(mirror["sell"].items()) == engine.levels("sell")


@given(ACTIONS, SIDES, st.integers(1, 25), st.integers(1, 60))
def test_best_price_first_then_the_oldest(
    actions: list[tuple[str, Side, int, int]], side: Side, price: int, amount: int
) -> None:
    engine = MatchingEngine()
    for kind, maker_side, number, size in actions:
        if kind == "limit":
            engine.limit(maker_side, number, size)
    makers = [
        order
        for level, _ in engine.levels(other(side))
        if (level <= price if side == "buy" else level >= price)
        for order in engine.queue(other(side), level)
    ]
    expected = []
    left = amount
    for order in makers:
        if left:
            expected.append((order.id, order.price, min(left, order.amount)))
            left -= min(left, order.amount)
    outcome = engine.limit(side, price, amount)
    assert [tuple(fill) for fill in outcome.fills] == expected
    assert (outcome.resting is not None) == (left > 0)


def test_orders_of_one_price_are_filled_in_the_order_of_their_arrival() -> None:
    engine = MatchingEngine()
    first = engine.limit("sell", 10, 5).resting
    second = engine.limit("sell", 10, 5).resting
    better = engine.limit("sell", 9, 1).resting
    outcome = engine.market("buy", 7)
    assert [(f.maker, f.price, f.amount) for f in outcome.fills] == [
        (better, 9, 1),
        (first, 10, 5),
        (second, 10, 1),
    ]
    assert outcome.asks == [(9, 0), (10, 4)]
    assert engine.orders("sell") == 1
    assert engine.total("sell", 10) == 4


def test_a_market_order_without_a_partner_is_gone() -> None:
    engine = MatchingEngine()
    outcome = engine.market("sell", 3)
    assert (outcome.fills, outcome.bids, outcome.asks, outcome.resting) == ([], [], [], None)
    assert engine.levels("sell") == []


def test_wrong_orders_are_refused() -> None:
    engine = MatchingEngine()
    with pytest.raises(ValueError, match="expected an amount of at least one lot, was 0"):
        engine.limit("buy", 5, 0)
    with pytest.raises(ValueError, match="expected a price of at least one tick, was 0"):
        engine.limit("buy", 0, 5)
    with pytest.raises(KeyError):
        engine.cancel(1)
