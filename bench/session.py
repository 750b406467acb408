"""Frames to rows: CPU time of the frame handler of each exchange's session, beside its goal.

The whole of what runs for a frame but for Kafka: adapter, sequence rules, maintained book, the
connection's state. CPU time of this process alone; each pass starts from a fresh session that has
been told all that came before, which is not counted.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from statistics import mean
from typing import Final

from bench.figures import Figure
from bench.machine import load
from bench.processes import Failed
from bench.session_frames import CHANNELS, Played, play

from collector_core.events import Book, Event
from collector_exchanges.discovery import adapter as adapter_of
from collector_exchanges.discovery import exchanges
from collector_runtime.heap import settle
from collector_testkit.dialects import available

__all__ = ["GOALS", "run"]

GOALS: Final = {"trade": 8.0, "delta": 20.0, "whole": 40.0}
"""CPU µs: of a trade's row, of a frame with ten changed levels, of a frame with a whole book."""
ROW: Final = "CPU µs/row"
FRAME: Final = "CPU µs/frame"


def run(runs: int, *, quick: bool, say: Callable[[str], None]) -> list[Figure]:
    """Return the figures of every exchange that has a dialect, and of every channel it pushes."""
    figures: list[Figure] = []
    count, passes = (500, 3) if quick else (1_500, 8)
    for exchange in exchanges():
        if exchange not in available():
            figures.append(Figure("frames", exchange, FRAME, failure="no dialect to play with"))
            continue
        for channel in CHANNELS:
            say(f"frames {exchange} {channel}")
            try:
                played = play(exchange, channel, count)
                if played is not None:
                    figures.append(_measure(played, runs, passes))
            except Failed as error:
                figures.append(Figure("frames", f"{exchange} {channel}", FRAME, failure=str(error)))
    return figures


def _measure(played: Played, runs: int, passes: int) -> Figure:
    rows = played.rows()
    channel = played.channel
    whole = adapter_of(played.exchange).spec.book_rule == "whole"
    goal = GOALS.get(channel if channel != "book" else "whole" if whole else "delta")
    quantity = ROW if channel == "trade" else FRAME
    figure = Figure("frames", f"{played.exchange} {channel}", quantity, note=_note(played, rows))
    items = len(rows) if quantity == ROW else len(played.frames)
    before = gc.get_threshold()
    # as the ingestor does once it has started
    settle()
    try:
        for number in range(runs + 1):
            at = load()
            # the smallest pass is steady even on a busy machine
            spent = min(_pass(played) for _ in range(passes))
            if number:  # the first is the warm-up
                figure.values.append(spent / items * 1e6)
                figure.load = max(figure.load, at)
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
    if goal is not None:
        figure.ratio, figure.against = figure.median / goal, f"the goal of {goal:g} µs"
        figure.note += f"; goal {goal:g}"
    return figure


def _pass(played: Played) -> float:
    """Return the seconds of CPU time of all frames."""
    take = played.session().on_frame
    gc.collect()
    began = time.process_time()
    for frame, at in played.frames:
        take(frame, at)
    return time.process_time() - began


def _note(played: Played, rows: Sequence[Event]) -> str:
    frames = played.frames
    note = f"{mean(len(frame) for frame, _ in frames):.0f} bytes a frame"
    note += f", {len(rows) / len(frames):.2f} rows"
    books = [row for row in rows if isinstance(row, Book)]
    if books:
        levels = mean(len(book.bids) + len(book.asks) for book in books)
        note += f", {books[-1].kind} of {levels:.1f} levels"
    return note
