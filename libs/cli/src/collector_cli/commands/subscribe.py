"""``collector subscribe``: add symbols to a running ingestor."""

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
    symbol: Annotated[
        str,
        typer.Argument(
            metavar="BASE/QUOTE",
            help="A symbol, or a pattern in quotes: '*/USDT', 'BTC/*', '*/*'.",
        ),
    ],
    channels: Annotated[
        str, typer.Option(metavar="A,B", help="All that is wanted of it from now on.")
    ] = CHANNELS,
    intervals: Annotated[
        str,
        typer.Option(metavar="1m,1h", help="Of the candles; without it the ingestor's settings."),
    ] = "",
) -> None:
    """Add symbols to a running ingestor, or change their channels.

    Writes the row of a symbol or pattern in the control topic, which holds in place of the
    ingestor's settings, also after a restart, until it is written again. An ingestor that does not
    run yet obeys when it does.

    A pattern follows the exchange's listings: * stands for any letters, ? for one, [AB] for one of
    those. A row of one symbol outweighs every pattern, and of two patterns the nearer one counts:
    BTC/* before */USDT before */*. Write patterns in quotes ('*/USDT'), or the shell puts names of
    files in their place.
    """
    row = wanted(exchange, symbol, channels, intervals)
    if not row.channels:
        raise SettingsError("--channels: expected at least one; to stop a symbol, unsubscribe it")
    ControlTopic().write(exchange, symbol, row)
    spans = f" ({', '.join(row.intervals)})" if row.intervals else ""
    typer.echo(f"{exchange} {symbol}: {', '.join(row.channels)}{spans}")
