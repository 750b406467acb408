"""What breaks the contract is told, rule by rule; what keeps it is not."""

from __future__ import annotations

import pytest

from collector_indicators.conformance import violations
from collector_indicators.discovery import AnyIndicator, indicators
from collector_indicators.indicator import Values
from collector_indicators.ohlcv import Ohlcv

from .own_indicators import Span, SpanState


@pytest.mark.parametrize("name", sorted(indicators()))
def test_the_catalogue_keeps_the_contract(name: str) -> None:
    assert violations(indicators()[name]) == []


def test_a_user_s_indicator_that_keeps_it() -> None:
    assert violations(Span) == []


class Shouting(Span):
    """A name that is none."""

    name = "Own-Span"


class Doubled(Span):
    """The same output twice."""

    outputs = ("a", "a")  # type: ignore[assignment]  # of another length


class Silent(Span):
    __doc__ = ""


class Mislabelled(Span):
    """Outputs under another name."""

    outputs = ("width",)


class Greedy(Span):
    """Peeking counts."""

    def peek(self, bar: Ohlcv) -> Values:
        self._state.widths = [*self._state.widths, bar.high][-3:]
        return super().peek(bar)


class Drifting(Span):
    """Another value than was peeked."""

    def update(self, bar: Ohlcv) -> Values:
        return {name: (value or 0.0) + 1.0 for name, value in super().update(bar).items()}


class Dividing(Span):
    """An error where there is no volume."""

    def update(self, bar: Ohlcv) -> Values:
        return {name: (value or 0.0) / bar.volume for name, value in super().update(bar).items()}

    def peek(self, bar: Ohlcv) -> Values:  # noqa: ARG002  # the contract's
        return {"own_span": 1.0}


class Infinite(Span):
    """Not finite."""

    def update(self, bar: Ohlcv) -> Values:
        super().update(bar)
        return {"own_span": float("inf")}

    def peek(self, bar: Ohlcv) -> Values:  # noqa: ARG002  # the contract's
        return {"own_span": float("inf")}


class Boasting(Span):
    """Warm too early."""

    @property
    def bars_needed(self) -> int:
        return 1


class Forgetful(Span):
    """A part of what it knows is not in the state."""

    def _rebuild(self) -> None:
        self._bars = 0

    def update(self, bar: Ohlcv) -> Values:
        values = self.peek(bar)
        self._bars += 1
        return values

    def peek(self, bar: Ohlcv) -> Values:  # noqa: ARG002  # the contract's
        return {"own_span": float(self._bars)}


class Hoarding(Span):
    """A state that grows."""

    def update(self, bar: Ohlcv) -> Values:
        self._state.widths = [*self._state.widths, bar.high]
        return {"own_span": bar.high}

    def peek(self, bar: Ohlcv) -> Values:
        return {"own_span": bar.high}


class Trusting(Span):
    """Takes any state."""

    def restore(self, state: bytes) -> None:  # noqa: ARG002  # the contract's
        self._state = SpanState()


BROKEN: dict[type[AnyIndicator], str] = {
    Shouting: "expected a name of lower-case letters, digits and _, was 'Own-Span'",
    Doubled: "expected names of outputs, each once, was ('a', 'a')",
    Silent: "expected a docstring that says what it is, was none",
    Mislabelled: "over a random walk: expected outputs ('width',), was ('own_span',) at bar 0",
    Greedy: "over a random walk: expected peek to change nothing, was another state at bar 0",
    Drifting: "over a random walk: expected update to give what peek gave, {'own_span': None}, was",
    Dividing: "over no volume: expected no error, was ZeroDivisionError: float division by zero",
    Infinite: "over a random walk: expected own_span to be finite or None, was inf at bar 0",
    Boasting: "over a random walk: expected own_span where it says that it is warm, was None at",
    Forgetful: "over a random walk: expected a restore at bar 1 to change no value, was another",
    Hoarding: "expected a state of bounded size, was ",
    Trusting: "over a random walk: expected the same state after a restore, was another at bar",
}


@pytest.mark.parametrize("kind", BROKEN, ids=lambda kind: kind.__name__)
def test_a_broken_rule_is_told(kind: type[AnyIndicator]) -> None:
    assert any(said.startswith(BROKEN[kind]) for said in violations(kind)), violations(kind)
