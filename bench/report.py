"""The result of a run: a table for eyes, JSON for programs."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

import msgspec
from bench.figures import Figure, number
from rich.console import Console
from rich.table import Table

__all__ = ["Result", "show", "write"]

_TITLES = {
    "frames": "Frames to rows: the session's frame handler, beside its goal",
    "decode": "Decode and normalize: a frame to rows, in one process",
    "ingest": "Ingest: loopback WebSocket to Kafka, beside peers",
    "path": "Ingest, layer by layer: the event loop's thread alone",
    "indicators": "Indicator engine, beside talipp and TA-Lib",
    "service": "Indicator service: Kafka to Kafka, in transactions, beside quixstreams",
    "restore": "Restore: a process is killed, another one takes all its states",
    "latency": "Latency: append of a clock row to the closed bar, read_committed",
}


class Result(msgspec.Struct):
    """What one run of the benchmarks found."""

    started: str
    """ISO 8601, UTC."""
    seconds: float
    quick: bool
    runs: int
    commit: str
    machine: dict[str, str]
    broker: str
    figures: list[Figure]


def show(result: Result, console: Console) -> None:
    """Print the result as tables."""
    for section, figures in groupby(result.figures, key=lambda figure: figure.section):
        console.print(_table(_TITLES[section], list(figures)))
    console.print(", ".join(f"{name}: {value}" for name, value in result.machine.items()))
    console.print(
        f"broker: {result.broker}; commit {result.commit}; {result.runs} runs each; "
        f"{result.seconds:.0f} s in all; started {result.started}"
    )


def _table(title: str, figures: Iterable[Figure]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", pad_edge=False)
    table.add_column("what", overflow="fold", ratio=4)
    table.add_column("quantity", no_wrap=True)
    for name in ("median", "min", "max", "ratio", "load"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("note", overflow="fold", ratio=3)
    last = ""
    for figure in figures:
        subject, last = figure.subject if figure.subject != last else "", figure.subject
        if not figure.values:
            failure = f"[red]failed: {figure.failure or 'no figure'}[/red]"
            table.add_row(subject, figure.quantity, "-", "-", "-", "-", "-", failure)
            continue
        note = figure.note
        if figure.failure:
            note = f"[red]{len(figure.values)} runs; one failed: {figure.failure}[/red]"
        table.add_row(
            subject,
            figure.quantity,
            number(figure.median),
            number(min(figure.values)),
            number(max(figure.values)),
            "" if figure.ratio is None else f"{number(figure.ratio)} x",
            f"{figure.load:.1f}",
            note,
        )
    return table


def write(result: Result, paths: Iterable[Path]) -> None:
    """Write the result as JSON, each figure with its median.

    Raises:
        OSError: a file cannot be written.
    """
    plain = msgspec.to_builtins(result)
    for figure, row in zip(result.figures, plain["figures"], strict=True):
        row["median"] = figure.median if figure.values else None
    text = msgspec.json.format(msgspec.json.encode(plain), indent=2)
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text + b"\n")
