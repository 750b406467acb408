"""``collector subscribe``: add a symbol to a running ingestor."""

from __future__ import annotations

from typing import Annotated

import typer

from collector_cli.bus.control import CHANNELS, ControlTopic, wanted
from collector_cli.lazy import new_app
from collector_core.errors import SettingsError

__all__ = ["app", "subscribe"]

app = new_app()


@app.command()
def subscribe(
    exchange: Annotated[str, typer.Argument(metavar="EXCHANGE")],
    symbol: Annotated[str, typer.Argument(metavar="BASE/QUOTE")],
    channels: Annotated[
        str, typer.Option(metavar="A,B", help="All that is wanted of the symbol from now on.")
    ] = CHANNELS,
    intervals: Annotated[
        str,
        typer.Option(metavar="1m,1h", help="Of the candles; without it the ingestor's settings."),
    ] = "",
) -> None:
    """Add a symbol to a running ingestor, or change its channels.

    Writes the symbol's row of the control topic, which holds in place of the ingestor's settings,
    also after a restart, until it is written again. An ingestor that does not run yet obeys when
    it does.
    """
    row = wanted(exchange, symbol, channels, intervals)
    if not row.channels:
        raise SettingsError("--channels: expected at least one; to stop a symbol, unsubscribe it")
    ControlTopic().write(exchange, symbol, row)
    spans = f" ({', '.join(row.intervals)})" if row.intervals else ""
    typer.echo(f"{exchange} {symbol}: {', '.join(row.channels)}{spans}")
