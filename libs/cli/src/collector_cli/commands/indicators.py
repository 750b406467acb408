"""``collector indicators``: what there is, and values over a file of candles."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import msgspec
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from collector_cli.lazy import new_app
from collector_cli.output import Output
from collector_core.codec import encode
from collector_core.errors import SettingsError, SymbolError
from collector_core.symbols import split
from collector_indicators.candle_file import read_candles
from collector_indicators.discovery import AnyIndicator, indicators
from collector_indicators.engine import compute as compute_rows
from collector_indicators.selection import parse_set

__all__ = ["app", "compute", "list_indicators"]

app = new_app("List the indicators, or compute them over a file of candles.")


@app.command(name="list")
def list_indicators(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for machines.")] = False,
) -> None:
    """List the indicators with their parameters, defaults and outputs."""
    found = [_described(kind) for kind in indicators().values()]
    if as_json:
        output = Output()
        output.line(msgspec.json.encode(found))
        output.flush()
        return
    table = Table("name", "default", "parameters", "outputs", "what it is", box=box.SIMPLE_HEAD)
    for entry in found:
        table.add_row(
            entry["name"],
            entry["default"],
            ":".join(entry["parameters"]),
            ", ".join(entry["outputs"]),
            entry["description"],
        )
    Console().print(table)


def _described(kind: type[AnyIndicator]) -> dict[str, Any]:
    fields = msgspec.structs.fields(kind.parameters_type)
    params = kind.create().params
    return {
        "name": kind.name,
        "default": f"{kind.name}:{params}" if params else kind.name,
        "parameters": {field.name: field.default for field in fields},
        "outputs": list(kind.outputs),
        "description": " ".join((kind.__doc__ or "").partition("\n\n")[0].split()),
    }


@app.command()
def compute(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Candles; - is standard input.")],
    indicator_set: Annotated[
        str,
        typer.Option(
            "--set",
            metavar="LIST",
            help="For example rsi:14,macd:12:26:9,bollinger:20:2,vwap; parameters that are left "
            "out take their defaults.",
        ),
    ],
    symbol: Annotated[
        str, typer.Option(metavar="BASE/QUOTE", help="Symbol of rows that do not name one.")
    ] = "FILE/FILE",
    exchange: Annotated[
        str, typer.Option(metavar="NAME", help="Exchange of rows that do not name one.")
    ] = "file",
    interval: Annotated[
        str | None,
        typer.Option(
            metavar="1m", help="Interval of rows that do not name one; else by their distance."
        ),
    ] = None,
) -> None:
    """Print the indicator rows over a file of closed candles, as JSON lines.

    FILE is CSV with a header, or JSON lines: open_time, open, high, low, close, volume, and
    perhaps quote_volume and trade_count; rows of a candle topic do as well. Times are ISO 8601, or
    numbers since the epoch in seconds, milliseconds or microseconds, told apart by size. The rows
    are those that the indicator service publishes for closed candles.
    """
    chosen = parse_set(indicator_set)
    try:
        split(symbol)
    except SymbolError as error:
        raise SettingsError(f"--symbol: {error}") from error
    name = "stdin" if file == "-" else file
    try:
        with (
            sys.stdin if file == "-" else open(file, encoding="utf-8") as lines  # noqa: PTH123 - beside stdin
        ):
            candles = read_candles(lines, exchange=exchange, symbol=symbol, interval=interval)
    except OSError as error:
        raise SettingsError(f"expected a readable file, was {name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"expected a text in UTF-8, was {name}: {error}") from error
    except SettingsError as error:
        raise SettingsError(f"{name}: {error}") from error
    output = Output()
    for row in compute_rows(candles, chosen):
        output.line(encode(row))
    output.flush()
