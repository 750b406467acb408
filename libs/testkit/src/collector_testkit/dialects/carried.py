"""Which trades a frame carries, for any exchange: found by id, price and amount in its rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from collector_testkit.dialects.dialect import Dialect
from collector_testkit.dialects.messages import Delivery
from collector_testkit.market import Market
from collector_testkit.truth import TruthTrade

__all__ = ["Carried"]

_KEPT: Final = 4096
"""Newest trades of a symbol that a frame may carry."""


class Carried:
    """Reads the trades out of frames of the channel ``trade``.

    Args:
        dialect: the exchange; its ``trade_ids`` has the first word.
        market: what is traded on it.
    """

    def __init__(self, dialect: Dialect, market: Market) -> None:
        self._dialect = dialect
        self._market = market
        # the market's id of the newest trade that was looked at, by symbol
        self._seen: dict[str, int] = {}
        # trades by the id that the exchange gives them, oldest first, by symbol
        self._facts: dict[str, dict[str, TruthTrade]] = {}

    def __call__(self, frame: Delivery) -> tuple[str, ...]:
        """Return the ids of the trades in a frame, in their order; of other frames none."""
        if frame.channel != "trade":
            return ()
        ids = self._dialect.trade_ids(frame)
        if ids is not None:
            return ids
        symbols = [frame.symbol] if frame.symbol else list(self._market.symbols)
        known = [self._known(symbol) for symbol in symbols if symbol in self._market.symbols]
        try:
            content = json.loads(frame.payload, parse_float=str, parse_int=str)
        except ValueError:
            return ()
        return tuple(id_ for row in _rows(content) for id_ in _found(row, known))

    def _known(self, symbol: str) -> dict[str, TruthTrade]:
        facts = self._facts.setdefault(symbol, {})
        tape = self._market.symbols[symbol].tape
        for trade in tape.since(self._seen.get(symbol, 0) + 1)[-_KEPT:]:
            fact = self._dialect.fact(trade)
            facts[fact.id] = fact
            self._seen[symbol] = trade.id
        for old in list(facts)[: max(0, len(facts) - _KEPT)]:
            del facts[old]
        return facts


def _rows(content: Any) -> Iterator[list[str]]:  # noqa: ANN401 - JSON
    """Yield the texts and numbers of each object, at any depth."""
    if isinstance(content, dict):
        yield list(dict.fromkeys(value for value in content.values() if isinstance(value, str)))
        content = list(content.values())
    if isinstance(content, list):
        for part in content:
            yield from _rows(part)


def _found(row: list[str], known: list[dict[str, TruthTrade]]) -> Iterator[str]:
    numbers = None
    for facts in known:
        for text in row:
            fact = facts.get(text)
            if fact is None:
                continue
            if numbers is None:
                numbers = {number for value in row if (number := _number(value)) is not None}
            if Decimal(fact.price) in numbers and Decimal(fact.amount) in numbers:
                yield fact.id


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
