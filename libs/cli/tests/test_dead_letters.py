"""``collector dead-letters`` on a real Kafka."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from confluent_kafka import Producer

from collector_cli.bus.installation import topology
from collector_cli.replay.retry import retry
from collector_core.codec import encode
from collector_core.records import CatalogEntry, DeadLetter
from collector_core.topics import Topics
from collector_exchanges.discovery import replay_adapter
from collector_runtime.clock import wall_us
from collector_runtime.kafka.catalog import publish_catalog
from collector_runtime.kafka.connection import KafkaSettings, producer_config
from collector_runtime.kafka.provisioner import Provisioner
from collector_runtime.settings import Settings
from collector_testkit.broker import Broker

from .conftest import Call
from .frames import T0, delta, trade, upbit_candle

SECOND = 1_000_000
LETTERS = (
    DeadLetter(
        "binance", "binance-0", T0, "expected a known event, was 'trade'", trade(7).encode()
    ),
    DeadLetter(
        "binance", "binance-1", T0 + 2 * SECOND, "not JSON", b'\x1b[2J{"e":\xff' + b"x" * 90
    ),
    DeadLetter("binance", "binance-0", None, "no TIME", delta(3, 5).encode()),
)
UPBIT = DeadLetter(
    "upbit", "upbit-0", T0 + SECOND, "odd", upbit_candle("2023-11-14T22:13:00", 1, 0).encode()
)


@pytest.fixture
def written(installation: str, broker: Broker) -> str:
    """Write the letters above where an ingestor would."""
    write(broker, installation, [*LETTERS, UPBIT])
    return installation


def write(broker: Broker, prefix: str, letters: Sequence[DeadLetter]) -> None:
    kafka = KafkaSettings(broker.bootstrap_servers)
    topics = Topics(prefix)
    desired = topology(Settings.load())
    exchanges = sorted({letter.exchange for letter in letters})
    Provisioner(kafka).ensure(
        [*desired.bus(), *(topic for name in exchanges for topic in desired.exchange(name))]
    )
    entries = [
        CatalogEntry(f"{prefix}.trade.{name}.A-B", "trade", name, "A/B", None, 0, 1, "trade")
        for name in exchanges
    ]
    publish_catalog(kafka, topics, entries)
    producer = Producer(producer_config(kafka))
    # apart, so that their order is that of the list; recent, so that none is too old to be kept
    published = wall_us() // 1_000 - 60_000
    for number, letter in enumerate(letters):
        topic = f"{prefix}.dead-letter.{letter.exchange}"
        producer.produce(topic, encode(letter), timestamp=published + number * 1_000)
    assert producer.flush(30) == 0


# --- list ------------------------------------------------------------------------------------


@pytest.mark.broker
def test_the_list_shows_what_a_terminal_can_bear(collector: Call, written: str) -> None:
    assert written
    result = collector("dead-letters", "list")
    assert (result.status, result.err) == (0, "")
    first, garbage, lost, upbit = result.lines
    assert lost.startswith("binance:2  no receive time  binance-0  no TIME  {")
    assert first.startswith(
        "binance:0  2023-11-14T22:13:20.000000Z  binance-0  expected a known event, was 'trade'  "
        '{"e":"trade",'
    )
    assert first.endswith("…")
    assert upbit.startswith("upbit:0  2023-11-14T22:13:21.000000Z  upbit-0  odd  {")
    assert "\x1b" not in garbage
    assert '\\x1b[2J{"e":\\xffxxx' in garbage


@pytest.mark.broker
def test_the_list_is_filtered(collector: Call, written: str) -> None:
    assert written

    def names(*options: str) -> list[str]:
        result = collector("dead-letters", "list", *options)
        assert result.status == 0
        return [line.split()[0] for line in result.lines]

    assert names("--exchange", "upbit") == ["upbit:0"]
    assert names("--error", "time") == ["binance:2"]
    assert names("--limit", "2") == ["binance:2", "upbit:0"]
    assert names("--exchange", "binance", "--limit", "1") == ["binance:2"]
    # by the time of publication, which is now
    assert len(names("--since", "2023-11-14T22:13:20Z")) == 4
    assert names("--since", "2100-01-01T00:00:00Z") == ["no"]
    rows = collector("dead-letters", "list", "--json", "--exchange", "binance").lines
    assert [line.encode() for line in rows] == [encode(letter) for letter in LETTERS]


@pytest.mark.broker
def test_a_row_that_is_none_is_said(collector: Call, installation: str, broker: Broker) -> None:
    write(broker, installation, [UPBIT])
    producer = Producer(producer_config(KafkaSettings(broker.bootstrap_servers)))
    producer.produce(f"{installation}.dead-letter.upbit", b"{}")
    assert producer.flush(30) == 0
    result = collector("dead-letters", "list")
    assert len(result.lines) == 1
    assert result.err.startswith(
        f"collector: {installation}.dead-letter.upbit at 1: expected a DeadLetter row"
    )


# --- show ------------------------------------------------------------------------------------


@pytest.mark.broker
def test_one_is_shown_in_full_or_written_as_it_came(
    collector: Call, written: str, tmp_path: Path
) -> None:
    assert written
    result = collector("dead-letters", "show", "binance:0")
    assert (result.status, result.lines) == (
        0,
        [
            "name        binance:0",
            "received    2023-11-14T22:13:20.000000Z",
            "connection  binance-0",
            "error       expected a known event, was 'trade'",
            f"frame       {len(trade(7))} bytes",
            trade(7),
        ],
    )
    path = tmp_path / "frame"
    assert collector("dead-letters", "show", "binance:1", "--raw", str(path)).status == 0
    assert path.read_bytes() == LETTERS[1].frame


@pytest.mark.broker
def test_what_is_not_there_is_one_sentence(collector: Call, written: str) -> None:
    assert written
    for arguments, sentence in (
        (("show", "binance:9"), "expected a dead letter on the bus, was 'binance:9'"),
        (("replay", "binance:9"), "expected dead letters on the bus, was binance:9"),
        (
            ("show", "binance:0", "--raw", "/nowhere/file"),
            "expected a file to write to, was /nowhere/file: No such file or directory\n",
        ),
        (("list", "--exchange", "binnace"), "expected an exchange, one of "),
    ):
        result = collector("dead-letters", *arguments)
        assert (result.status, result.out) == (2, "")
        assert result.err.startswith(f"collector: {sentence}")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("show", "binance"), "expected a dead letter as EXCHANGE:NUMBER, was 'binance'"),
        (("show", "binance:x"), "expected a dead letter as EXCHANGE:NUMBER, was 'binance:x'"),
        (("replay", ":1"), "expected a dead letter as EXCHANGE:NUMBER, was ':1'"),
        (("replay", "--exchange", "nowhere"), "expected an exchange, one of "),
        (("list", "--since", "latest"), "--since: expected earliest or a time, was latest"),
        (("list", "--since", "soon"), "--from: expected earliest or latest, or a time"),
    ],
)
def test_a_wrong_argument_is_one_sentence(
    collector: Call, arguments: tuple[str, ...], sentence: str
) -> None:
    result = collector("dead-letters", *arguments)
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith(f"collector: {sentence}")


# --- replay ----------------------------------------------------------------------------------


@pytest.mark.broker
def test_each_is_tried_and_said(collector: Call, written: str) -> None:
    assert written
    result = collector("dead-letters", "replay")
    assert result.status == 1
    assert result.err == "3 of 4 dead letters are understood now\n"
    first, row, garbage, book, what, upbit, candle = result.lines
    assert book == "binance:2  understood"
    assert what == "  change of the book of BTC/USDT: 1 bids, 0 asks, updates 3 to 5"
    assert first == "binance:0  understood"
    found = json.loads(row)
    assert (found["type"], found["id"], found["receive_time"]) == ("trade", "7", T0)
    assert (found["epoch"], found["seq"]) == (0, 0)
    assert upbit == "upbit:0  understood"
    assert json.loads(candle)["type"] == "candle"
    assert garbage.startswith("binance:1  not understood: expected a Binance frame, was ")


@pytest.mark.broker
def test_some_are_tried_for_machines(collector: Call, written: str) -> None:
    assert written
    result = collector("dead-letters", "replay", "binance:0", "--json")
    assert (result.status, result.err) == (0, "1 of 1 dead letters are understood now\n")
    (found,) = [json.loads(line) for line in result.lines]
    assert (found["name"], found["understood"], found["error"]) == ("binance:0", True, None)
    assert [row["id"] for row in found["rows"]] == ["7"]


@pytest.mark.broker
def test_a_list_of_symbols_may_be_given(collector: Call, written: str, tmp_path: Path) -> None:
    assert written
    path = tmp_path / "instruments.json"
    path.write_text('{"symbols":[]}')
    listed = ("--instruments", str(path))
    result = collector("dead-letters", "replay", "binance:0", *listed)
    assert result.status == 1
    assert "binance:0  not understood: " in result.out
    assert "'BTCUSDT'" in result.out
    result = collector("dead-letters", "replay", *listed)
    assert result.status == 2
    assert result.err.startswith("collector: --instruments: expected --exchange with it")


def test_a_frame_says_things_that_are_no_rows() -> None:
    adapter = replay_adapter("binance")
    for frame, item in (
        ('{"result":null,"id":3}', "the exchange acknowledges a subscription"),
        ('{"error":{"code":2,"msg":"Invalid"},"id":3}', "the exchange refuses a subscription: "),
    ):
        verdict = retry(DeadLetter("binance", "c", None, "", frame.encode()), adapter)
        assert verdict.understood
        assert verdict.rows == []
        (said,) = verdict.items
        assert said.startswith(item)
    nothing = retry(DeadLetter("binance", "c", None, "", b"[" * 100_000), adapter)
    assert not nothing.understood
