"""What the values of an indicator are held against: its source, and TA-Lib where that has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from collector_indicators.ohlcv import Ohlcv

__all__ = ["BOUND", "Array", "Columns", "Expected", "Oracle", "Reference", "decimal_of"]

BOUND = Decimal("1e-9")
"""Largest difference, as a part of the larger of the reference and the largest input."""

Array: TypeAlias = npt.NDArray[np.float64]
Expected: TypeAlias = Mapping[str, Decimal | Fraction | None]
Reference: TypeAlias = Callable[[list[Ohlcv]], Iterator[Expected]]


class Columns:
    """Bars as TA-Lib takes them: an array for each field."""

    def __init__(self, bars: list[Ohlcv]) -> None:
        self.open: Array = np.array([bar.open for bar in bars])
        self.high: Array = np.array([bar.high for bar in bars])
        self.low: Array = np.array([bar.low for bar in bars])
        self.close: Array = np.array([bar.close for bar in bars])
        self.volume: Array = np.array([bar.volume for bar in bars])


@dataclass(frozen=True)
class Oracle:
    """One choice of an indicator, and what says its values.

    The module ``test_<indicator>`` exports ``ORACLES``; being there is enough.
    """

    choice: str
    """As users write it, ``ema:20``."""
    reference: Reference
    """Expected values for each bar: rational or 60-digit numbers over the doubles of the bars,
    written from the source and sharing nothing with the indicator."""
    talib: Callable[[Columns], Mapping[str, Array]] | None = None
    """TA-Lib's arrays by output; compared wherever they are not NaN."""
    talib_from: int = 0
    """First bar from which TA-Lib is compared: where its own seed is still felt before."""
    talib_differs: Mapping[str, str] = field(default_factory=dict)
    """Series in which TA-Lib misses the reference, with the reason; the test insists on it."""
    ill_conditioned: Mapping[str, str] = field(default_factory=dict)
    """Series in which the rounding of doubles decides, with the reason: only finite there."""
    inputs: tuple[str, ...] = ("high",)
    """Fields of a bar whose largest value in the window bounds the difference."""
    cumulative: bool = False
    """The window is all that came before."""
    scale: float | None = None
    """For values with a scale of their own (100 for a percentage): bounds the difference instead
    of the inputs."""

    def allowed(self, bars: list[Ohlcv], index: int, window: int, expected: Decimal) -> Decimal:
        """Return how far a value over ``bars[index]`` may be from ``expected``."""
        if self.scale is not None:
            largest = self.scale
        else:
            first = 0 if self.cumulative else max(0, index + 1 - window)
            seen = bars[first : index + 1]
            largest = max(abs(getattr(bar, name) or 0.0) for bar in seen for name in self.inputs)
        return BOUND * max(abs(expected), Decimal(largest))


def decimal_of(number: Decimal | Fraction) -> Decimal:
    """Return a number in the digits of the present decimal context."""
    if isinstance(number, Decimal):
        return number
    return Decimal(number.numerator) / Decimal(number.denominator)
