"""``collector indicators compute --topic`` gives the very rows that the service published."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import pytest

from collector_core.codec import decode
from collector_core.events import Bar, Indicator
from collector_core.topics import Layout
from collector_indicators.plan import channel_of
from collector_indicators.plan_file import read_plan

from .bus import Bus, count, eventually, offline, usable
from .conftest import MakeBus
from .scenario import SYMBOLS, feed, markets_of, open_all

pytestmark = [pytest.mark.broker, pytest.mark.e2e]

PLAN = """
calculations:
  - symbols: ["*:*/USDT"]
    input: bar
    intervals: [1s, 3s]
    indicators: ["rsi:3", "macd:3:6:2", vwap]
  - symbols: ["*:*/USDT"]
    input: candle
    intervals: [1s]
    indicators: ["bollinger:4:2", rsi]
    live: 0.5
"""


def compute(bus: Bus, *arguments: str, stdin: bytes = b"") -> tuple[list[bytes], str]:
    """Return the lines that the command prints, and what it complains of."""
    environment = os.environ | {
        "KAFKA_BOOTSTRAP_SERVERS": bus.settings.bootstrap_servers,
        "TOPIC_PREFIX": bus.topics.prefix,
        "TOPIC_LAYOUT": bus.topics.layout,
    }
    done = subprocess.run(
        [
            *(sys.executable, "-c", "from collector_cli.main import main; main()"),
            *("indicators", "compute", *arguments),
        ],
        input=stdin,
        capture_output=True,
        check=False,
        env=environment,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.splitlines(), done.stderr.decode()


def published(bus: Bus, channel: str, symbol: str) -> list[bytes]:
    """Return what the service published from one input of a symbol, by topic: bars, indicators."""
    stream = ("bar", "binance", symbol), ("indicator", "binance", symbol)
    inputs = {"candle"} if channel == "candle" else {"bar:time"}
    found: list[bytes] = []
    for rows in bus.read(stream).values():
        for _, value in rows:
            row = decode(value)
            assert isinstance(row, Bar | Indicator)
            own = "bar:time" if isinstance(row, Bar) else row.input
            if row.symbol == symbol and own in inputs:
                found.append(value)
    return found


def by_topic(lines: Iterable[bytes], symbol: str) -> list[bytes]:
    """Return the lines of a symbol, bars first, each kind in its order."""
    rows = [(decode(line), line) for line in lines]
    own = [(row, line) for row, line in rows if row.symbol == symbol]
    return [line for row, line in own if isinstance(row, Bar)] + [
        line for row, line in own if isinstance(row, Indicator)
    ]


@pytest.mark.parametrize("layout", ["symbol", "keyed"])
def test_a_topic_range_gives_the_bytes_of_the_service(
    make_bus: MakeBus, tmp_path: Path, layout: Layout
) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN)
    settings = {
        channel_of(entry.settings): entry.settings for entry in read_plan(PLAN, "plan").entries
    }
    symbols = SYMBOLS[:2]
    bus = make_bus(layout, COLLECTOR_PLAN=str(path), COLLECTOR_CHECKPOINT="0.3")
    open_all(bus, symbols)
    markets = markets_of(symbols)
    feed(bus, markets, 800)
    # rows that the service leaves out: one is no event, one has no number
    place = "trade", "binance", symbols[0]
    [trades] = bus.read([place]).values()
    text = next(value for _, value in trades if value.startswith(b'{"type":"trade"'))
    bus.write_raw(*place, b"no event")
    bus.write_raw(*place, text.replace(b'"price":"', b'"price":"x'))
    feed(bus, markets, 800)
    expected = count(offline(bus, "binance", symbols, settings))
    with bus.process():
        eventually(
            lambda: bus.published("binance", symbols) >= expected, 60, f"{expected} rows published"
        )
    for channel in ("trade", "candle"):
        topics = {bus.topics.address(channel, "binance", symbol).topic for symbol in symbols}
        found: dict[str, list[bytes]] = {}
        for topic in topics:
            found[topic], said = compute(bus, "--plan", str(path), "--topic", topic)
            wrong = channel == "trade" and (
                symbols[0].replace("/", "-") in topic or len(topics) == 1
            )
            assert said == (
                "collector: 1 rows have numbers that are none and were left out\n"
                "collector: 1 rows are no events of ours and were left out\n"
                if wrong
                else ""
            )
        for symbol in symbols:
            rows = published(bus, channel, symbol)
            assert len(rows) > 100
            assert rows == by_topic(chain(*found.values()), symbol)
        # a file of the same rows gives the same lines
        for topic in topics:
            places = [(channel, "binance", symbol) for symbol in symbols]
            values = [
                value
                for (name, _), rows in sorted(bus.read(places).items())
                for _, value in rows
                if name == topic and usable(value) is not None
            ]
            again, _ = compute(bus, "--plan", str(path), "-", stdin=b"\n".join(values))
            assert again == found[topic]
