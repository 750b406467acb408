"""What one calculation does: input, intervals, indicators and the rules of time."""

from __future__ import annotations

from typing import Literal

import msgspec

from collector_core.errors import SettingsError
from collector_core.intervals import length
from collector_indicators.fill import Fill
from collector_indicators.merged_candles import Source
from collector_indicators.selection import Choice

__all__ = ["CalculationSettings"]


class CalculationSettings(msgspec.Struct, frozen=True):
    """Settings of one calculation; times in microseconds. Validated when made.

    Raises:
        SettingsError: names the setting, what was expected and what came.
    """

    input: Literal["candle", "bar", "book"]
    """Rows of a candle topic, bars that we build from those of a trade topic, or a book topic."""
    intervals: tuple[str, ...]
    """Lengths such as ``1m``; for bars also sizes such as ``trades:100`` (``Fill``), for candles
    also such as ``8h/1h``, merged from smaller ones (``Source``)."""
    indicators: tuple[Choice, ...] = ()
    grace: int = 100_000
    """Time past a bar's end until which its trades are waited for; of books, the time by which rows
    without an exchange time count as earlier than they came."""
    horizon: int = 2
    """Closed bars, counted back in whole intervals, that late rows still revise; none of books."""
    live_every: int | None = 1_000_000
    """Grid on which values of open bars are emitted; None emits closed ones alone."""

    def __post_init__(self) -> None:
        if self.input not in {"candle", "bar", "book"}:
            raise SettingsError(f"input: expected candle, bar or book, was {self.input!r}")
        if not self.intervals:
            raise SettingsError("intervals: expected at least one, was none")
        lengths = [_length(self.input, interval) for interval in self.intervals]
        for place, told in enumerate(lengths):
            if told in lengths[:place]:
                raise SettingsError(
                    f"intervals: expected {told} once, was {','.join(self.intervals)}"
                )
        if len(set(self.indicators)) < len(self.indicators):
            raise SettingsError(
                f"indicators: expected each once, was {', '.join(map(str, self.indicators))}"
            )
        for choice in self.indicators:
            choice.check(self.input)
        if self.grace < 0:
            raise SettingsError(f"grace: expected at least 0 us, was {self.grace}")
        if not 0 <= self.horizon <= 1000:
            raise SettingsError(f"horizon: expected 0 to 1000 bars, was {self.horizon}")
        if self.live_every is not None and self.live_every < 1:
            raise SettingsError(f"live_every: expected at least 1 us, was {self.live_every}")


def _length(source: str, interval: str) -> str:
    """Return what the rows will say of an interval of candles or bars, if it is one."""
    fill = Fill.parse(interval)
    if fill is not None and source != "bar":
        raise SettingsError(f"intervals: expected an interval of candles, was {interval!r}")
    if source == "candle":
        return Source.parse(interval).interval
    if fill is None:
        length(interval)
    return interval
