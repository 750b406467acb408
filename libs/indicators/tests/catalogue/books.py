"""Books for the tests of indicators over them: named ones, and whatever hypothesis draws."""

from __future__ import annotations

from hypothesis import strategies as st

from collector_core.events import Level
from collector_indicators.book_indicator import TopOfBook


def top(bids: list[Level], asks: list[Level]) -> TopOfBook:
    """Return a book."""
    return TopOfBook.of(bids, asks)


_UNITS = st.integers(1, 10**12)


@st.composite
def tops(draw: st.DrawFn) -> TopOfBook:
    """Return sound books: unequal levels, best first, the best bid below the best ask."""
    decimals = draw(st.integers(0, 9))
    prices = sorted(draw(st.lists(_UNITS, max_size=24, unique=True)))
    cut = draw(st.integers(0, len(prices)))

    def level(units: int) -> Level:
        amount = f"{draw(_UNITS) / 10**6:.6f}"
        return f"{units // 10**decimals}.{units % 10**decimals:0{decimals}d}".rstrip("."), amount

    return top([level(u) for u in reversed(prices[:cut])], [level(u) for u in prices[cut:]])
