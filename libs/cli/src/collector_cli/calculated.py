"""What ``collector indicators compute`` reads, and the rows that follow from it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from collector_cli.bus.span import parse_bound, read_range
from collector_core.codec import decode
from collector_core.errors import CodecError, SettingsError, SymbolError
from collector_core.events import Event
from collector_core.symbols import split
from collector_indicators.candle_file import read_candles
from collector_indicators.engine import Engine, compute
from collector_indicators.following import Following
from collector_indicators.plan import INPUTS, Entry, Plan
from collector_indicators.plan_file import read_plan
from collector_indicators.row_file import read_rows
from collector_indicators.selection import parse_set
from collector_indicators.settings import CalculationSettings
from collector_runtime.settings import Settings

__all__ = ["channel_in", "over_candles", "over_rows", "over_topic", "plan_in", "plan_of"]


def over_candles(
    file: str, chosen: str, exchange: str, symbol: str, interval: str | None
) -> Iterator[Event]:
    """Yield the closed values over a file of candles, each of its series by itself.

    Raises:
        SettingsError: the file, or what is chosen, is wrong.
    """
    indicators = parse_set(chosen)
    try:
        split(symbol)
    except SymbolError as error:
        raise SettingsError(f"--symbol: {error}") from error
    with _lines(file) as lines:
        candles = read_candles(lines, exchange=exchange, symbol=symbol, interval=interval)
    yield from compute(candles, indicators)


def over_rows(file: str, plan: Plan, complain: Callable[[str], None]) -> Iterator[Event]:
    """Yield what follows from a file of the bus's rows by a plan.

    Raises:
        SettingsError: a line is no row.
    """
    with _lines(file) as lines:
        yield from _follow(read_rows(lines), plan, complain)


def over_topic(
    topic: str, span: tuple[str, str | None], plan: Plan, complain: Callable[[str], None]
) -> Iterator[Event]:
    """Yield what follows from a range of a topic by a plan: what the service publishes by it.

    Args:
        topic: its whole name.
        span: from and to, as the options say them.
        plan: what to compute.
        complain: is told of rows that are left out.

    Raises:
        SettingsError: there is no such topic, or the plan reads none of its kind.
        BrokerError: Kafka does not answer.
    """
    begin = parse_bound(span[0], "--from")
    end = None if span[1] is None else parse_bound(span[1], "--to")
    channel = channel_in(topic)
    if channel not in plan.channels:
        raise SettingsError(
            f"--topic: expected one of the channels that the plan reads "
            f"({', '.join(sorted(plan.channels))}), was {channel!r} in {topic!r}"
        )
    wrong = 0

    def rows() -> Iterator[Event]:
        nonlocal wrong
        kafka = Settings.load().kafka("collector-indicators")
        for value in read_range(kafka, topic, begin, end, complain):
            try:
                yield decode(value)
            except CodecError:
                # as the service does
                wrong += 1

    yield from _follow(rows(), plan, complain)
    if wrong:
        complain(f"{wrong} rows are no events of ours and were left out")


def channel_in(topic: str) -> str:
    """Return the channel that a topic's name says.

    Raises:
        SettingsError: it is no data topic of this installation.
    """
    try:
        return Settings.load().topics().parse(topic).channel
    except SymbolError as error:
        raise SettingsError(f"--topic: {error}") from error


def plan_in(file: str) -> Plan:
    """Return the plan that a file has.

    Raises:
        SettingsError: names the line, what was expected and what came.
    """
    path = Path(file)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"expected a readable file at {path}, was {error}") from error
    return read_plan(text, str(path), str(path.parent))


def plan_of(topic: str, chosen: str, intervals: str) -> Plan:
    """Return a plan for one topic, closed values alone.

    Raises:
        SettingsError: nothing is computed from such a topic, or what is chosen is wrong.
    """
    channel = channel_in(topic)
    if channel not in INPUTS:
        raise SettingsError(f"--topic: expected a topic of {' or '.join(INPUTS)}, was {topic!r}")
    settings = CalculationSettings(
        INPUTS[channel],  # type: ignore[arg-type]  # the mapping's values are the setting's words
        tuple(intervals.split(",")),
        parse_set(chosen),
        live_every=None,
    )
    return Plan([Entry(Following(["*:*"]), settings)])


def _follow(rows: Iterable[Event], plan: Plan, complain: Callable[[str], None]) -> Iterator[Event]:
    engine = Engine(plan)
    yield from engine.run(rows)
    if engine.unusable:
        complain(f"{engine.unusable} rows have numbers that are none and were left out")
    if engine.foreign and not engine.streams:
        complain(f"the plan selects none of the {engine.foreign} rows")


@contextmanager
def _lines(file: str) -> Iterator[Iterable[str]]:
    """Open a file; whatever is wrong with it is said with its name."""
    name = "stdin" if file == "-" else file
    try:
        with (
            sys.stdin if file == "-" else open(file, encoding="utf-8") as lines  # noqa: PTH123 - beside stdin
        ):
            yield lines
    except OSError as error:
        raise SettingsError(f"expected a readable file, was {name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"expected a text in UTF-8, was {name}: {error}") from error
    except SettingsError as error:
        raise SettingsError(f"{name}: {error}") from error
