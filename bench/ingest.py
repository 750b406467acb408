"""Ingest: from a frame on a socket to a row in Kafka, beside peers in the same run.

Every contestant gets the same frames, the same broker and topics of its own, in alternating
order. What is warmed up before is not counted. CPU time is that of the contestant's process with
all its threads, from the word to begin to the last row in Kafka; rows/s are by the end offsets of
the topics, from the first row seen there to the last. Afterwards every row is read back: a run in
which a trade is missing, doubled or out of place is a failure.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from bench.contestants import OURS, Contestant, Place, contestants
from bench.environments import Missing, python_of
from bench.feed import Feed
from bench.figures import Figure, find, ratio
from bench.machine import load
from bench.processes import Failed, Program, cpu_seconds, thread_seconds
from bench.topics import Topics

__all__ = ["CPU", "RATE", "Run", "measure", "run"]

CPU: Final = "CPU µs/row"
RATE: Final = "rows/s"
_QUIET: Final = 0.3
_WARM: Final = "warming the broker up"


class Run(NamedTuple):
    """One measured run."""

    cpu: float
    """CPU µs a row."""
    rate: float
    """Rows a second."""
    threads: dict[str, float]
    """CPU µs a row by the name of the thread."""


def run(bootstrap: str, runs: int, *, quick: bool, say: Callable[[str], None]) -> list[Figure]:
    """Return the figures of all contestants, ratios to our own."""
    figures: list[Figure] = []
    wanted = contestants(quick=quick)
    taking_part = list(_installed(wanted, quick, figures, say))
    most = max(c.warm_up + c.rows for c in wanted if c.feed == "trades")
    few = max(c.warm_up + c.rows for c in wanted if c.feed == "aggregates")
    with Feed(most) as trades, Feed(few, "aggTrade", combined=True) as aggregates:
        say(_WARM)
        floor = next(c for c in taking_part if not c.feed)
        for number in range(2):
            measure(floor, Place(bootstrap, f"bench-warm-{number}", trades, aggregates))
        for number in range(runs):
            # alternating, so that what drifts during the run meets each at another place
            turn = number % len(taking_part)
            for contestant in [*taking_part[turn:], *taking_part[:turn]]:
                say(f"run {number + 1} of {runs}: {contestant.name}")
                place = Place(bootstrap, f"bench-{number}-{id(contestant)}", trades, aggregates)
                _note(figures, contestant, place)
    for figure in figures:
        ratio(figure, find(figures, OURS, figure.quantity))
    order = [c.name for c in wanted]
    return sorted(figures, key=lambda figure: (figure.quantity, order.index(figure.subject)))


def _installed(
    wanted: Iterable[Contestant],
    quick: bool,  # noqa: FBT001  # private, one call
    figures: list[Figure],
    say: Callable[[str], None],
) -> Iterable[Contestant]:
    for contestant in wanted:
        peer = contestant.name.split(" ", maxsplit=1)[0]
        if peer in {"plain", "cryptofeed"}:
            say(f"environment of {peer}")
            try:
                python_of(peer, install=peer == "plain" or not quick)
            except Missing as reason:
                _fail(figures, contestant, str(reason))
                continue
        yield contestant


def _note(figures: list[Figure], contestant: Contestant, place: Place) -> None:
    at = load()
    try:
        done = measure(contestant, place)
    except (Failed, OSError) as error:
        _fail(figures, contestant, str(error))
        return
    threads = sorted(done.threads.items(), key=lambda item: -item[1])
    parts = ", ".join(f"{name} {value:.2f}" for name, value in threads if value >= 0.05)
    for quantity, value in ((CPU, done.cpu), (RATE, done.rate)):
        figure = _figure(figures, contestant, quantity)
        figure.values.append(value)
        figure.load = max(figure.load, at)
        figure.note = contestant.note
        if contestant.name == OURS and quantity == CPU:
            figure.note = f"threads of the last run: {parts}"


def _fail(figures: list[Figure], contestant: Contestant, reason: str) -> None:
    for quantity in (CPU, RATE):
        _figure(figures, contestant, quantity).failure = reason


def _figure(figures: list[Figure], contestant: Contestant, quantity: str) -> Figure:
    figure = find(figures, contestant.name, quantity)
    if figure is None:
        figure = Figure("ingest", contestant.name, quantity)
        figures.append(figure)
    return figure


def measure(contestant: Contestant, place: Place) -> Run:
    """Run a contestant once.

    Raises:
        Failed: it did not bring every row, or not in order.
    """
    topics = Topics(place.bootstrap, contestant.topics(place.prefix))
    topics.create()
    feed = {"trades": place.trades, "aggregates": place.aggregates}.get(contestant.feed)
    if feed is not None:
        feed.forget()
    try:
        with contestant.start(place) as program:
            send = _sender(program, feed, contestant.timeout)
            base = topics.settled(_QUIET, contestant.timeout)
            if contestant.warm_up:
                send(contestant.warm_up)
                topics.watch(base, contestant.warm_up, contestant.timeout, program.check)
            base = topics.settled(_QUIET, contestant.timeout)
            done = _timed(contestant, topics, base, program, send)
            topics.settled(_QUIET, contestant.timeout)
        topics.check_trades((contestant.warm_up + contestant.rows) // len(topics.names))
    finally:
        topics.delete(place.prefix)
    return done


def _sender(program: Program, feed: Feed | None, timeout: float) -> Callable[[int], None]:
    if feed is None:
        return lambda rows: program.tell(str(rows))
    feed.await_client(timeout, program.check)
    return feed.go


def _timed(
    contestant: Contestant,
    topics: Topics,
    base: int,
    program: Program,
    send: Callable[[int], None],
) -> Run:
    rows = contestant.rows
    before, threads = cpu_seconds(program.pid), thread_seconds(program.pid)
    began = time.perf_counter()
    send(rows)
    arrival = topics.watch(base, rows, contestant.timeout, program.check)
    cpu = cpu_seconds(program.pid) - before
    after = thread_seconds(program.pid)
    since, first = arrival.first, arrival.first_count
    if first >= arrival.last_count:
        # all of them came between two looks
        since, first = began, 0
    return Run(
        cpu / rows * 1e6,
        (arrival.last_count - first) / (arrival.last - since),
        {name: (after[name] - threads.get(name, 0.0)) / rows * 1e6 for name in after},
    )
