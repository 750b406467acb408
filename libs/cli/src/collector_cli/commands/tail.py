"""``collector tail``: rows of the bus as they come."""

from __future__ import annotations

import sys
from typing import Annotated, Final

import typer

from collector_cli.bus.choice import Choice
from collector_cli.bus.describe import clock_time, describe
from collector_cli.bus.reader import BusReader
from collector_cli.bus.start import parse_start
from collector_cli.lazy import new_app
from collector_cli.output import Output
from collector_core.codec import decode
from collector_core.errors import CodecError
from collector_runtime.settings import Settings

__all__ = ["app", "tail"]

app = new_app()

_WAIT: Final = 0.1
"""Seconds for which rows are gathered before they are shown."""


@app.command()
def tail(
    channel: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CHANNEL",
            help="trade, ticker, book, depth, candle, bar, indicator, instrument; or status or "
            "dead-letter, which are read only if named. May be given several times.",
        ),
    ] = None,
    exchange: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="May be given several times.")
    ] = None,
    symbol: Annotated[
        list[str] | None,
        typer.Option(metavar="BASE/QUOTE", help="May be given several times."),
    ] = None,
    start: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="earliest|latest|TIME",
            help="The first row kept, only new rows, or rows published from a time on: ISO 8601 "
            "(UTC unless it says otherwise), or a number since the epoch that is taken for "
            "seconds below 1e11, milliseconds below 1e14, else microseconds.",
        ),
    ] = "latest",
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="End after so many rows.")
    ] = None,
    follow: Annotated[
        bool, typer.Option(help="Wait for more rows at the end, or end there.")
    ] = True,
    pretty: Annotated[
        bool, typer.Option("--pretty", help="A short line for people instead of JSON.")
    ] = False,
) -> None:
    """Print rows of the bus as they come, one JSON object a line.

    The lines are the rows' own bytes. Only rows of committed transactions are read. Topics are
    found through the catalogue, in either layout, and symbols that turn up later are read from
    their first row. Rows of one symbol and channel come in order.
    """
    choice = Choice(frozenset(channel or ()), frozenset(exchange or ()), frozenset(symbol or ()))
    begin = parse_start(start)
    settings = Settings.load()
    output = Output()
    left = limit if limit is not None else sys.maxsize
    with BusReader(
        settings.kafka("collector-tail"), settings.topics(), choice, begin, _complain
    ) as reader:
        if reader.nothing is not None:
            _complain(reader.nothing)
        while left > 0 and (follow or not reader.ended):
            rows = [message.value() or b"" for message in reader.read(_WAIT)[:left]]
            left -= len(rows)
            output.lines(_pretty(row) for row in rows) if pretty else output.lines(rows)
            output.flush()


def _pretty(row: bytes) -> bytes:
    try:
        event = decode(row)
    except CodecError:
        # a dead letter, or a row of a later version: shown as it is
        return row
    time = clock_time(event.receive_time)
    kind = event.__struct_config__.tag
    return f"{time} {event.exchange:9} {event.symbol:12} {kind:10} {describe(event)}".encode()


def _complain(sentence: str) -> None:
    sys.stderr.write(f"collector: {sentence}\n")
