"""``collector topics``: what topics there should be, and what there is."""

from __future__ import annotations

import sys
from typing import Annotated, Final

import msgspec
import typer

from collector_cli.bus.installation import topology
from collector_cli.lazy import new_app
from collector_cli.output import Output
from collector_core.errors import SettingsError, SymbolError
from collector_core.symbols import split
from collector_exchanges.discovery import adapter
from collector_runtime.kafka.connection import reach
from collector_runtime.kafka.provisioner import Applied, Plan, Provisioner
from collector_runtime.kafka.topology import Topic
from collector_runtime.settings import Settings

__all__ = ["Channels", "Exchange", "Json", "Symbols", "app", "apply", "drift", "plan"]

app = new_app(
    "Plan, make and check the topics of an exchange's symbols.\n\n"
    "The services make their own topics when they start; this is for doing it before, with other "
    "rights, and for finding out what somebody has changed by hand. No topic is ever deleted."
)

_CHANNELS: Final = "trade,ticker,book,candle"

Exchange = Annotated[str, typer.Option(metavar="NAME", help="As `collector exchanges` lists it.")]
Symbols = Annotated[str, typer.Option(metavar="A/B,C/D", help="Symbols in our spelling.")]
Channels = Annotated[str, typer.Option(metavar="A,B", help="Channels of each symbol.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object for machines.")]


@app.command()
def plan(
    exchange: Exchange, symbols: Symbols, channels: Channels = _CHANNELS, as_json: Json = False
) -> None:
    """Say what ``apply`` would do, and what only people can mend; change nothing."""
    provisioner, desired = _desired(exchange, symbols, channels)
    found = provisioner.plan(desired)
    if as_json:
        _print([msgspec.json.encode(found)])
        return
    lines = [f"create {_topic(topic)}" for topic in found.create]
    lines += [f"alter {difference}" for difference in found.alter]
    lines += [f"drift {difference}" for difference in found.drift]
    if not lines:
        lines = [f"nothing to do: {len(desired)} topics are as they should be"]
    _print([*lines, *_notes(found)])


@app.command()
def apply(
    exchange: Exchange, symbols: Symbols, channels: Channels = _CHANNELS, as_json: Json = False
) -> None:
    """Create what is missing and set what can be set; doing it again changes nothing."""
    provisioner, desired = _desired(exchange, symbols, channels)
    found = provisioner.plan(desired)
    done = provisioner.apply(found)
    if as_json:
        _print([msgspec.json.encode(done)])
    else:
        lines = [f"created {name}" for name in done.created]
        lines += [f"altered {difference}" for difference in done.altered]
        if not lines:
            lines = [f"nothing to do: {len(desired)} topics"]
        _print([*lines, *_notes(done)])
    if found.drift:
        for difference in found.drift:
            sys.stderr.write(f"drift {difference}\n")
        raise typer.Exit(1)


@app.command()
def drift(
    exchange: Exchange, symbols: Symbols, channels: Channels = _CHANNELS, as_json: Json = False
) -> None:
    """List every difference from what should be, missing topics too; exit 1 if there is one."""
    provisioner, desired = _desired(exchange, symbols, channels)
    found = provisioner.drift(desired)
    if as_json:
        _print([msgspec.json.encode(found)])
    else:
        _print([str(d) for d in found] or [f"no drift: {len(desired)} topics"])
    if found:
        raise typer.Exit(1)


def _desired(exchange: str, symbols: str, channels: str) -> tuple[Provisioner, list[Topic]]:
    spec = adapter(exchange).spec
    names = _words(channels)
    for channel in names:
        if channel not in spec.channels:
            raise SettingsError(
                f"expected channels that {spec.title} has ({', '.join(spec.channels)}), "
                f"was {channel!r}"
            )
    wanted = _words(symbols)
    for symbol in wanted:
        try:
            split(symbol)
        except SymbolError as error:
            raise SettingsError(str(error)) from error
    settings = Settings.load()
    desired = topology(settings)
    streams = [(channel, exchange, symbol) for symbol in wanted for channel in names]
    kafka = settings.kafka("collector-topics")
    reach(kafka)
    everything = [*desired.bus(), *desired.exchange(exchange), *desired.streams(streams)]
    # a channel of one topic an exchange stands in both lists
    return Provisioner(kafka), list({topic.name: topic for topic in everything}.values())


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _topic(topic: Topic) -> str:
    settings = " ".join(f"{name}={value}" for name, value in sorted(topic.config.items()))
    plural = "" if topic.partitions == 1 else "s"
    return f"{topic.name} ({topic.partitions} partition{plural}) {settings}"


def _notes(result: Plan | Applied) -> list[str]:
    return [f"note: {note}" for note in result.notes]


def _print(lines: list[str] | list[bytes]) -> None:
    output = Output()
    output.lines(line.encode() if isinstance(line, str) else line for line in lines)
    output.flush()
