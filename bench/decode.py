"""Decode and normalize: CPU time of a frame through the adapter, the pipeline and the encoder.

CPU time of this process alone, so that neighbours disturb it little; each pass starts from a
fresh pipeline, whose making is not counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from bench.figures import Figure
from bench.frames import CHANNELS, START, Recording, record
from bench.machine import load

from collector_core.codec import encode
from collector_core.events import Book, Event
from collector_exchanges.discovery import exchanges
from collector_feed.outputs import Undecodable
from collector_feed.pipeline import Pipeline
from collector_testkit.dialects import available

__all__ = ["run"]

ADAPTER: Final = "adapter, CPU µs/frame"
PIPELINE: Final = "pipeline, CPU µs/frame"
ROW: Final = "pipeline, CPU µs/row"
ENCODE: Final = "encode, CPU µs/row"


def run(runs: int, *, quick: bool, say: Callable[[str], None]) -> list[Figure]:
    """Return the figures of every exchange that has a dialect, and every channel."""
    figures: list[Figure] = []
    count, least = (1_000, 0.05) if quick else (4_000, 0.2)
    for exchange in exchanges():
        if exchange not in available():
            figures.append(
                Figure("decode", exchange, PIPELINE, failure="no dialect to make frames with")
            )
            continue
        for channel in CHANNELS:
            say(f"decode {exchange} {channel}")
            recording = record(exchange, channel, count)
            if recording is not None:
                figures.extend(_measure(recording, runs, least))
    return figures


def _measure(recording: Recording, runs: int, least: float) -> list[Figure]:
    subject = f"{recording.exchange} {recording.channel}"
    rows = _rows(recording.pipeline(), recording.frames)
    undecodable = sum(isinstance(row, Undecodable) for row in rows)
    if undecodable or not rows:
        reason = f"expected rows of {len(recording.frames)} frames, was {len(rows)} rows"
        reason += f", {undecodable} undecodable"
        return [Figure("decode", subject, PIPELINE, failure=reason)]
    events = [row for row in rows if isinstance(row, Event)]
    figures = [Figure("decode", subject, name) for name in (ADAPTER, PIPELINE, ROW, ENCODE)]
    adapter, pipeline, row, encoding = figures
    adapter.note = _note(recording, events)
    frames = recording.frames
    for number in range(runs + 1):
        at = load()
        decoding = _passes(least, len(frames), lambda: _adapt(recording))
        whole = _passes(least, len(frames), lambda: _pipe(recording))
        writing = _passes(least, len(events), lambda: _encode(events))
        if not number:
            continue  # warm-up
        adapter.values.append(decoding)
        pipeline.values.append(whole)
        row.values.append(whole * len(frames) / len(events))
        encoding.values.append(writing)
        for figure in figures:
            figure.load = max(figure.load, at)
    return figures


def _passes(least: float, items: int, one_pass: Callable[[], float]) -> float:
    """Return µs an item over as many passes as take ``least`` seconds."""
    spent, count = 0.0, 0
    while spent < least:
        spent += one_pass()
        count += items
    return spent / count * 1e6


def _adapt(recording: Recording) -> float:
    take = recording.adapter().on_frame
    began = time.process_time()
    for frame in recording.frames:
        take(frame, START)
    return time.process_time() - began


def _pipe(recording: Recording) -> float:
    take = recording.pipeline().on_frame
    began = time.process_time()
    for frame in recording.frames:
        take(frame, START)
    return time.process_time() - began


def _encode(events: list[Event]) -> float:
    began = time.process_time()
    for event in events:
        encode(event)
    return time.process_time() - began


def _rows(pipeline: Pipeline, frames: list[bytes]) -> list[Event | Undecodable]:
    return [row for frame in frames for row in pipeline.on_frame(frame, START)]


def _note(recording: Recording, events: list[Event]) -> str:
    frames = recording.frames
    note = f"{sum(map(len, frames)) / len(frames):.0f} bytes a frame"
    books = [event for event in events if isinstance(event, Book)]
    if books:
        levels = sum(len(book.bids) + len(book.asks) for book in books) / len(books)
        note += f", {books[0].kind} of {levels:.0f} levels"
    return note
