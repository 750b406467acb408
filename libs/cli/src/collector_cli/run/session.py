"""One run from start to summary."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from collector_cli.bus.choice import Choice
from collector_cli.bus.reader import BusReader
from collector_cli.bus.start import Start
from collector_cli.run.board import open_board, summary
from collector_cli.run.plan import Options, Programs
from collector_cli.run.stack import Stack, Stopped
from collector_cli.run.tally import CHANNELS, Tally
from collector_runtime.clock import monotonic, wall_us

__all__ = ["run"]

_READ: Final = 0.05
"""Seconds for which rows are gathered; also by how much the lag shown may be too long."""
_QUIET: Final = 0.3
_DRAIN: Final = 3.0
"""Seconds for the last rows, after the services have ended."""
_ALWAYS: Final = tuple(c for c in CHANNELS if c not in {"depth", "instrument"})


def run(options: Options, programs: Programs, folder: Path) -> None:
    """Start everything, show rows until the time is over or a signal comes, end everything.

    The last line on standard output is ``{"rows": {channel: {exchange: count}}}``.

    Raises:
        CollectorError: something could not be started, or ended by itself.
    """
    with _signals() as signals, (folder / "run.log").open("w") as log:
        _write(f"logs are in {folder}\n")
        begun = monotonic()
        rows: dict[str, dict[str, int]] = {}
        # Stopped: the user wants an end while things still start
        with (
            Stack(options, programs, folder, _write, lambda: bool(signals)) as stack,
            suppress(Stopped),
        ):
            kafka, topology = stack.start_sources()
            tally = Tally(topology.topics, stack.exchanges, _ALWAYS)
            choice = Choice(frozenset(CHANNELS), frozenset(stack.exchanges))
            start: Start = "earliest" if stack.owns_broker else "latest"

            def complain(sentence: str) -> None:
                log.write(f"{sentence}\n")

            # before the services, so that no row of theirs is missed
            with BusReader(kafka, topology.topics, choice, start, complain) as reader:
                stack.start_services(kafka.bootstrap_servers)
                begun = monotonic()
                _watch(stack, reader, tally, options.seconds, signals)
                _write("ending …\n")
                stack.stop_services()
                _drain(reader, tally)
            rows = tally.rows()
        summary(rows, monotonic() - begun, sys.stdout)
        _write(msgspec.json.encode({"rows": rows}).decode() + "\n")


def _watch(
    stack: Stack, reader: BusReader, tally: Tally, seconds: float | None, signals: list[int]
) -> None:
    begun = monotonic()
    ends = None if seconds is None else begun + seconds
    flowing = False
    board = open_board(sys.stdout, "Ctrl-C ends it")
    try:
        shown = begun
        tally.lines(begun)
        while not signals and (ends is None or monotonic() < ends):
            stack.check()
            tally.count(reader.read(_READ), wall_us())
            now = monotonic()
            if not flowing and _flows(tally):
                flowing = True
                if board.interval > 1:
                    _write(f"rows flow after {now - begun:.1f} s\n")
            if now - shown >= board.interval:
                shown = now
                board.show(tally.lines(now), now - begun)
    finally:
        board.close()


def _flows(tally: Tally) -> bool:
    return all(tally.rows()["trade"].values())


def _drain(reader: BusReader, tally: Tally) -> None:
    deadline = monotonic() + _DRAIN
    last = monotonic()
    while (now := monotonic()) < deadline and now - last < _QUIET:
        if messages := reader.read(_READ):
            tally.count(messages, wall_us())
            last = monotonic()


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM instead of dying of them."""
    came: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda n, _: came.append(n)) for number in numbers]
    try:
        yield came
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
