"""Rows of a book topic for tests, and logs of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hypothesis import strategies as st

from collector_core.events import Book, Event, Level, State, Status
from collector_indicators.kept_book import DOUBTS

from .rows import at, status

Sides = tuple[Iterable[Level], Iterable[Level]]
DOUBTED: Final[list[State]] = [
    "started", "gap", "resyncing", "book_invalid", "disconnected", "stale", "stopped",
]  # fmt: skip
"""States that cast doubt on a book."""
HARMLESS: Final[list[State]] = ["synced", "rotated", "subscribed", "backfilled"]

assert frozenset(DOUBTED) == DOUBTS


def snapshot(
    seconds: float | None,
    bids: Iterable[Level] = (("99", "3"), ("98", "1")),
    asks: Iterable[Level] = (("101", "1"), ("102", "1")),
    *,
    received: float | None = None,
) -> Book:
    """Return a whole book; it is received 0.5 ms after its time if not said otherwise."""
    return _book("snapshot", seconds, bids, asks, received)


def delta(
    seconds: float | None,
    bids: Iterable[Level] = (),
    asks: Iterable[Level] = (),
    *,
    received: float | None = None,
) -> Book:
    """Return changes of a book."""
    return _book("delta", seconds, bids, asks, received)


def doubt(state: State = "gap") -> Status:
    """Return a status row of a book topic."""
    return status(state, channel="book", unit=None)


def _book(
    kind: str,
    seconds: float | None,
    bids: Iterable[Level],
    asks: Iterable[Level],
    received: float | None,
) -> Book:
    exchange_time = None if seconds is None else at(seconds)
    if received is None:
        receive_time = None if seconds is None else at(seconds) + 500
    else:
        receive_time = at(received)
    return Book(
        "x",
        "BTC/USDT",
        exchange_time,
        receive_time,
        1,
        1,
        kind,  # type: ignore[arg-type]  # one of two
        list(bids),
        list(asks),
    )


_AMOUNTS: Final = ["1", "2.5", "0.25", "7", "30"]
_BIDS: Final = [f"{price / 2:.1f}" for price in range(190, 200)] + ["99.50", "97.00"]
_ASKS: Final = [f"{price / 2:.1f}" for price in range(201, 211)] + ["100.50", "103.00"]


@st.composite
def _levels(draw: st.DrawFn, prices: list[str], most: int, amounts: list[str]) -> list[Level]:
    chosen = draw(st.lists(st.sampled_from(prices), max_size=most, unique_by=float))
    return [(price, draw(st.sampled_from(amounts))) for price in chosen]


@st.composite
def book_logs(draw: st.DrawFn) -> list[Event]:
    """Return rows of a book topic: snapshots, deltas, doubts, odd times, numbers that are none."""
    log: list[Event] = []
    now = draw(st.integers(0, 200)) / 10
    for _ in range(draw(st.integers(0, 40))):
        now += draw(st.sampled_from([0.0, 0.0, 0.1, 0.3, 1.0, 4.0, 31.0, 70.0]))
        what = draw(st.integers(0, 19))
        back = draw(st.sampled_from([0.0, 0.0, 0.0, 0.2, 3.0]))
        late = draw(st.sampled_from([0.001, 0.05, 0.4]))
        times = draw(st.sampled_from(["both", "both", "both", "ours", "theirs", "none"]))
        seconds = now - back if times in {"both", "theirs"} else None
        received = now + late if times in {"both", "ours"} else None
        if what < 2:
            log.append(doubt(draw(st.sampled_from(DOUBTED))))
        elif what == 2:
            log.append(doubt(draw(st.sampled_from(HARMLESS))))
        elif what < 7:
            bids = draw(_levels(_BIDS, 6, _AMOUNTS))
            asks = draw(_levels(_ASKS, 6, _AMOUNTS))
            log.append(_timed(snapshot(seconds, bids, asks, received=received), times))
        elif what == 7:
            wrong = draw(st.sampled_from([("104", "1"), ("99.5", "x"), ("y", "1"), ("98", "nan")]))
            log.append(_timed(delta(seconds, [wrong], received=received), times))
        else:
            changed = [*_AMOUNTS, "0", "0.00"]
            bids = draw(_levels(_BIDS, 3, changed))
            asks = draw(_levels(_ASKS, 3, changed))
            log.append(_timed(delta(seconds, bids, asks, received=received), times))
    return log


def _timed(row: Book, times: str) -> Book:
    """Return a row with the times that it is to have; none of ours where only theirs is given."""
    if times != "theirs":
        return row
    return Book(
        row.exchange,
        row.symbol,
        row.exchange_time,
        None,
        row.epoch,
        row.seq,
        row.kind,
        row.bids,
        row.asks,
    )
