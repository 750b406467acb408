"""``collector run``: everything on this machine."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from collector_cli.lazy import new_app
from collector_cli.run.plan import Options, Programs
from collector_cli.run.session import run as run_session
from collector_core.errors import SettingsError

__all__ = ["PROGRAMS", "app", "run"]

app = new_app()

PROGRAMS = Programs()


@app.command()
def run(
    live: Annotated[
        bool, typer.Option("--live", help="The real exchanges instead of simulated ones.")
    ] = False,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, metavar="N", help="End after so many seconds.")
    ] = None,
    exchange: Annotated[
        str,
        typer.Option(
            metavar="A,B",
            help="Which exchanges, or all; by default one for each way in which a book begins.",
        ),
    ] = "",
    symbols: Annotated[
        str,
        typer.Option(
            metavar="exchange:BASE/QUOTE,...",
            help="Which symbols; by default BTC and ETH against each exchange's main quote.",
        ),
    ] = "",
    broker_port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            metavar="PORT",
            help="Port of the embedded broker, 0 for a free one; by default 9092 if it is free, "
            "else another.",
        ),
    ] = None,
    log_folder: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where logs go; by default a new temporary folder."),
    ] = None,
) -> None:
    """Start everything on this machine and watch rows flow.

    Starts a Kafka broker (none if KAFKA_BOOTSTRAP_SERVERS names one), simulated exchanges (none
    with --live), an ingestor for each exchange and the indicator service, and shows what arrives
    on the bus: rows and rows a second of each channel and exchange, the lag (from the arrival of
    the frame until the row was read here) and the last value. On Ctrl-C or after N seconds
    everything is ended, and the last line on standard output is a JSON object with the rows.

    The embedded broker keeps everything in memory and forgets it at the end.
    """
    options = Options(live, seconds, _words(exchange), _words(symbols), broker_port)
    run_session(options, PROGRAMS, _folder(log_folder))


def _folder(wanted: Path | None) -> Path:
    try:
        if wanted is None:
            return Path(tempfile.mkdtemp(prefix="collector-run-"))
        wanted.mkdir(parents=True, exist_ok=True)
        probe = wanted / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SettingsError(f"expected a folder to write logs to, was {error}") from error
    return wanted


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())
