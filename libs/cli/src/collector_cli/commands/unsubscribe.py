"""``collector unsubscribe``: take symbols from a running ingestor."""

from __future__ import annotations

from typing import Annotated

import typer
from msgspec.structs import replace

from collector_cli.bus.control import ControlTopic, wanted
from collector_cli.lazy import new_app
from collector_core.errors import SettingsError

__all__ = ["app", "unsubscribe"]

app = new_app()


@app.command()
def unsubscribe(
    exchange: Annotated[str, typer.Argument(metavar="EXCHANGE")],
    symbol: Annotated[
        str,
        typer.Argument(
            metavar="BASE/QUOTE",
            help="A symbol, or a pattern in quotes: '*/USDT', 'BTC/*', '*/*'.",
        ),
    ],
    channels: Annotated[
        str,
        typer.Option(metavar="A,B", help="Only these channels of a symbol subscribed to before."),
    ] = "",
    intervals: Annotated[
        str, typer.Option(metavar="1m,1h", help="Only these intervals of its candles.")
    ] = "",
    as_configured: Annotated[
        bool,
        typer.Option(
            "--as-configured",
            help="Take the row away: patterns that fit, or the ingestor's settings, count again.",
        ),
    ] = False,
) -> None:
    """Take symbols, or some of their channels, from a running ingestor.

    Each stream that ends leaves a stopped row in its topic. The topics stay. A pattern stops what
    no nearer row or setting wants: a symbol that is subscribed by its name goes on. Write patterns
    in quotes ('*/USDT'), or the shell puts names of files in their place.
    """
    lost = wanted(exchange, symbol, channels, intervals)
    partly = bool(lost.channels or lost.intervals)
    if as_configured and partly:
        raise SettingsError("expected --as-configured alone, was with --channels or --intervals")
    topic = ControlTopic()
    if as_configured:
        topic.write(exchange, symbol, None)
        typer.echo(f"{exchange} {symbol}: as configured")
        return
    if not partly:
        topic.write(exchange, symbol, lost)
        typer.echo(f"{exchange} {symbol}: stopped")
        return
    held = topic.read(exchange, symbol)
    if held is None:
        raise SettingsError(
            f"expected a row for {exchange} {symbol} in the control topic to take something from, "
            f"was none: say with subscribe what is to be kept"
        )
    if lost.intervals and not held.intervals:
        raise SettingsError(
            f"expected intervals in the row of {exchange} {symbol}, was none, which means those of "
            f"the ingestor's settings: say with subscribe which are to be kept"
        )
    spans = tuple(span for span in held.intervals if span not in lost.intervals)
    names = tuple(name for name in held.channels if name not in lost.channels)
    if lost.intervals and not spans:
        # no interval would mean those of the settings
        names = tuple(name for name in names if name != "candle")
    topic.write(exchange, symbol, replace(held, channels=names, intervals=spans))
    typer.echo(f"{exchange} {symbol}: {', '.join(names) or 'stopped'}")
