"""What one calculation does: input, intervals, indicators and the rules of time."""

from __future__ import annotations

from typing import Literal

import msgspec

from collector_core.errors import SettingsError
from collector_core.intervals import length
from collector_indicators.selection import Choice

__all__ = ["CalculationSettings"]


class CalculationSettings(msgspec.Struct, frozen=True):
    """Settings of one calculation; times in microseconds. Validated when made.

    Raises:
        SettingsError: names the setting, what was expected and what came.
    """

    input: Literal["candle", "bar"]
    """Rows of a candle topic, or bars that we build from the rows of a trade topic."""
    intervals: tuple[str, ...]
    indicators: tuple[Choice, ...] = ()
    grace: int = 100_000
    """Bars only: time past a bar's end until which its trades are waited for."""
    horizon: int = 2
    """Closed bars, counted back in whole intervals, that late rows still revise."""
    live_every: int | None = 1_000_000
    """Grid on which values of open bars are emitted; None emits closed ones alone."""

    def __post_init__(self) -> None:
        if self.input not in {"candle", "bar"}:
            raise SettingsError(f"input: expected candle or bar, was {self.input!r}")
        if not self.intervals or len(set(self.intervals)) < len(self.intervals):
            raise SettingsError(
                f"intervals: expected at least one and each once, was {self.intervals}"
            )
        for interval in self.intervals:
            length(interval)
        if len(set(self.indicators)) < len(self.indicators):
            raise SettingsError(
                f"indicators: expected each once, was {', '.join(map(str, self.indicators))}"
            )
        for choice in self.indicators:
            if choice.create().params != choice.params:
                raise SettingsError(
                    f"indicators: expected all parameters written out, was {choice}"
                )
        if self.grace < 0:
            raise SettingsError(f"grace: expected at least 0 us, was {self.grace}")
        if not 0 <= self.horizon <= 1000:
            raise SettingsError(f"horizon: expected 0 to 1000 bars, was {self.horizon}")
        if self.live_every is not None and self.live_every < 1:
            raise SettingsError(f"live_every: expected at least 1 us, was {self.live_every}")
