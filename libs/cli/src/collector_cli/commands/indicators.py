"""``collector indicators``: what there is, and values over a file or a topic."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from collector_cli.calculated import over_candles, over_rows, over_topic, plan_in, plan_of
from collector_cli.lazy import new_app
from collector_cli.output import Output
from collector_core.codec import encode
from collector_core.errors import SettingsError
from collector_core.events import Event
from collector_indicators.conformance import violations
from collector_indicators.discovery import AnyKind, indicators, load_file, load_module

__all__ = ["app", "check", "compute", "list_indicators"]

app = new_app("List the indicators, check your own, or compute them over a file or a topic.")


@app.command(name="list")
def list_indicators(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for machines.")] = False,
) -> None:
    """List the indicators with their inputs, parameters, defaults and outputs."""
    found = [_described(kind) for kind in indicators().values()]
    if as_json:
        output = Output()
        output.line(msgspec.json.encode(found))
        output.flush()
        return
    for inputs in sorted({tuple(entry["inputs"]) for entry in found}, reverse=True):
        title = f"over {' or '.join(inputs)}"
        table = Table(
            *("name", "default", "parameters", "outputs", "what it is"),
            title=title,
            box=box.SIMPLE_HEAD,
        )
        for entry in found:
            if tuple(entry["inputs"]) == inputs:
                table.add_row(
                    entry["name"],
                    entry["default"],
                    ":".join(entry["parameters"]),
                    ", ".join(entry["outputs"]),
                    entry["description"],
                )
        Console().print(table)


def _described(kind: AnyKind) -> dict[str, Any]:
    fields = msgspec.structs.fields(kind.parameters_type)
    params = kind.create().params
    return {
        "name": kind.name,
        "default": f"{kind.name}:{params}" if params else kind.name,
        "parameters": {field.name: field.default for field in fields},
        "inputs": list(kind.inputs),
        "outputs": list(kind.outputs),
        "description": " ".join((kind.__doc__ or "").partition("\n\n")[0].split()),
    }


@app.command()
def check(
    target: Annotated[
        str, typer.Argument(metavar="MODULE", help="A Python file, or an importable module.")
    ],
) -> None:
    """Ask of a user's indicators what is asked of ours: exact restores, finite values, bounds.

    A line for each indicator, and below it what it breaks; the status is 1 if there is anything.
    """
    kinds = load_file(target) if target.endswith(".py") else load_module(target)
    output = Output()
    broken = 0
    for kind in kinds:
        found = violations(kind)
        broken += bool(found)
        verdict = "breaks" if found else "keeps"
        output.line(f"{kind.name}: {verdict} the contract".encode())
        for sentence in found:
            output.line(f"  {sentence}".encode())
    output.flush()
    if broken:
        raise typer.Exit(1)


@app.command()
def compute(  # noqa: PLR0913, PLR0917 - each is an option of the command
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE]", help="Candles, or with --plan rows of the bus; - is standard input."
        ),
    ] = None,
    indicator_set: Annotated[
        str | None,
        typer.Option(
            "--set",
            metavar="LIST",
            help="For example rsi:14,macd:12:26:9,bollinger:20:2,vwap; parameters that are left "
            "out take their defaults.",
        ),
    ] = None,
    plan: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="The indicator service's plan, in place of --set."),
    ] = None,
    topic: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="A topic of trades or candles, in place of FILE."),
    ] = None,
    begin: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="earliest|offset:N|TIME",
            help="With --topic: the first row kept, a place, or rows published from a time on: "
            "ISO 8601 or a number since the epoch, as of tail.",
        ),
    ] = "earliest",
    end: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="offset:N|TIME",
            help="With --topic: before which to end; else at what is now its end.",
        ),
    ] = None,
    modules: Annotated[
        list[str] | None,
        typer.Option("--module", metavar="FILE", help="A Python file with more indicators."),
    ] = None,
    symbol: Annotated[
        str, typer.Option(metavar="BASE/QUOTE", help="Symbol of candles that do not name one.")
    ] = "FILE/FILE",
    exchange: Annotated[
        str, typer.Option(metavar="NAME", help="Exchange of candles that do not name one.")
    ] = "file",
    interval: Annotated[
        str | None,
        typer.Option(
            metavar="1m",
            help="Interval of candles that do not name one, else by their distance; with --topic "
            "and --set the intervals, 1s,1m.",
        ),
    ] = None,
) -> None:
    """Print the rows over a file or a topic, as JSON lines: those that the service publishes.

    FILE is CSV with a header, or JSON lines: open_time, open, high, low, close, volume, and
    perhaps quote_volume and trade_count; rows of a candle topic do as well. Times are ISO 8601, or
    numbers since the epoch in seconds, milliseconds or microseconds, told apart by size. The rows
    are those for closed candles.

    With --plan FILE holds rows of the bus, as tail prints them, of any number of streams; with
    --topic they are read from Kafka. The rows are then all that the indicator service publishes
    by that plan, byte for byte if it began at the same row.
    """
    for module in modules or ():
        load_file(module)
    output = Output()
    for row in _rows(file, indicator_set, plan, topic, (begin, end), (exchange, symbol, interval)):
        output.line(encode(row))
    output.flush()


def _rows(
    file: str | None,
    chosen: str | None,
    plan: str | None,
    topic: str | None,
    span: tuple[str, str | None],
    series: tuple[str, str, str | None],
) -> Iterator[Event]:
    if (chosen is None) == (plan is None):
        raise SettingsError("expected one of --set and --plan")
    if (file is None) == (topic is None):
        raise SettingsError("expected one of FILE and --topic")
    if topic is not None:
        if plan is not None:
            wanted = plan_in(plan)
        elif series[2] is None:
            raise SettingsError("--topic with --set: expected --interval, such as 1s,1m, was none")
        else:
            wanted = plan_of(topic, chosen or "", series[2])
        return over_topic(topic, span, wanted, _complain)
    if span != ("earliest", None):
        raise SettingsError("expected --from and --to with --topic alone")
    if plan is not None:
        return over_rows(file or "", plan_in(plan), _complain)
    return over_candles(file or "", chosen or "", *series)


def _complain(sentence: str) -> None:
    sys.stderr.write(f"collector: {sentence}\n")
