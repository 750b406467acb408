"""What ``collector run`` shows: a live table on a terminal, else a line every few seconds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TextIO

from rich import box
from rich.console import Console
from rich.live import Live
from rich.table import Table

from collector_cli.run.tally import Line

__all__ = ["Board", "LiveBoard", "PlainBoard", "open_board", "summary"]


class Board(ABC):
    """Shows the state of a run."""

    interval: float
    """Seconds between two showings."""

    @abstractmethod
    def show(self, lines: Sequence[Line], elapsed: float) -> None:
        """Show what was counted ``elapsed`` seconds into the run."""

    @abstractmethod
    def close(self) -> None:
        """Leave the screen to others."""


class LiveBoard(Board):
    """A table that is drawn anew in its place."""

    interval = 0.5

    def __init__(self, console: Console, footer: str) -> None:
        self._footer = footer
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._live.start()

    def show(self, lines: Sequence[Line], elapsed: float) -> None:
        """Draw the table."""
        table = Table(box=box.SIMPLE_HEAD, caption=f"{elapsed:.0f} s, {self._footer}")
        table.add_column("channel")
        table.add_column("exchange")
        for name in ("rows", "rows/s", "lag"):
            table.add_column(name, justify="right")
        table.add_column("last", no_wrap=True, overflow="ellipsis")
        channel = ""
        for line in lines:
            table.add_row(
                line.channel if line.channel != channel else "",
                line.exchange,
                f"{line.rows:,}",
                f"{line.rate:,.0f}",
                _lag(line.lag),
                f"{line.symbol} {line.last}",
            )
            channel = line.channel
        self._live.update(table, refresh=True)

    def close(self) -> None:
        """Take the table off the screen."""
        self._live.stop()


class PlainBoard(Board):
    """A line with the rows of each channel, for logs and pipes."""

    interval = 5.0

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def show(self, lines: Sequence[Line], elapsed: float) -> None:
        """Write one line."""
        rows: dict[str, int] = {}
        rates: dict[str, float] = {}
        for line in lines:
            rows[line.channel] = rows.get(line.channel, 0) + line.rows
            rates[line.channel] = rates.get(line.channel, 0.0) + line.rate
        parts = (
            f"{channel} {count:,} ({rates[channel]:,.0f}/s)" for channel, count in rows.items()
        )
        self._stream.write(f"{elapsed:.0f} s: {', '.join(parts)}\n")
        self._stream.flush()

    def close(self) -> None:
        """Nothing stands in the way of others."""


def open_board(stream: TextIO, footer: str) -> Board:
    """Return the board that fits a stream."""
    if stream.isatty():
        return LiveBoard(Console(file=stream), footer)
    return PlainBoard(stream)


_WIDTH: Final = 100


def summary(rows: Mapping[str, Mapping[str, int]], seconds: float, stream: TextIO) -> None:
    """Write the rows of a run as a table, exchanges side by side."""
    exchanges = list(dict.fromkeys(_exchanges(rows.values())))
    table = Table("channel", box=box.SIMPLE_HEAD, title=f"rows in {seconds:.1f} s")
    for exchange in exchanges:
        table.add_column(exchange, justify="right")
    table.add_column("a second", justify="right")
    for channel, counts in rows.items():
        cells = [f"{counts[e]:,}" if e in counts else "" for e in exchanges]
        table.add_row(channel, *cells, f"{sum(counts.values()) / max(seconds, 1e-9):,.1f}")
    width = None if stream.isatty() else _WIDTH
    Console(file=stream, width=width).print(table)


def _exchanges(counts: Iterable[Mapping[str, int]]) -> Iterable[str]:
    for row in counts:
        yield from row


def _lag(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds * 1000:.0f} ms" if seconds < 10 else f"{seconds:.0f} s"
