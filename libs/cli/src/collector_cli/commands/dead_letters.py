"""``collector dead-letters``: frames that could not be read, shown and tried again."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from collector_cli.bus.dead_letters import Filter, Letter, read_letters, read_name
from collector_cli.bus.start import Start, parse_start
from collector_cli.lazy import new_app
from collector_cli.output import Output
from collector_cli.replay.answers import open_adapter, read_listing
from collector_cli.replay.retry import Verdict, retry
from collector_core.errors import SettingsError
from collector_exchanges.discovery import adapter
from collector_feed.adapter import Adapter
from collector_runtime.settings import Settings

__all__ = ["Error", "Exchanges", "Limit", "Since", "app", "list_letters", "replay", "show"]

app = new_app(
    "Show frames that could not be read, and try them again.\n\n"
    "The ingestor writes such a frame, as it came and with its error, to "
    "md.dead-letter.<exchange>; the rows of the others go on."
)

_EXCERPT: Final = 80
"""Bytes of a frame that the list shows."""

Exchanges = Annotated[
    list[str] | None,
    typer.Option("--exchange", metavar="NAME", help="May be given several times; all by default."),
]
Since = Annotated[
    str,
    typer.Option(
        metavar="earliest|TIME",
        help="Only those published from a time on, as `collector tail --from` takes it.",
    ),
]
Error = Annotated[
    str, typer.Option(metavar="TEXT", help="Only those whose error has this text, in any case.")
]
Limit = Annotated[int, typer.Option(min=1, metavar="N", help="The newest so many.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line, for machines.")]


@app.command("list")
def list_letters(
    exchange: Exchanges = None,
    since: Since = "earliest",
    error: Error = "",
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List dead letters: name, time, connection, error and the frame's beginning."""
    found = _read(Filter(frozenset(exchange or ()), _since(since), error, limit=limit))
    if not found:
        # a slip of the pen must not pass for good news; letters of a later version's are shown
        for one in exchange or ():
            adapter(one)
    output = Output()
    if as_json:
        output.lines(letter.row for letter in found)
    else:
        output.lines(_line(letter).encode() for letter in found)
        output.lines([] if found else [b"no dead letters"])
    output.flush()


@app.command()
def show(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="As the list shows it: EXCHANGE:NUMBER.")
    ],
    raw: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the frame's very bytes to a file instead."),
    ] = None,
) -> None:
    """Show one dead letter, its frame in full."""
    exchange, _ = read_name(name)
    found = _read(Filter(frozenset({exchange}), names=frozenset({name})))
    if not found:
        raise SettingsError(f"expected a dead letter on the bus, was {name!r}")
    letter = found[0].letter
    if raw is not None:
        try:
            raw.write_bytes(letter.frame)
        except OSError as error:
            raise SettingsError(
                f"expected a file to write to, was {raw}: {error.strerror}"
            ) from error
        sys.stderr.write(f"{len(letter.frame):,} bytes in {raw}\n")
        return
    output = Output()
    output.lines(
        [
            f"name        {name}".encode(),
            f"received    {_moment(letter.receive_time)}".encode(),
            f"connection  {letter.connection}".encode(),
            f"error       {letter.error}".encode(),
            f"frame       {len(letter.frame):,} bytes".encode(),
            _readable(letter.frame).encode(),
        ]
    )
    output.flush()


@app.command()
def replay(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Only these; by default all that match."),
    ] = None,
    exchange: Exchanges = None,
    since: Since = "earliest",
    error: Error = "",
    limit: Limit = 1_000,
    instruments: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="The exchange's own REST answer that lists its symbols; with one exchange only.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Give dead letters to today's decoder; say of each whether it is understood, and its rows.

    Nothing is published: the place of these rows in their topics has passed (docs/cli.md). The
    exit status is 1 if one still cannot be read.
    """
    chosen = frozenset(exchange or ()) | {read_name(name)[0] for name in names or ()}
    for one in chosen:
        adapter(one)
    wanted = Filter(chosen, _since(since), error, frozenset(names or ()), limit)
    found = _read(wanted)
    missing = wanted.names - {letter.name for letter in found}
    if missing:
        raise SettingsError(f"expected dead letters on the bus, was {', '.join(sorted(missing))}")
    decoders = _Decoders(instruments, {letter.letter.exchange for letter in found} | chosen)
    output = Output()
    understood = 0
    for letter in found:
        verdict = retry(letter.letter, decoders.of(letter.letter.exchange))
        understood += verdict.understood
        output.lines(_machine(letter, verdict) if as_json else _told(letter, verdict))
    output.flush()
    sys.stderr.write(f"{understood:,} of {len(found):,} dead letters are understood now\n")
    if understood < len(found):
        raise typer.Exit(1)


class _Decoders:
    """A fresh adapter for each letter, for the frames before it are not here."""

    def __init__(self, instruments: str | None, exchanges: set[str]) -> None:
        self._models: dict[str, Adapter] = {}
        if instruments is not None:
            if len(exchanges) != 1:
                raise SettingsError("--instruments: expected --exchange with it, was more than one")
            (one,) = exchanges
            self._models[one] = open_adapter(one, read_listing(instruments), _complain)

    def of(self, exchange: str) -> Adapter:
        if exchange not in self._models:
            self._models[exchange] = open_adapter(exchange, None, _complain)
        model = self._models[exchange]
        return type(model)(model.symbols)


def _since(text: str) -> Start:
    start = parse_start(text)
    if start == "latest":
        raise SettingsError("--since: expected earliest or a time, was latest")
    return start


def _read(wanted: Filter) -> list[Letter]:
    settings = Settings.load()
    kafka = settings.kafka("collector-dead-letters")
    return read_letters(kafka, settings.topics(), wanted, _complain)


def _line(found: Letter) -> str:
    letter = found.letter
    excerpt = _readable(letter.frame[:_EXCERPT])
    if len(letter.frame) > _EXCERPT:
        excerpt += "…"
    moment = _moment(letter.receive_time)
    return f"{found.name}  {moment}  {letter.connection}  {letter.error}  {excerpt}"


def _told(found: Letter, verdict: Verdict) -> Sequence[bytes]:
    if verdict.error is not None:
        return [f"{found.name}  not understood: {verdict.error}".encode()]
    said = [f"  {item}".encode() for item in verdict.items]
    said += [b"  " + row for row in verdict.rows]
    return [f"{found.name}  understood".encode(), *(said or [b"  it carries nothing for the bus"])]


def _machine(found: Letter, verdict: Verdict) -> Sequence[bytes]:
    return [
        msgspec.json.encode(
            {
                "name": found.name,
                "understood": verdict.understood,
                "error": verdict.error,
                "rows": [msgspec.Raw(row) for row in verdict.rows],
                "items": verdict.items,
            }
        )
    ]


def _moment(microseconds: int | None) -> str:
    if microseconds is None:
        return "no receive time"
    return f"{datetime.fromtimestamp(microseconds / 1_000_000, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _readable(frame: bytes) -> str:
    # what is no text is shown by its codes, and nothing that a terminal would obey gets through
    text = frame.decode(errors="backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _complain(sentence: str) -> None:
    sys.stderr.write(f"collector: {' '.join(sentence.split())}\n")
