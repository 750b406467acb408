"""Bounded types of fields that the messages of several exchanges have."""

from __future__ import annotations

from itertools import chain
from typing import Annotated, TypeAlias

import msgspec

from collector_core.events import Level
from collector_core.numbers import are_exact, exact, exact_price

__all__ = ["Count", "LevelText", "Millis", "level_texts"]

Millis: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=9_007_199_254_740)]
"""Milliseconds since the epoch whose microseconds are exact in every language (below 2**53)."""

Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""An id, an update's number or a count."""

LevelText: TypeAlias = tuple[str, str]
"""Price and amount as the exchange's own texts."""


def level_texts(levels: list[LevelText]) -> list[Level]:
    """Return levels whose numbers are texts on the wire already, each checked.

    Raises:
        NumberError: a price or an amount is no number.
    """
    if not levels or are_exact([*chain.from_iterable(levels)]):
        return levels
    return [(exact_price(price), exact(amount)) for price, amount in levels]
