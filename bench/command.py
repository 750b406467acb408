"""The command line of the benchmarks (docs/benchmarks.md)."""

from __future__ import annotations

import argparse
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from bench import decode, indicators, ingest, latency, path, restore, service, session
from bench.environments import ROOT
from bench.figures import Figure
from bench.machine import describe
from bench.processes import Failed
from bench.report import Result, show, write
from rich.console import Console

from collector_testkit.broker import Unavailable, start_kafka

__all__ = ["SECTIONS", "Order", "main", "parse"]

SECTIONS: Final = (
    "frames",
    "decode",
    "ingest",
    "indicators",
    "service",
    "restore",
    "latency",
)
"""What ``--only`` may name; ``ingest`` is the way layer by layer too."""
_OF_BROKER: Final[Mapping[str, Callable[..., list[Figure]]]] = {
    "ingest": ingest.run,
    "service": service.run,
    "restore": restore.run,
    "latency": latency.run,
}
_FEW: Final = 3
"""Most runs of what takes minutes each; three of them show the spread."""
_LATEST: Final = ROOT / "bench" / "results" / "latest.json"
_FAILED: Final = 1
_NO_BROKER: Final = 3


class Order(NamedTuple):
    """What is to be measured."""

    sections: tuple[str, ...]
    runs: int
    quick: bool
    json: Path | None


def parse(arguments: Sequence[str]) -> Order:
    """Return what the command line asks for; argparse ends the program on a wrong one."""
    parser = argparse.ArgumentParser(prog="bench/run.py", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rows and runs, some minutes")
    parser.add_argument("--only", default=",".join(SECTIONS), help=f"of {', '.join(SECTIONS)}")
    parser.add_argument("--runs", type=int, help="measured runs of each (5; with --quick 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result here as well")
    given = parser.parse_args(arguments)
    sections = tuple(given.only.split(","))
    for section in sections:
        if section not in SECTIONS:
            parser.error(f"--only: expected some of {','.join(SECTIONS)}, was {section!r}")
    runs = (1 if given.quick else 5) if given.runs is None else given.runs
    if runs < 1:
        parser.error(f"--runs: expected at least 1, was {runs}")
    return Order(sections, runs, given.quick, given.json)


def main(arguments: Sequence[str]) -> int:
    """Measure, print, write; return 1 if something could not be measured."""
    order = parse(arguments)
    console, progress = Console(width=_width()), Console(stderr=True)
    started, began = datetime.now(UTC), time.monotonic()
    machine = describe()

    def say(text: str) -> None:
        progress.print(f"[dim]{time.monotonic() - began:6.0f} s  {text}[/dim]", highlight=False)

    try:
        broker, figures = _measure(order, say)
    except Unavailable as reason:
        progress.print(f"benchmarks need a broker: {reason}", highlight=False)
        return _NO_BROKER
    seconds = time.monotonic() - began
    result = Result(
        started.isoformat(timespec="seconds"), seconds, order.quick, order.runs, _commit(),
        machine, broker, figures,
    )  # fmt: skip
    show(result, console)
    write(result, [_LATEST, *([order.json] if order.json else [])])
    progress.print(f"written to {_LATEST.relative_to(ROOT)}", highlight=False)
    # what is merely not installed in a quick run is no failure of it
    failed = any(figure.failure and not figure.values for figure in figures)
    return _FAILED if failed and not order.quick else 0


def _measure(order: Order, say: Callable[[str], None]) -> tuple[str, list[Figure]]:
    figures: list[Figure] = []
    runs, quick, broker = order.runs, order.quick, "none"
    if "frames" in order.sections:
        figures += _try("frames", lambda: session.run(runs, quick=quick, say=say))
    if "decode" in order.sections:
        figures += _try("decode", lambda: decode.run(runs, quick=quick, say=say))
    if "indicators" in order.sections:
        figures += _try("indicators", lambda: indicators.run(runs, quick=quick, say=say))
    if "ingest" in order.sections:
        figures += _try("path", lambda: path.run(runs, quick=quick, say=say))
    of_broker = [section for section in _OF_BROKER if section in order.sections]
    if of_broker:
        with _broker(say) as (bootstrap, broker):
            for section in of_broker:
                few = runs if section == "ingest" else min(runs, _FEW)
                measure = partial(_OF_BROKER[section], bootstrap, few, quick=quick, say=say)
                figures += _try(section, measure)
    return broker, figures


def _try(section: str, measure: Callable[[], list[Figure]]) -> list[Figure]:
    """Return the figures of a section, or why there are none; the others are wanted anyway."""
    try:
        return measure()
    except Failed as error:
        return [Figure(section, "all of it", "-", failure=str(error))]


@contextmanager
def _broker(say: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    named = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if named:
        yield named, f"{named} of KAFKA_BOOTSTRAP_SERVERS"
        return
    say("starting Apache Kafka")
    with start_kafka() as local:
        yield local.bootstrap_servers, "Apache Kafka on the same machine, one node"


def _commit() -> str:
    done = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude=*"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


def _width() -> int | None:
    # a pipe has no width of its own; the table needs some
    return None if os.isatty(1) else 160
