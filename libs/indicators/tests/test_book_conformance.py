"""What breaks the contract of indicators over books is told; what keeps it is not."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from collector_indicators.book_indicator import TopOfBook
from collector_indicators.catalogue.book_imbalance import BookImbalance
from collector_indicators.catalogue.spread import Spread, SpreadParameters
from collector_indicators.conformance import violations
from collector_indicators.discovery import AnyBookIndicator, bar_indicators, indicators
from collector_indicators.named import Values


@pytest.mark.parametrize("name", sorted(indicators().keys() - bar_indicators().keys()))
def test_the_catalogue_keeps_the_contract(name: str) -> None:
    assert violations(indicators()[name]) == []


def test_the_catalogue_has_some() -> None:
    assert {Spread, BookImbalance} <= set(indicators().values())


class Shouting(Spread):
    """A name that is none."""

    name = "Spread!"


class Meanless(Spread):
    """A mean that is no output."""

    means = MappingProxyType({"mean": "bps"})


class Sourceless(Spread):
    """A mean of a mean."""

    means = MappingProxyType({"mean_bps": "mean_bps"})


class Bottomless(Spread):
    """More levels than there are."""

    @property
    def levels(self) -> int:
        return 10_000


class Halting(Spread):
    """Cannot be made."""

    def __init__(self, parameters: SpreadParameters) -> None:
        super().__init__(parameters)
        raise ValueError("no")


class Mislabelled(Spread):
    """An output that it does not read."""

    outputs = ("spread", "bps", "width", "mean_bps")  # type: ignore[assignment]  # of another length


class Naive(Spread):
    """An error where a side is empty."""

    def read(self, top: TopOfBook) -> Values:
        return {"spread": float(top.asks[0][0]) - float(top.bids[0][0]), "bps": None}


class Infinite(Spread):
    """Not finite."""

    def read(self, top: TopOfBook) -> Values:  # noqa: ARG002  # the contract's
        return {"spread": float("inf"), "bps": None}


class Remembering(Spread):
    """Values that depend on the books before."""

    def __init__(self, parameters: SpreadParameters) -> None:
        super().__init__(parameters)
        self._reads = 0

    def read(self, top: TopOfBook) -> Values:  # noqa: ARG002  # the contract's
        self._reads += 1
        return {"spread": float(self._reads), "bps": None}


class Greedy(Spread):
    """Looks deeper than it says."""

    def read(self, top: TopOfBook) -> Values:
        return {"spread": float(len(top.bids)), "bps": None}


class Destructive(Spread):
    """Changes the book."""

    def read(self, top: TopOfBook) -> Values:
        values = super().read(top)
        top.bids.clear()
        return values


BROKEN: dict[type[AnyBookIndicator], str] = {
    Shouting: "expected a name of lower-case letters, digits and _, was 'Spread!'",
    Meanless: "expected the mean mean among the outputs, was ('spread', 'bps', 'mean_bps')",
    Sourceless: "expected the mean mean_bps of an output that is read, was of 'mean_bps'",
    Bottomless: "expected levels from 1 to 50, was 10000",
    Halting: "expected to be made with its defaults, was ValueError: no",
    Mislabelled: "over a deep book: expected the outputs but for means of ('spread', 'bps', 'width",
    Naive: "over no bids: expected no error, was IndexError: list index out of range",
    Infinite: "over a deep book: expected spread to be finite or None, was inf",
    Remembering: "over a deep book: expected the same values of the same book, {'spread': 1.0, 'b",
    Greedy: "over a deep book: expected values of the best 1 levels alone, {'spread': 100.0, 'bps'",
    Destructive: "over a deep book: expected read to change nothing of the book, was another",
}


@pytest.mark.parametrize("kind", BROKEN, ids=lambda kind: kind.__name__)
def test_a_broken_rule_is_told(kind: type[AnyBookIndicator]) -> None:
    assert any(said.startswith(BROKEN[kind]) for said in violations(kind)), violations(kind)
