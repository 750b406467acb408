"""The rules that every indicator over books keeps, whoever wrote it (``conformance``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from math import isfinite
from typing import Final

from collector_core.events import Level
from collector_indicators.book_indicator import MOST_LEVELS, TopOfBook
from collector_indicators.discovery import AnyBookIndicator
from collector_indicators.form import form, said
from collector_indicators.named import Values

__all__ = ["BOOKS", "book_violations"]

_ATTRIBUTES: Final = ("name", "outputs", "parameters_type")
_DEEP: Final = 2 * MOST_LEVELS


def _side(first: int, step: int, count: int, decimals: int, amount: str = "") -> list[Level]:
    """Return levels whose amounts vary; prices are whole multiples of a tick."""
    return [
        (
            f"{(first + step * i) / 10**decimals:.{decimals}f}",
            amount or f"{(i * 7919 + first) % 997 + 1}.{i % 10}",
        )
        for i in range(count)
    ]


def _books() -> dict[str, tuple[list[Level], list[Level]]]:
    bids, asks = _side(3_700_000, -1, _DEEP, 2), _side(3_700_002, 3, _DEEP, 2)
    huge, tiny = "9" * 79, f"0.{'0' * 78}1"
    return {
        "a deep book": (bids, asks),
        "another deep book": (_side(512, -2, _DEEP, 4), _side(513, 1, _DEEP, 4)),
        "one level a side": (bids[:1], asks[:1]),
        "sides of unequal depth": (bids[:2], asks),
        "no bids": ([], asks),
        "no asks": (bids, []),
        "an empty book": ([], []),
        "huge amounts": (_side(500, -1, 9, 0, huge), _side(501, 1, 9, 0, huge)),
        "tiny amounts": (_side(500, -1, 9, 0, tiny), _side(501, 1, 9, 0, tiny)),
        "unequal amounts": (_side(500, -1, 9, 0, huge), _side(501, 1, 9, 0, tiny)),
        "a huge price": ([(f"{huge}.1", "1")], [(f"{huge}.2", "1")]),
        "a tiny price": ([(f"{tiny}1", "1")], [(f"{tiny}2", "1")]),
        "prices about zero": ([("-0.5", "1")], [("0.5", "1")]),
    }


BOOKS: Final[Mapping[str, tuple[list[Level], list[Level]]]] = _books()
"""Books over which the rules are asked, by what they are."""


def book_violations(kind: type[AnyBookIndicator]) -> list[str]:
    """Return a sentence for each rule of the contract that an indicator over books breaks."""
    found = [*form(kind, _ATTRIBUTES)] or [*_levels(kind)]
    if found:
        return found
    for name, (bids, asks) in BOOKS.items():
        try:
            broken = islice(_readings(kind, bids, asks), 1)
            found += [f"over {name}: {sentence}" for sentence in broken]
        except Exception as error:  # noqa: BLE001  # a user's code may raise anything
            found.append(f"over {name}: expected no error, was {said(error)}")
    return found


def _levels(kind: type[AnyBookIndicator]) -> Iterator[str]:
    read = set(kind.outputs) - set(kind.means)
    for name, source in kind.means.items():
        if name not in kind.outputs:
            yield f"expected the mean {name} among the outputs, was {kind.outputs!r}"
        if source not in read:
            yield f"expected the mean {name} of an output that is read, was of {source!r}"
    try:
        levels = kind.create().levels
        if not 1 <= levels <= MOST_LEVELS:
            yield f"expected levels from 1 to {MOST_LEVELS}, was {levels}"
    except Exception as error:  # noqa: BLE001  # as above
        yield f"expected to be made with its defaults, was {said(error)}"


def _readings(kind: type[AnyBookIndicator], bids: list[Level], asks: list[Level]) -> Iterator[str]:
    indicator = kind.create()
    deep = TopOfBook.of(list(bids), list(asks))
    values = indicator.read(deep)
    if set(values) != set(kind.outputs) - set(kind.means):
        yield f"expected the outputs but for means of {kind.outputs}, was {tuple(values)}"
    for name, value in values.items():
        if value is not None and not isfinite(value):
            yield f"expected {name} to be finite or None, was {value}"
    if deep != TopOfBook.of(bids, asks):
        yield "expected read to change nothing of the book, was another"
    levels = indicator.levels
    cut = TopOfBook.of(bids[:levels], asks[:levels])
    # of other books in between, it keeps nothing
    indicator.read(TopOfBook.of(*BOOKS["another deep book"]))
    for what, other in (
        ("the same values of the same book", indicator.read(deep)),
        (f"values of the best {levels} levels alone", indicator.read(cut)),
        ("the same values of another one of its kind", kind.create().read(deep)),
    ):
        if _bits(other) != _bits(values):
            yield f"expected {what}, {values}, was {other}"


def _bits(values: Values) -> dict[str, str | None]:
    return {name: None if value is None else value.hex() for name, value in values.items()}
