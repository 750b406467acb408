"""``python bench/soak.py``: ingestors under a steady load for long, watched (docs/benchmarks.md).

Each load is an exchange's sender (``soak_server``), and one ingestor that takes everything from
it to one real Kafka. Every ten seconds a line; at the end a verdict: no growing lag, no growing
memory, no gap, and as many rows in Kafka as were published.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NamedTuple

# the benchmarks are no package of the installation: they are found from where this file stands
sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.environments import ROOT  # after the path is set
from bench.processes import Failed, Program
from bench.soak_frames import CHANNELS, name
from bench.soak_watch import Sample, line, look, state, verdict
from bench.topics import Topics
from confluent_kafka.admin import AdminClient

from collector_exchanges.discovery import adapter as adapter_of
from collector_runtime.kafka.ports import free_ports
from collector_testkit.broker import start_kafka

__all__ = ["Load", "main", "parse_load"]

_EVERY: Final = 10.0
_START: Final = 300.0
_MODELS: Final = 10
_MARKET: Final = 2.8
"""Actions a second of a model symbol for each frame a second that is wanted of it."""
_PREFIX: Final = "soak"
_KEEP: Final = "10m"
"""Retention, so that an hour of rows does not fill the disk."""
DEFAULT: Final = ("upbit:500:keyed:12000", "binance:50:symbol:8000")


class Load(NamedTuple):
    """One exchange, how many symbols of it, in which layout, at how many frames a second."""

    exchange: str
    symbols: int
    layout: str
    rate: int

    @property
    def title(self) -> str:
        """Name for eyes."""
        return f"{self.exchange} {self.symbols} {self.layout}"


def parse_load(text: str) -> Load:
    """Read ``exchange:symbols:layout:frames/s``."""
    parts = text.split(":")
    if len(parts) != 4 or parts[2] not in {"keyed", "symbol"}:
        raise argparse.ArgumentTypeError(f"expected exchange:symbols:keyed|symbol:rate, was {text}")
    return Load(parts[0], int(parts[1]), parts[2], int(parts[3]))


class Running(NamedTuple):
    """A sender and its ingestor."""

    load: Load
    prefix: str
    sender: Program
    port: int
    ingestor: Program
    health: int
    snapshots: int
    """Snapshots of books that have to be fetched before the load is steady."""
    samples: list[Sample]


def main(arguments: Sequence[str]) -> int:
    """Run the soak; return 1 if it did not hold."""
    parser = argparse.ArgumentParser(prog="bench/soak.py", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--load", type=parse_load, action="append", metavar="E:N:LAYOUT:RATE")
    given = parser.parse_args(arguments)
    loads = given.load or [parse_load(text) for text in DEFAULT]
    say(f"{given.minutes:g} minutes of " + ", ".join(f"{x.title} {x.rate}/s" for x in loads))
    with ExitStack() as stack:
        named = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
        bootstrap = named or stack.enter_context(start_kafka()).bootstrap_servers
        say(f"broker {'of KAFKA_BOOTSTRAP_SERVERS' if named else 'Apache Kafka'}; recording frames")
        running = [_start(stack, bootstrap, load, n) for n, load in enumerate(loads)]
        begin = _begin(running)
        _watch(running, begin, given.minutes * 60)
        wrong = 0
        for one in running:
            wrong += _judge(one, bootstrap)
    return 1 if wrong else 0


def say(text: str) -> None:
    """Print a line with the time."""
    print(time.strftime("%H:%M:%S"), text, flush=True)


def _start(stack: ExitStack, bootstrap: str, load: Load, number: int) -> Running:
    prefix = f"{_PREFIX}{number}-{int(time.time())}"
    models = min(_MODELS, load.symbols)
    each = load.rate / load.symbols
    command = [sys.executable, "-m", "bench.soak_server"]
    options = {
        "exchange": load.exchange, "symbols": load.symbols, "models": models,
        "each": each, "market": each * _MARKET + 5,
    }  # fmt: skip
    for option, value in options.items():
        command += [f"--{option}", str(value)]
    sender = stack.enter_context(
        Program(f"sender of {load.exchange}", command, {"PYTHONPATH": _python_path()})
    )
    port = json.loads(sender.line(_START))["port"]
    say(f"{load.title}: frames recorded")
    [health] = free_ports()
    spec = adapter_of(load.exchange).spec
    path = spec.websocket_url.partition("://")[2].partition("/")[2]
    settings = {
        "EXCHANGE": load.exchange,
        "SYMBOLS": ",".join(name(number, load.exchange) for number in range(load.symbols)),
        "COLLECTOR_CHANNELS": ",".join(CHANNELS),
        "COLLECTOR_WEBSOCKET_URL": f"ws://127.0.0.1:{port}/{path}",
        "COLLECTOR_REST_URL": f"http://127.0.0.1:{port}",
        "COLLECTOR_HEALTH_PORT": str(health),
        "COLLECTOR_TOPIC_RETENTION": ",".join(
            f"{channel}={_KEEP}" for channel in ("trade", "book", "ticker", "candle")
        ),
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
        "TOPIC_PREFIX": prefix,
        "TOPIC_LAYOUT": load.layout,
    }
    ingestor = stack.enter_context(
        Program(f"ingestor {load.exchange}", [sys.executable, "-m", "collector_ingestor"], settings)
    )
    wanted = load.symbols * len(CHANNELS)
    deadline = time.monotonic() + _START
    while (there := state(port)["streams"]) < wanted:
        ingestor.check()
        if time.monotonic() > deadline:
            raise Failed(f"expected {wanted} streams subscribed, was {there}: {ingestor.said()}")
        time.sleep(0.5)
    say(f"{load.title}: {wanted} streams subscribed")
    snapshots = load.symbols if spec.book_by_rest else 0
    return Running(load, prefix, sender, port, ingestor, health, snapshots, [])


def _python_path() -> str:
    return os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])


def _begin(running: list[Running]) -> float:
    """Let every sender begin at the next whole minute that is not too near."""
    begin = math.ceil((time.time() + 2) / 60) * 60.0
    for one in running:
        one.sender.tell(f"go {begin}")
    say(f"frames begin in {begin - time.time():.0f} s")
    time.sleep(max(0.0, begin - time.time()))
    return begin


def _watch(running: list[Running], begin: float, seconds: float) -> None:
    for one in running:
        one.samples.append(look(one.ingestor, one.health, one.port, 0.0, one.snapshots))
    number = 1
    while number * _EVERY <= seconds:
        time.sleep(max(0.0, begin + number * _EVERY - time.time()))
        for one in running:
            at = time.time() - begin
            try:
                sample = look(one.ingestor, one.health, one.port, at, one.snapshots)
            except TimeoutError:
                # what did not answer is late, which the next look shows; the run goes on
                say(f"{at:6.0f} s  {one.load.title}: no answer")
                continue
            say(line(one.load.title, one.samples[-1], sample))
            one.samples.append(sample)
        number += 1


def _judge(one: Running, bootstrap: str) -> int:
    """End a load and print what is to be said of it; return what is wrong, counted."""
    figures, wrong = verdict(one.samples)
    one.sender.stop()
    os.kill(one.ingestor.pid, signal.SIGTERM)
    said = one.ingestor.ended(30.0)
    published = next(
        (found["rows"] for found in _logged(said) if found.get("event") == "stopped"), None
    )
    stored = _stored(bootstrap, one.prefix)
    if published != stored:
        wrong.append(f"expected the {published} published rows in Kafka, was {stored}")
    figures.append(f"rows published {published:,}, in Kafka {stored:,}")
    for figure in figures:
        say(f"{one.load.title}: {figure}")
    for reason in wrong:
        say(f"{one.load.title}: WRONG: {reason}")
    say(f"{one.load.title}: {'did not hold' if wrong else 'HELD'}")
    return len(wrong)


def _logged(said: str) -> list[dict[str, object]]:
    lines = said.splitlines()
    return [json.loads(text) for text in lines if text.startswith("{") and text.endswith("}")]


def _stored(bootstrap: str, prefix: str) -> int:
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    apart = (f"{prefix}.catalog", f"{prefix}.control", f"{prefix}.dead-letter.")
    topics = admin.list_topics(timeout=30).topics
    names = [n for n in topics if n.startswith(f"{prefix}.") and not n.startswith(apart)]
    by_size: dict[int, list[str]] = {}
    for topic in names:
        by_size.setdefault(len(topics[topic].partitions), []).append(topic)
    return sum(Topics(bootstrap, found, partitions=n).count() for n, found in by_size.items())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
