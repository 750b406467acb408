"""``collector replay``: recorded frames to normalized rows."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from collector_cli.lazy import new_app
from collector_cli.replay.answers import (
    Snapshots,
    open_adapter,
    parse_assignments,
    read_listing,
)
from collector_cli.replay.destinations import Destination, Lines
from collector_cli.replay.player import Player
from collector_cli.replay.recorded import Connections, exchange_of, is_recording, listing_of
from collector_cli.replay.recording import Batch, batches, check_readable, split_line
from collector_core.errors import CodecError, FrameError
from collector_core.events import Event
from collector_feed.adapter import Adapter
from collector_feed.outputs import Undecodable
from collector_runtime.recording.reading import Recording

__all__ = ["Target", "app", "replay"]

app = new_app()

_PIECE: Final = 2_000
"""Lines of a recording after which the rows are handed on."""


class Target(StrEnum):
    """Where the rows go."""

    stdout = "stdout"
    kafka = "kafka"


@app.command()
def replay(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE",
            help="Files of frames, or folders that `collector record` wrote; one stream in the "
            "order given; - is standard input.",
        ),
    ],
    exchange: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Whose frames they are; `collector exchanges` lists the names. Folders say it "
            "themselves.",
        ),
    ] = None,
    instruments: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="The exchange's own REST answer that lists its symbols. Without it, and without "
            "one in a folder, symbols are split by the exchange's known quote currencies.",
        ),
    ] = None,
    snapshot: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SYMBOL=FILE",
            help="A REST answer from which the symbol's book starts; may be given once a symbol. "
            "A file of several answers, one a line, gives the next one at each resync. SYMBOL in "
            "our spelling (BTC/USDT) or the exchange's.",
        ),
    ] = None,
    to: Annotated[
        Target, typer.Option(help="Print the rows, or publish them on the bus.")
    ] = Target.stdout,
) -> None:
    """Turn recorded frames into normalized rows.

    A line is a frame as the exchange sent it, or its receive time in microseconds, a tab and the
    frame. The rows come out in order, one JSON object a line, made by the decoder and the book
    code of the live path. Their epoch is the first receive time (0 without one), so the same
    input always gives the same bytes. A book whose REST snapshot is wanted but not given leaves a
    status row that says so and goes on with its changes alone.

    A folder with a manifest.json brings its own receive times, symbols and, from `collector
    record`, REST answers. One whose recorder was killed is read as far as it is whole.

    A frame that cannot be read is named on standard error, as FILE:LINE: reason; the exit status
    is 1 if there was one.
    """
    check_readable([path for path in files if not is_recording(path)])
    recordings = {path: Recording(Path(path)) for path in files if is_recording(path)}
    listing = read_listing(instruments) if instruments else listing_of([*recordings.values()])
    adapter = open_adapter(exchange_of([*recordings.values()], exchange), listing, _complain)
    snapshots = Snapshots(parse_assignments(snapshot or []), adapter)
    destination = _destination(to, adapter)
    run = _Replay(adapter, snapshots, destination)
    for path in files:
        if path in recordings:
            run.take_recording(Connections(adapter, snapshots, recordings[path], _complain))
        else:
            for batch in batches([path]):
                run.take(batch)
    destination.finish()
    for symbol, path in snapshots.unused():
        _complain(f"{path}: no book asked for the snapshot of {symbol}")
    if said := destination.summary():
        _complain(f"{run.frames:,} frames gave {said}")
    if run.bad:
        _complain(f"{run.bad:,} of {run.frames:,} frames could not be read")
    damaged = sum(recording.damages for recording in recordings.values())
    if run.bad or run.unreadable or damaged:
        raise typer.Exit(1)


def _destination(to: Target, adapter: Adapter) -> Destination:
    if to is Target.stdout:
        return Lines()
    # Kafka's client and the settings cost a quarter of a second that printing has no use for
    from collector_cli.bus.installation import topology  # noqa: PLC0415 - see above
    from collector_cli.replay.bus import Bus  # noqa: PLC0415 - see above
    from collector_runtime.settings import Settings  # noqa: PLC0415 - see above

    settings = Settings.load()
    return Bus(settings.kafka("collector-replay"), topology(settings), adapter)


class _Replay:
    def __init__(self, adapter: Adapter, snapshots: Snapshots, destination: Destination) -> None:
        self._play = Player(adapter, snapshots, self._report_snapshot).play
        self._put = destination.put
        self._destination = destination
        self._begun = False
        # lines that hold something, and those among them that could not be read
        self.frames = 0
        self.bad = 0
        # snapshots that could not be read
        self.unreadable = 0

    def take(self, batch: Batch) -> None:
        for number, line in enumerate(batch.lines, batch.first):
            if line.isspace() or not line:
                continue
            self.frames += 1
            try:
                receive_time, frame = split_line(line) if line[:1].isdigit() else (None, line)
            except FrameError as error:
                self._report(batch.source, number, str(error))
                continue
            if not self._begun:
                self._begin(receive_time)
            for row in self._play(frame, receive_time):
                if type(row) is Undecodable:
                    self._report(batch.source, number, row.error)
                else:
                    self._put(row)  # type: ignore[arg-type]  # what is not undecodable is an event
        self._destination.flush()

    def take_recording(self, connections: Connections) -> None:
        waiting = 0
        for place in connections.lines():
            if place.line.direction == "in":
                self.frames += 1
                if not self._begun:
                    self._begin(place.line.receive_time)
            try:
                self._hand_on(place.source, place.number, connections.play(place))
            except CodecError as error:
                self._report(place.source, place.number, str(error))
            waiting += 1
            if waiting == _PIECE:
                waiting = 0
                self._destination.flush()
        self._destination.flush()

    def _hand_on(self, source: str, number: int, rows: Iterable[Event | Undecodable]) -> None:
        for row in rows:
            if isinstance(row, Undecodable):
                self._report(source, number, row.error)
            else:
                self._put(row)

    def _begin(self, receive_time: int | None) -> None:
        self._begun = True
        self._destination.begin(receive_time or 0)

    def _report(self, source: str, number: int, reason: str) -> None:
        self.bad += 1
        _complain(f"{source}:{number}: {reason}")

    def _report_snapshot(self, sentence: str) -> None:
        self.unreadable += 1
        _complain(sentence)


def _complain(sentence: str) -> None:
    sys.stderr.write(f"{' '.join(sentence.split())}\n")
