"""Candles of an interval that an exchange lacks, merged from those of a smaller one, exactly.

``8h/1h`` is eight hours from candles of one. Which candles are merged is written out and never
chosen by what happens to come: output is a function of the input log alone. A merged candle is
closed when its last part is, or when a part behind it comes: exchanges leave out candles in which
nothing was traded.
"""

from __future__ import annotations

from decimal import Decimal, DecimalException
from typing import Final

import msgspec

from collector_core.errors import NumberError, SettingsError
from collector_core.events import Candle
from collector_core.intervals import length
from collector_indicators.partial_bar import EXACT
from collector_indicators.timeframe import Timeframe

__all__ = ["MergedCandles", "MergedState", "Source"]

_MOST_PARTS: Final = 100
"""Candles in one: the parts of those that may still be revised stand in the state."""
_DAY: Final = 86_400_000_000
_MONTH: Final = 31 * _DAY


class Source(msgspec.Struct, frozen=True):
    """An interval of candles, and the one it is merged from; None as the exchange has it."""

    interval: str
    parts: str | None = None

    @classmethod
    def parse(cls, text: str) -> Source:
        """Return what a setting says: ``1h``, or ``8h/1h``.

        Raises:
            SettingsError: no interval, or one that the parts do not fill.
        """
        interval, slash, parts = text.partition("/")
        whole = length(interval)
        if not slash:
            return cls(interval)
        part = length(parts)
        if part is None or (whole is not None and (whole <= part or whole % part)):
            raise SettingsError(f"expected an interval and one that fills it, was {text!r}")
        if parts.endswith("w") and not interval.endswith("w"):
            raise SettingsError(f"expected parts that begin with the whole, was {text!r}")
        # weeks begin on Monday, months on the first: both at a day's beginning
        if (interval.endswith(("w", "M"))) and not parts.endswith("w") and _DAY % part:
            raise SettingsError(f"expected parts that fill a day, was {text!r}")
        if (whole or _MONTH) // part > _MOST_PARTS:
            raise SettingsError(f"expected at most {_MOST_PARTS} candles in one, was {text!r}")
        return cls(interval, parts)


class _Part(msgspec.Struct, frozen=True, array_like=True):
    """What a candle adds to the one it is part of."""

    open_time: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    quote_volume: str | None
    trade_count: int | None
    closed: bool


class _Merged(msgspec.Struct):
    """A candle in the making, or one that may still be revised."""

    open_time: int
    parts: list[_Part]
    """In order of time, each once."""
    closed: bool = False


class MergedState(msgspec.Struct):
    """What merged candles are restored from."""

    interval: str
    since: int | None
    candles: list[_Merged]


class MergedCandles:
    """Candles of the smaller interval in, candles of the larger one out.

    Args:
        source: both intervals.
        horizon: closed candles that late parts still revise.
    """

    def __init__(self, source: Source, horizon: int) -> None:
        self.parts = source.parts
        self.timeframe = Timeframe(source.interval)
        self._horizon = horizon
        # when the first part opened: a candle that opened before is not whole
        self.since: int | None = None
        # those that are open or may still be revised, in order of time
        self._candles: list[_Merged] = []

    def take(self, row: Candle) -> list[Candle]:
        """Take a candle of the smaller interval; return the larger ones that it changes or ends.

        What is given out as closed and changes later is given out again, closed, as exchanges
        do with corrections.

        Raises:
            NumberError: one of its numbers is no finite decimal number.
        """
        if self.since is None:
            self.since = row.open_time
        opened = self.timeframe.open_of(row.open_time)
        given = [
            self._closed(merged, row)
            for merged in self._candles
            if not merged.closed and merged.open_time < opened
        ]
        merged = self._find(opened)
        _put(merged, _part(row))
        if merged.closed:
            if row.closed:
                given.append(self._candle(merged, row))
        elif row.closed and row.close_time >= self.timeframe.end_of(opened):
            given.append(self._closed(merged, row))
        else:
            given.append(self._candle(merged, row))
        self._forget()
        return given

    def _find(self, opened: int) -> _Merged:
        for merged in self._candles:
            if merged.open_time == opened:
                return merged
        found = _Merged(opened, [])
        # what comes behind a candle that was given out as closed is late, whatever came of it
        found.closed = any(m.closed and m.open_time > opened for m in self._candles)
        self._candles.append(found)
        self._candles.sort(key=lambda merged: merged.open_time)
        return found

    def _closed(self, merged: _Merged, row: Candle) -> Candle:
        merged.closed = True
        return self._candle(merged, row)

    def _forget(self) -> None:
        """Drop what is beyond the horizon, as the series of the candles counts it."""
        closed = [merged.open_time for merged in self._candles if merged.closed]
        if closed:
            after = self.timeframe.end_of(closed[-1])
            reach = self.timeframe.back(after, max(self._horizon, 1))
            self._candles = [m for m in self._candles if m.open_time >= reach or not m.closed]

    def _candle(self, merged: _Merged, row: Candle) -> Candle:
        """Return a merged candle as caused by a row."""
        parts = merged.parts
        quotes = [part.quote_volume for part in parts]
        counts = [part.trade_count for part in parts]
        known_quotes = [quote for quote in quotes if quote is not None]
        known_counts = [count for count in counts if count is not None]
        return msgspec.structs.replace(
            row,
            interval=self.timeframe.interval,
            open_time=merged.open_time,
            close_time=self.timeframe.end_of(merged.open_time),
            open=parts[0].open,
            high=max((part.high for part in parts), key=Decimal),
            low=min((part.low for part in parts), key=Decimal),
            close=parts[-1].close,
            volume=_sum([part.volume for part in parts]),
            quote_volume=_sum(known_quotes) if len(known_quotes) == len(parts) else None,
            trade_count=sum(known_counts) if len(known_counts) == len(parts) else None,
            closed=merged.closed,
        )

    # --- state ----------------------------------------------------------------------------------

    def state(self) -> MergedState:
        """Return what the candles to come depend on."""
        return MergedState(self.timeframe.interval, self.since, self._candles)

    def restore(self, state: MergedState) -> None:
        """Go on from a state."""
        self.since, self._candles = state.since, state.candles


def _part(row: Candle) -> _Part:
    numbers = (row.open, row.high, row.low, row.close, row.volume, row.quote_volume or "0")
    for text in numbers:
        try:
            if Decimal(text).is_finite():
                continue
        except DecimalException:
            pass
        raise NumberError(f"expected a decimal number, was {text[:64]!r}")
    return _Part(row.open_time, *numbers[:5], row.quote_volume, row.trade_count, row.closed)


def _put(merged: _Merged, part: _Part) -> None:
    """Put a part where it belongs; a closed one is not undone by an open one told late."""
    for place, known in enumerate(merged.parts):
        if known.open_time == part.open_time:
            if part.closed or not known.closed:
                merged.parts[place] = part
            return
    merged.parts.append(part)
    merged.parts.sort(key=lambda one: one.open_time)


def _sum(texts: list[str]) -> str:
    total = Decimal(0)
    for text in texts:
        total = EXACT.add(total, Decimal(text))
    return format(total, "f")
