"""Figures: what was measured, its median and spread, and ratios between two of them."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

import msgspec

__all__ = ["Figure", "find", "number", "ratio"]


class Figure(msgspec.Struct):
    """One measured quantity of one subject, a value for each run."""

    section: str
    """``frames``, ``decode``, ``indicators``, ``path``, ``ingest``, ``service``, ``restore`` or
    ``latency``."""
    subject: str
    """What was measured: a channel, a program, an indicator."""
    quantity: str
    """What of it, with its unit: ``CPU µs/row``, ``rows/s``."""
    values: list[float] = []
    load: float = 0.0
    """Load average of the machine over the last minute when it was measured."""
    ratio: float | None = None
    """Median divided by the median of ``against``."""
    against: str = ""
    note: str = ""
    failure: str = ""
    """Why there is no figure; empty when there is one."""

    @property
    def median(self) -> float:
        """Return the median of the runs; NaN when there is none."""
        return median(self.values) if self.values else float("nan")


def ratio(figure: Figure, base: Figure | None) -> None:
    """Compare a figure with ``base``: set its ratio of medians, and what it is compared with."""
    if base is not None and base.values and figure.values and base.median:
        figure.ratio = figure.median / base.median
        figure.against = base.subject


def find(figures: Iterable[Figure], subject: str, quantity: str) -> Figure | None:
    """Return the figure of a subject and quantity, None when there is none."""
    for figure in figures:
        if (figure.subject, figure.quantity) == (subject, quantity):
            return figure
    return None


def number(value: float) -> str:
    """Return a number with three significant digits, thousands apart."""
    if value != value:  # noqa: PLR0124  # NaN is the one number that differs from itself
        return "-"
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if size >= 1 else f"{value:.3f}"
