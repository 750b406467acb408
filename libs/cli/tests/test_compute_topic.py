"""``collector indicators compute`` over a range of a topic, and over a file of the bus's rows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from collector_core.codec import encode
from collector_core.events import Clock, Event, Trade
from collector_core.topics import Topics
from collector_indicators.engine import Engine
from collector_indicators.plan_file import read_plan
from collector_runtime.kafka.connection import KafkaSettings, client_config, producer_config
from collector_runtime.kafka.provisioner import Provisioner
from collector_runtime.kafka.topology import Topology

from .conftest import Call

PLAN = """
calculations:
  - symbols: ["*:BTC/USDT"]
    input: bar
    intervals: [1s, 5s]
    indicators: ["rsi:2", vwap]
"""
SECOND = 1_000_000
START = 1_700_000_000 * SECOND
COMPUTE = ("indicators", "compute")


def log(count: int = 40, symbol: str = "BTC/USDT") -> list[Event]:
    """Return a trade and a clock row for each of some seconds."""
    rows: list[Event] = []
    for number in range(count):
        time = START + number * SECOND
        rows.append(
            Trade(
                "binance", symbol, time, time, 1, 1, str(number), f"{10 + number % 7}", "1", "buy"
            )
        )
        rows.append(Clock("binance", symbol, time, time, 1, 1, time + SECOND // 2))
    return rows


def expected(rows: list[Event]) -> list[str]:
    """Return the lines that follow from rows by the plan."""
    return [encode(row).decode() for row in Engine(read_plan(PLAN, "plan")).feed_many(rows)]


@pytest.fixture
def plan(tmp_path: Path) -> str:
    """Return the path of the plan."""
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN)
    return str(path)


def lines_of(rows: list[Event]) -> bytes:
    return b"".join(encode(row) + b"\n" for row in rows)


# --- a file ---------------------------------------------------------------------------------


def test_a_file_of_rows_of_several_streams(collector: Call, plan: str) -> None:
    rows = [row for pair in zip(log(), log(symbol="ETH/USDT"), strict=True) for row in pair]
    result = collector(*COMPUTE, "--plan", plan, "-", stdin=b"\n" + lines_of(rows))
    assert (result.status, result.err) == (0, "")
    assert result.lines == expected(log())
    assert result.lines != []


def test_a_file_of_which_the_plan_selects_nothing(collector: Call, plan: str) -> None:
    result = collector(*COMPUTE, "--plan", plan, "-", stdin=lines_of(log(2, "ETH/USDT")))
    assert (result.status, result.out) == (0, "")
    assert result.err == "collector: the plan selects none of the 4 rows\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-",), "expected one of --set and --plan"),
        (("--set", "rsi", "--plan", "p.yaml", "-"), "expected one of --set and --plan"),
        (("--set", "rsi"), "expected one of FILE and --topic"),
        (("--set", "rsi", "--topic", "t", "-"), "expected one of FILE and --topic"),
        (("--set", "rsi", "--from", "offset:1", "-"), "expected --from and --to with --topic"),
        (("--set", "rsi", "--to", "offset:1", "-"), "expected --from and --to with --topic"),
        (("--set", "rsi", "--topic", "t"), "--topic with --set: expected --interval, such as"),
        (("--plan", "p.yaml", "-"), "expected a readable file at p.yaml, was "),
        (("--plan", "PLAN", "-"), "stdin: line 2: expected an event row, was b'x'"),
        (("--plan", "PLAN", "none"), "expected a readable file, was none: "),
        (("--plan", "PLAN", "--topic", "t"), "--topic: expected a topic md.<channel>.<exchange>"),
        (
            ("--plan", "PLAN", "--topic", "md.candle.binance.BTC-USDT"),
            "--topic: expected one of the channels that the plan reads (trade), was 'candle'",
        ),
        (
            ("--set", "rsi", "--topic", "md.ticker.binance.BTC-USDT", "--interval", "1m"),
            "--topic: expected a topic of trade or candle",
        ),
        (
            ("--plan", "PLAN", "--topic", "md.trade.binance.BTC-USDT", "--from", "offset:x"),
            "--from: expected offset:NUMBER or a time: ",
        ),
        (
            ("--plan", "PLAN", "--topic", "md.trade.binance.BTC-USDT", "--to", "soon"),
            "--to: expected offset:NUMBER or a time: ",
        ),
    ],
)
def test_what_is_wrong_is_one_sentence(
    collector: Call, plan: str, arguments: tuple[str, ...], said: str
) -> None:
    given = [plan if word == "PLAN" else word for word in arguments]
    result = collector(*COMPUTE, *given, stdin=b"\nx\n")
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith(f"collector: {said}")


# --- a topic --------------------------------------------------------------------------------


@pytest.fixture
def topic(installation: str) -> str:
    """Return a topic of trades; each was published a second after the one before."""
    kafka = KafkaSettings(os.environ["KAFKA_BOOTSTRAP_SERVERS"], "tests")
    topics = Topics(installation)
    topology = Topology(topics, replicas=1)
    Provisioner(kafka).ensure(topology.streams([("trade", "binance", "BTC/USDT")]))
    name = topics.address("trade", "binance", "BTC/USDT").topic
    producer = Producer(producer_config(kafka))
    for number, row in enumerate(log()):
        time = (START + number * SECOND) // 1_000
        producer.produce(name, encode(row), b"binance|BTC/USDT", 0, timestamp=time)
    assert producer.flush(20) == 0
    return name


SPANS: dict[tuple[str, ...], tuple[int, int]] = {
    (): (0, 80),
    ("--from", "earliest"): (0, 80),
    ("--from", "offset:31"): (31, 80),
    ("--to", "offset:31"): (0, 31),
    ("--from", "offset:10", "--to", "offset:70"): (10, 70),
    ("--from", "offset:70", "--to", "offset:10"): (0, 0),
    ("--from", "offset:500"): (0, 0),
    ("--to", "offset:500"): (0, 80),
    ("--from", "2023-11-14T22:13:30Z", "--to", "2023-11-14T22:14:20Z"): (10, 60),
    ("--from", "1700000010", "--to", "1700000060.5"): (10, 61),
    ("--from", "2000-01-01"): (0, 80),
    ("--from", "2100-01-01"): (0, 0),
    ("--to", "2000-01-01"): (0, 0),
}
"""Options, and the rows that lie between."""


@pytest.mark.broker
def test_a_range_is_what_lies_between(collector: Call, topic: str, plan: str) -> None:
    for span, (first, behind) in SPANS.items():
        result = collector(*COMPUTE, "--plan", plan, "--topic", topic, *span)
        assert (span, result.status, result.err) == (span, 0, "")
        assert (span, result.lines) == (span, expected(log()[first:behind]))


@pytest.mark.broker
def test_a_set_with_intervals_gives_closed_values(collector: Call, topic: str) -> None:
    chosen = ("--set", "rsi:2,vwap", "--interval", "1s,5s")
    result = collector(*COMPUTE, *chosen, "--topic", topic)
    assert (result.status, result.err) == (0, "")

    def without_seq(lines: list[str]) -> list[str]:
        return [line.partition('"seq":')[0] + line.partition('"interval"')[2] for line in lines]

    closed = [line for line in expected(log()) if '"closed":true' in line]
    assert without_seq(result.lines) == without_seq(closed)


@pytest.mark.broker
def test_rows_that_retention_removed_are_told_of(collector: Call, topic: str, plan: str) -> None:
    admin = AdminClient(client_config(KafkaSettings(os.environ["KAFKA_BOOTSTRAP_SERVERS"])))
    [done] = admin.delete_records([TopicPartition(topic, 0, 20)]).values()
    done.result(20)
    result = collector(*COMPUTE, "--plan", plan, "--topic", topic, "--from", "offset:5")
    assert result.err == f"collector: {topic} [0] begins at offset 20: rows before are gone\n"
    assert result.lines == expected(log()[20:])
    # whoever wants all that there is was not promised more
    earliest = collector(*COMPUTE, "--plan", plan, "--topic", topic)
    assert (earliest.err, earliest.lines) == ("", result.lines)


@pytest.mark.broker
def test_a_topic_that_is_not_there(collector: Call, installation: str, plan: str) -> None:
    name = f"{installation}.trade.binance.NO-ONE"
    result = collector(*COMPUTE, "--plan", plan, "--topic", name)
    assert result.status == 2
    assert result.err == f"collector: --topic: expected a topic on the bus, was {name!r}\n"
