"""The order book against a model that is too simple to be wrong."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from collector_core import book as book_module
from collector_core.book import OrderBook
from collector_core.errors import BookError, NumberError
from collector_core.events import Level
from collector_core.numbers import Scale

# few prices, many texts of each: 1.5, 1.50, 1.500 must meet
prices = st.builds(
    lambda units, zeros: f"{units // 10}.{units % 10}" + "0" * zeros,
    st.integers(0, 60),
    st.integers(0, 12),
)
amounts = st.sampled_from(["0", "0.000", "1", "2.5", "0.00000001"])
levels = st.lists(st.tuples(prices, amounts), max_size=12)


class Model:
    """Prices as Decimals in a dict, sorted at each look."""

    def __init__(self) -> None:
        self.sides: tuple[dict[Decimal, Level], dict[Decimal, Level]] = ({}, {})

    def apply(self, bids: list[Level], asks: list[Level]) -> None:
        for side, changes in zip(self.sides, (bids, asks), strict=True):
            for level in changes:
                if Decimal(level[1]):
                    side[Decimal(level[0])] = level
                else:
                    side.pop(Decimal(level[0]), None)

    def depth(self, count: int) -> tuple[list[Level], list[Level]]:
        bids, asks = self.sides
        return (
            [bids[price] for price in sorted(bids, reverse=True)[:count]],
            [asks[price] for price in sorted(asks)[:count]],
        )

    def keep(self, count: int) -> None:
        for side, best in zip(self.sides, (True, False), strict=True):
            for price in sorted(side, reverse=best)[count:]:
                del side[price]


class BookAgainstModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.book = OrderBook(decimals=1)
        self.model = Model()

    @rule(bids=levels, asks=levels)
    def apply(self, bids: list[Level], asks: list[Level]) -> None:
        self.book.apply(bids, asks)
        self.model.apply(bids, asks)

    @rule(bids=levels, asks=levels)
    def replace(self, bids: list[Level], asks: list[Level]) -> None:
        self.book.replace(bids, asks)
        self.model = Model()
        self.model.apply(bids, asks)

    @rule(price=prices)
    def remove_what_may_not_be_there(self, price: str) -> None:
        self.book.apply([(price, "0")], [(price, "0.0")])
        self.model.apply([(price, "0")], [(price, "0.0")])

    @rule(count=st.integers(0, 8))
    def keep(self, count: int) -> None:
        self.book.keep(count)
        self.model.keep(count)

    @rule(count=st.integers(0, 20))
    def look(self, count: int) -> None:
        assert self.book.depth(count) == self.model.depth(count)

    @invariant()
    def best_and_size_are_the_models(self) -> None:
        bids, asks = self.model.depth(1)
        assert self.book.best_bid() == (bids[0] if bids else None)
        assert self.book.best_ask() == (asks[0] if asks else None)
        assert len(self.book) == sum(map(len, self.model.sides))
        crossed = bool(bids and asks) and Decimal(bids[0][0]) >= Decimal(asks[0][0])
        assert self.book.crossed() == crossed


BookAgainstModel.TestCase.settings = settings(max_examples=80, stateful_step_count=25)
TestBookAgainstModel = BookAgainstModel.TestCase


@given(levels, levels)
def test_the_order_of_levels_in_a_snapshot_is_free(bids: list[Level], asks: list[Level]) -> None:
    def last_of_each_price(side: list[Level]) -> list[Level]:
        return list({Decimal(level[0]): level for level in side}.values())

    bids, asks = last_of_each_price(bids), last_of_each_price(asks)
    one, two = OrderBook(), OrderBook()
    one.replace(bids, asks)
    two.replace(bids[::-1], asks[::-1])
    assert one.depth(100) == two.depth(100)


def test_a_level_keeps_the_texts_that_came_last() -> None:
    book = OrderBook()
    book.apply([("1.5", "1")], [])
    book.apply([("1.50", "2.0")], [])
    assert book.best_bid() == ("1.50", "2.0")
    assert len(book) == 1


def test_a_price_with_more_decimals_finds_its_place_among_those_held() -> None:
    book = OrderBook(decimals=0)
    book.apply([("1", "1"), ("3", "1")], [("4", "1")])
    book.apply([("2.000000000000000001", "1")], [("3.5", "1")])
    assert [price for price, _ in book.depth(9)[0]] == ["3", "2.000000000000000001", "1"]
    assert book.best_ask() == ("3.5", "1")


def test_touching_prices_are_a_crossed_book() -> None:
    book = OrderBook()
    book.apply([("2", "1")], [("2.0", "1")])
    assert book.crossed()
    with pytest.raises(BookError, match=r"expected bid below ask, was bid 2 and ask 2\.0"):
        book.check()
    book.apply([], [("2.00", "0")])
    book.check()
    assert not book.crossed()


def test_an_empty_book_is_not_crossed_and_has_no_best() -> None:
    book = OrderBook()
    book.check()
    assert (book.best_bid(), book.best_ask(), book.depth(5), len(book)) == (None, None, ([], []), 0)


def test_a_price_that_is_no_number_is_an_error_of_ours() -> None:
    with pytest.raises(NumberError, match="expected a plain decimal number, was 'x'"):
        OrderBook().apply([("x", "1")], [])


def test_nothing_is_left_of_prices_that_are_gone() -> None:
    book = OrderBook()
    for number in range(2_000):
        book.apply([(str(number), "1")], [])
        book.apply([(str(number), "0")], [])
    assert len(book) == 0
    assert book.depth(5) == ([], [])


def test_what_falls_out_of_the_kept_depth_is_named() -> None:
    book = OrderBook()
    book.replace([("3", "1"), ("2", "1"), ("1", "1")], [("4", "1"), ("5", "2")])
    assert book.keep(1) == ([("1", "1"), ("2", "1")], [("5", "2")])
    assert book.depth(9) == ([("3", "1")], [("4", "1")])
    assert book.keep(1) == ([], [])


class Counted(int):
    """A price in units that counts how often it is compared."""

    comparisons = 0

    def __mul__(self, other: int) -> Counted:
        return Counted(int(self) * other)

    __rmul__ = __mul__

    def __lt__(self, other: int) -> bool:
        Counted.comparisons += 1
        return int(self) < int(other)

    def __eq__(self, other: object) -> bool:
        Counted.comparisons += 1
        return int(self) == other

    __hash__ = int.__hash__


def operations_per_delta(monkeypatch: pytest.MonkeyPatch, depth: int) -> float:
    """Return comparisons of one delta near the touch and a look at the best of both sides."""

    class CountedScale(Scale):
        __slots__ = ()

        def units(self, text: str) -> int:
            return Counted(super().units(text))

    monkeypatch.setattr(book_module, "Scale", CountedScale)
    book_module._units.cache_clear()
    book = OrderBook(decimals=2)
    middle = 1_000_000
    book.replace(
        [(str(middle - n), "1") for n in range(1, depth + 1)],
        [(str(middle + n), "1") for n in range(1, depth + 1)],
    )
    deltas = 500
    Counted.comparisons = 0
    for number in range(deltas):
        price = str(middle - 1 - number % 7)
        book.apply([(price, "0" if number % 3 else "2")], [(str(middle + 5), str(number + 1))])
        book.check()
    book_module._units.cache_clear()
    return Counted.comparisons / deltas


def test_the_cost_of_a_delta_does_not_grow_with_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    shallow = operations_per_delta(monkeypatch, 100)
    deep = operations_per_delta(monkeypatch, 10_000)
    # a hundred times the levels: at most the extra steps of a binary search, log2(100) < 7
    assert deep <= shallow + 7
    assert deep < 60


def test_applied_changes_are_told_with_every_zero_written_alike() -> None:
    bids = [("1.0", "0.000"), ("2", "0.5"), ("3", "0")]
    assert OrderBook().apply(bids, [("4", "-0"), ("5", "10")]) == (
        [("1.0", "0"), ("2", "0.5"), ("3", "0")],
        [("4", "0"), ("5", "10")],
    )


def test_a_book_exceeds_a_depth_by_one_side_alone() -> None:
    book = OrderBook()
    book.replace([("1", "1")], [("2", "1"), ("3", "1")])
    assert [book.exceeds(1), book.exceeds(2)] == [True, False]
