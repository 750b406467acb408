"""How many trades a second the service takes, and where the time goes.

``python services/indicator/profile/throughput.py [--trades N] [--symbols N] [--bars 1s,1m]``

Writes trades to a real Kafka (the testkit's), lets one process of the service work through them,
and reads its rows and its CPU time (all threads) from its metrics; then takes single steps of the
same path apart in this process. Figures go to standard output as a table and one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from collector_core.codec import encode
from collector_core.errors import BrokerError
from collector_core.events import Side, Trade
from collector_core.topics import Topics
from collector_indicator.intake import Intake, decode_all
from collector_indicator.reader import Reader, Run
from collector_indicator.settings import IndicatorSettings
from collector_indicator.sources import Source
from collector_runtime.kafka.catalog import entries_of, publish_catalog
from collector_runtime.kafka.child import Child
from collector_runtime.kafka.connection import KafkaSettings, producer_config
from collector_runtime.kafka.ports import free_ports
from collector_runtime.kafka.provisioner import Provisioner
from collector_runtime.kafka.topology import Topology
from collector_testkit.broker import start_kafka

START = 1_760_000_000_000_000
RATE = 200
"""Trades of a symbol in a second of market time."""
Sample = tuple[float, float, float, float]


def main() -> None:
    """Take the figures and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trades", type=int, default=2_000_000)
    parser.add_argument("--symbols", type=int, default=30)
    parser.add_argument("--bars", default="1s,1m")
    given = parser.parse_args()
    symbols = [f"S{number}/USDT" for number in range(given.symbols)]
    with start_kafka(Path.cwd() / ".cache") as broker:
        kafka = KafkaSettings(broker.bootstrap_servers, "profile")
        topics = Topics("profile")
        write(kafka, topics, symbols, given.trades)
        results = {
            f"live_every={live}": service(kafka, given.trades, live, given.bars)
            for live in ("0", "1")
        }
        results["steps"] = steps(kafka, topics, symbols, given.trades, given.bars)
    for name, figures in results.items():
        sys.stdout.write(f"{name}\n")
        for figure, value in figures.items():
            sys.stdout.write(f"  {figure:<28} {value:>12,.3f}\n")
    sys.stdout.write(json.dumps(results) + "\n")


def write(kafka: KafkaSettings, topics: Topics, symbols: list[str], trades: int) -> None:
    """Write the input of all symbols, and its catalogue entries."""
    streams = [("trade", "binance", symbol) for symbol in symbols]
    topology = Topology(topics, replicas=1)
    Provisioner(kafka).ensure([*topology.bus(), *topology.streams(streams)])
    deadline = time.monotonic() + 20
    while True:
        try:
            publish_catalog(kafka, topics, entries_of(topics, streams))
            break
        except BrokerError:
            # a topic made a moment ago may have no leader yet
            if time.monotonic() > deadline:
                raise
    producer = Producer(producer_config(kafka) | {"queue.buffering.max.messages": 1_000_000})
    for number in range(trades):
        symbol = symbols[number % len(symbols)]
        step = number // len(symbols)
        at = START + step * 1_000_000 // RATE
        price = f"{40_000 + step % 700 / 100:.2f}"
        side: Side = "buy" if step % 3 else "sell"
        trade = Trade(
            "binance", symbol, at, at + 900, START, step + 1, str(step), price, "0.0125", side
        )
        producer.produce(
            topics.address("trade", "binance", symbol).topic, encode(trade), partition=0
        )
        if not number % 10_000:
            while len(producer) > 500_000:
                producer.poll(0.1)
    producer.flush(60)


def service(kafka: KafkaSettings, trades: int, live: str, bars: str) -> dict[str, float]:
    """Return what one process takes for the backlog: rows a second and CPU a trade."""
    [port] = free_ports()
    environment = os.environ | {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        # a state and a group of its own, over the same input
        "TOPIC_PREFIX": "profile",
        "COLLECTOR_LIVE_EVERY": live,
        "COLLECTOR_BAR_INTERVALS": bars,
        "COLLECTOR_TOPIC_REPLICAS": "1",
        "COLLECTOR_SHARDS": "16",
        "COLLECTOR_HEALTH_PORT": str(port),
    }
    child = Child([sys.executable, "-m", "collector_indicator"], environment)
    try:
        samples = list(_samples(child.pid, port, trades))
        [_, last] = [samples[0], samples[-1]]
        first = next(sample for sample in samples if sample[1] > trades * 0.05)
        taken = last[1] - first[1]
        seconds = last[0] - first[0]
        cpu = last[2] - first[2]
    finally:
        child.stop()
        wipe(kafka)
    return {
        "trades/s": taken / seconds,
        "trades/s of a core": taken / cpu,
        "CPU us/trade": cpu / taken * 1e6,
        "rows out/s": (last[3] - first[3]) / seconds,
    }


def _samples(pid: int, port: int, trades: int) -> Iterator[Sample]:
    pause = threading.Event()
    while True:
        pause.wait(0.05)
        try:
            with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                text = answer.read().decode()
        except OSError:
            continue
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        rows = _sum(text, "collector_indicator_rows_in_total")
        yield time.monotonic(), rows, cpu, _sum(text, "collector_indicator_rows_out_total")
        if rows >= trades:
            return


def _sum(text: str, name: str) -> float:
    return sum(map(float, re.findall(rf"^{name}\{{.*\}} (\S+)$", text, re.MULTILINE)))


def wipe(kafka: KafkaSettings) -> None:
    """Remove state and outputs, so that the next run begins from nothing."""
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    names = [
        name
        for name in admin.list_topics(timeout=10).topics
        if name.startswith(("profile.bar.", "profile.indicator"))
    ]
    for done in admin.delete_topics(names).values():
        done.result(30)
    left = set(names)
    while left:
        left &= set(admin.list_topics(timeout=10).topics)


def steps(
    kafka: KafkaSettings, topics: Topics, symbols: list[str], trades: int, bars: str
) -> dict[str, float]:
    """Return the CPU of single steps, in microseconds a trade, this process's threads included."""
    wanted = min(trades, 600_000)
    runs: list[Run] = []

    def consume() -> None:
        reader = Reader(kafka)
        reader.assign(((topics.address("trade", "binance", s).topic, 0), None) for s in symbols)
        while sum(len(run.values) for run in runs) < wanted:
            runs.extend(reader.read(5_000, 0.02))
        reader.close()

    consumed = _cpu(consume)
    count = sum(len(run.values) for run in runs)
    decoded = _cpu(lambda: [len(decode_all(run.values)) for run in runs])
    settings = IndicatorSettings.load(bar_intervals=tuple(bars.split(",")), live_every=0.0)
    intakes: dict[Any, Intake] = {}
    for symbol in symbols:
        topic = topics.address("trade", "binance", symbol).topic
        source = Source("trade", "binance", topic, 0, frozenset({symbol}), keyed=False)
        intakes[topic, 0] = Intake(source, settings.calculations())

    def take() -> None:
        for run in runs:
            intakes[run.place].take(run.last_offset, run.values)

    taken = _cpu(take)
    drained = _cpu(lambda: [intake.drain() for intake in intakes.values()])
    return {
        "consume us/trade": consumed / count * 1e6,
        "decode us/trade": decoded / count * 1e6,
        "fold us/trade": (taken - decoded) / count * 1e6,
        "drain us/partition": drained / len(intakes) * 1e6,
    }


def _cpu(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


if __name__ == "__main__":
    main()
