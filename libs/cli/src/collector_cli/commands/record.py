"""``collector record``: raw frames of an exchange to files."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from collector_cli.lazy import new_app
from collector_cli.record.plan import Plan, subscriptions_of
from collector_cli.record.run import RecordingRun
from collector_core.errors import CollectorError
from collector_runtime.lifecycle import CLEAN, Supervisor
from collector_runtime.lifecycle import run as run_service
from collector_runtime.logs import configure
from collector_runtime.recording import JournalOptions, Manifest

__all__ = ["app", "record"]

app = new_app()

_PROGRESS: Final = 5.0
"""Seconds between two lines of progress."""
_SHUTDOWN: Final = 40.0
"""Seconds for an orderly end, with those that a slow disk is given."""
_MEGABYTE: Final = 1_000_000


@app.command()
def record(  # noqa: PLR0913, PLR0917 - each is an option of the command
    exchange: Annotated[
        str, typer.Option(metavar="NAME", help="As `collector exchanges` lists it.")
    ],
    symbols: Annotated[str, typer.Option(metavar="A/B,C/D", help="Symbols in our spelling.")],
    directory: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Where to; it must hold no recording yet.")
    ],
    channels: Annotated[
        str,
        typer.Option(
            metavar="A,B",
            help="By default trade, ticker, book and candle, as far as the exchange pushes them.",
        ),
    ] = "",
    intervals: Annotated[
        str, typer.Option(metavar="1m,1h", help="Of the candles; by default the shortest common.")
    ] = "",
    seconds: Annotated[
        float | None, typer.Option(min=0.1, metavar="N", help="End after so many seconds.")
    ] = None,
    websocket_url: Annotated[
        str | None, typer.Option(metavar="URL", help="In place of the exchange's own.")
    ] = None,
    rest_url: Annotated[str | None, typer.Option(metavar="URL", help="Likewise.")] = None,
    proxy: Annotated[
        str | None, typer.Option(metavar="URL", help="http:// or socks5:// proxy.")
    ] = None,
    file_megabytes: Annotated[
        float, typer.Option(min=0.01, metavar="N", help="Compressed size of a file.")
    ] = 64.0,
    file_seconds: Annotated[
        float, typer.Option(min=0.1, metavar="N", help="Time that a file is written to.")
    ] = 3_600.0,
) -> None:
    """Store raw frames of an exchange, for `collector replay`.

    Connects as the ingestor does, resynchronizes and reconnects as it does, and writes every
    frame as it came, with what was sent and the REST answers, to compressed files with a
    manifest.json. No Kafka is needed. Ends after N seconds or on Ctrl-C; progress goes to standard
    error, a summary as one JSON object to standard output.

    A disk that is full or slow stops no frame from being read: what is not stored is counted, and
    the manifest names it; the exit status is then 1, as it is if no frame came at all.
    """
    journal = JournalOptions(round(file_megabytes * _MEGABYTE), file_seconds)
    plan = Plan(
        exchange,
        subscriptions_of(exchange, _words(symbols), _words(channels), _words(intervals)),
        directory,
        seconds,
        websocket_url,
        rest_url,
        proxy,
        journal,
    )
    configure("warning", "console")
    command = _Command(plan)
    status = run_service(command.serve, _SHUTDOWN)
    if command.failure is not None:
        raise command.failure
    if status != CLEAN:
        raise typer.Exit(status)
    if not command.frames:
        _say(f"collector: expected frames of {exchange}, was none")
    if not command.frames or (command.manifest is not None and command.manifest.dropped):
        raise typer.Exit(1)


class _Command:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._run = RecordingRun(plan)
        self.manifest: Manifest | None = None
        # said by the command's own way of saying errors
        self.failure: CollectorError | None = None

    @property
    def frames(self) -> int:
        """Frames that came."""
        return self._run.tally.frames

    async def serve(self, supervisor: Supervisor) -> None:
        try:
            await self._serve(supervisor)
        except CollectorError as error:
            self.failure = error

    async def _serve(self, supervisor: Supervisor) -> None:
        run = self._run
        try:
            await run.start()
            _say(f"recording to {self._plan.directory}")
            supervisor.start("sessions", run.run())
            supervisor.start("progress", self._progress())
            if self._plan.seconds is not None:
                asyncio.get_running_loop().call_later(
                    self._plan.seconds, supervisor.stop, "the time is over"
                )
            await supervisor.stopped()
        finally:
            self.manifest = await run.stop("the recording ends")
        if self.manifest is not None:
            sys.stdout.write(msgspec.json.encode(self._summary(self.manifest)).decode() + "\n")
            sys.stdout.flush()

    async def _progress(self) -> None:
        before = 0
        while True:
            await asyncio.sleep(_PROGRESS)
            run, recorder = self._run, self._run.recorder
            frames = run.tally.frames
            rate = (frames - before) / _PROGRESS
            before = frames
            connected = sum(connection.connected for connection in run.connections)
            text = (
                f"{frames:,} frames, {rate:,.0f} a second; "
                f"{recorder.bytes / _MEGABYTE:,.1f} MB on disk; "
                f"{connected} of {len(run.connections)} connections"
            )
            if recorder.dropped:
                text += f"; {recorder.dropped:,} dropped"
            _say(text + ("; paused, the disk takes nothing" if recorder.paused else ""))

    def _summary(self, manifest: Manifest) -> dict[str, object]:
        tally = self._run.tally
        return {
            "directory": str(self._plan.directory),
            "frames": tally.frames,
            "undecodable": tally.undecodable,
            "rows": dict(sorted(tally.rows.items())),
            "lines": manifest.rows,
            "files": len(manifest.files),
            "bytes": manifest.bytes,
            "dropped": sum(dropped.rows for dropped in manifest.dropped),
        }


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())
