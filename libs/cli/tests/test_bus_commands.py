"""The commands that read and write a real Kafka: replay --to kafka, tail, topics, control."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

from collector_core.records import Control
from collector_core.topics import Layout, Topics
from collector_runtime.kafka.connection import KafkaSettings
from collector_runtime.kafka.provisioner import Provisioner
from collector_runtime.kafka.table import Table
from collector_runtime.kafka.tail import last_rows
from collector_runtime.kafka.topology import Topic
from collector_testkit.broker import Broker

from .conftest import Call
from .frames import T0, delta, trade

pytestmark = pytest.mark.broker

BUY = ("replay", "--exchange", "binance", "--to", "kafka", "-")
ALL = ("tail", "--from", "earliest", "--no-follow")
MINUTES = 60_000_000


def session(*symbols: str, count: int = 3, first: int = 1) -> bytes:
    """Trades of several symbols, in turn, with receive times."""
    lines = [
        f"{T0 + number}\t{trade(number, symbol)}\n"
        for number in range(first, first + count)
        for symbol in symbols
    ]
    return "".join(lines).encode()


# --- replay --to kafka, read back by tail ----------------------------------------------------


@pytest.mark.parametrize("layout", ["symbol", "keyed"])
def test_the_bus_carries_the_bytes_of_standard_output(
    collector: Call, installation: str, monkeypatch: pytest.MonkeyPatch, layout: Layout
) -> None:
    monkeypatch.setenv("TOPIC_LAYOUT", layout)
    frames = session("BTCUSDT", "ETHUSDT", "BNBBTC") + f"{T0}\t{delta(1, 2)}\n".encode()
    printed = collector("replay", "--exchange", "binance", "-", stdin=frames)
    published = collector(*BUY, stdin=frames)
    topics = 5 if layout == "symbol" else 3
    assert (published.status, published.out) == (0, "")
    # the two status rows stand in the book's topic and in that of all statuses
    assert published.err == f"10 frames gave 14 rows on {topics} topics, all delivered\n"
    assert installation
    read = collector(*ALL)
    assert (read.status, read.err) == (0, "")
    assert sorted(read.lines) == sorted(printed.lines)
    for symbol in ("BTC/USDT", "ETH/USDT", "BNB/BTC"):
        one = collector(*ALL, "--symbol", symbol, "--channel", "trade").lines
        of_symbol = [line for line in printed.lines if json.loads(line)["symbol"] == symbol]
        assert one == [line for line in of_symbol if '"trade"' in line[:20]]


def test_bad_frames_do_not_keep_the_others_from_the_bus(collector: Call, installation: str) -> None:
    result = collector(*BUY, stdin=session("BTCUSDT", count=1) + b"{\n")
    assert result.status == 1
    assert result.err.splitlines()[-1] == "1 of 2 frames could not be read"
    assert len(collector(*ALL).lines) == 1
    assert installation


def test_nothing_to_publish_is_no_error(collector: Call, installation: str) -> None:
    assert installation
    result = collector(*BUY)
    assert (result.status, result.err) == (0, "0 frames gave no rows\n")


# --- tail ------------------------------------------------------------------------------------


def test_tail_chooses(collector: Call, installation: str) -> None:
    assert installation
    collector(*BUY, stdin=session("BTCUSDT", "ETHUSDT") + f"{T0}\t{delta(1, 2)}\n".encode())
    assert len(collector(*ALL).lines) == 9
    assert len(collector(*ALL, "--limit", "2").lines) == 2
    assert len(collector(*ALL, "--channel", "book", "--channel", "trade").lines) == 9
    assert len(collector(*ALL, "--channel", "book").lines) == 3
    assert len(collector(*ALL, "--channel", "status").lines) == 2
    assert len(collector(*ALL, "--channel", "status", "--symbol", "ETH/USDT").lines) == 0
    assert len(collector(*ALL, "--exchange", "upbit").lines) == 0
    assert collector("tail", "--no-follow").lines == []


def test_tail_says_that_there_is_nothing_of_what_was_asked_for(
    collector: Call, installation: str
) -> None:
    assert installation
    nothing = "collector: expected topics of what was asked for, was none in the catalogue yet; "
    collector(*BUY, stdin=session("BTCUSDT"))
    result = collector(*ALL, "--exchange", "nosuch")
    assert (result.status, result.out) == (0, "")
    assert result.err == f"{nothing}it has those of binance\n"
    assert collector(*ALL, "--exchange", "binance").err == ""


def test_tail_from_a_time_leaves_out_what_was_published_before(
    collector: Call, installation: str, broker: Broker
) -> None:
    collector(*BUY, stdin=session("BTCUSDT", count=2))
    place = (f"{installation}.trade.binance.BTC-USDT", 0)
    settings = KafkaSettings(broker.bootstrap_servers)
    published = last_rows(settings, [place])[place][0].timestamp
    for text in (f"{published + 60_000}", f"{published // 1000 + 60}", "2100-01-01T00:00:00Z"):
        assert collector("tail", "--no-follow", "--from", text).lines == []
    for text in (f"{published * 1000 - MINUTES}", "2020-01-01"):
        assert len(collector("tail", "--no-follow", "--from", text).lines) == 2


def test_tail_refuses_what_is_no_start(collector: Call, installation: str) -> None:
    assert installation
    for arguments, sentence in (
        (
            ("--from", "yesterday"),
            "--from: expected earliest or latest, or a time: expected a time",
        ),
        (("--channel", "quotes"), "expected one of the channels trade, "),
        (("--symbol", "BTCUSDT"), "expected a symbol such as BTC/USDT, was 'BTCUSDT'"),
    ):
        result = collector("tail", *arguments)
        assert (result.status, result.out) == (2, "")
        assert result.err.startswith(f"collector: {sentence}")


def test_tail_for_people(collector: Call, installation: str) -> None:
    assert installation
    collector(*BUY, stdin=session("BTCUSDT", count=1))
    line = "22:13:20.000 binance   BTC/USDT     trade      sell 0.10 at 100.50"
    assert collector(*ALL, "--pretty").lines == [line]


def test_tail_reads_a_symbol_that_turns_up_while_it_runs(
    collector: Call, installation: str
) -> None:
    assert installation
    collector(*BUY, stdin=session("BTCUSDT", count=1))
    program = [sys.executable, "-c", "from collector_cli.main import main; main()"]
    command = [*program, "tail", "--from", "earliest", "--limit", "4"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = json.loads(process.stdout.readline())
        collector(*BUY, stdin=session("ETHUSDT"))
        others = [json.loads(line) for line in process.stdout]
        assert process.stderr.read() == b""
        assert process.wait(30) == 0
    assert first["symbol"] == "BTC/USDT"
    assert [(row["symbol"], row["seq"]) for row in others] == [("ETH/USDT", n) for n in (1, 2, 3)]


def test_an_interrupt_ends_tail_quietly(collector: Call, installation: str) -> None:
    assert installation
    collector(*BUY, stdin=session("BTCUSDT", count=1))
    program = [sys.executable, "-c", "from collector_cli.main import main; main()"]
    command = [*program, "tail", "--from", "earliest"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b'{"type":"trade"')
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=30) == (b"", b"")
        assert process.returncode == 130


# --- topics ----------------------------------------------------------------------------------

WANTED = ("--exchange", "binance", "--symbols", "BTC/USDT,ETH/USDT", "--channels", "trade,book")


def test_topics_are_planned_made_and_found_right(collector: Call, installation: str) -> None:
    drift = collector("topics", "drift", *WANTED)
    assert drift.status == 1
    assert len(drift.lines) == 9
    plan = collector("topics", "plan", *WANTED)
    assert plan.status == 0
    book = f"create {installation}.book.binance.BTC-USDT (1 partition) cleanup.policy=delete "
    assert [line for line in plan.lines if line.startswith(book)] != []
    assert len(json.loads(collector("topics", "plan", *WANTED, "--json").out)["create"]) == 9
    done = collector("topics", "apply", *WANTED)
    assert (done.status, len(done.lines)) == (0, 9)
    assert done.lines[0].startswith(f"created {installation}.")
    again = collector("topics", "apply", *WANTED)
    assert (again.status, again.out) == (0, "nothing to do: 9 topics\n")
    assert collector("topics", "plan", *WANTED).out.startswith("nothing to do: 9 topics")
    assert collector("topics", "drift", *WANTED).out == "no drift: 9 topics\n"
    assert json.loads(collector("topics", "drift", *WANTED, "--json").out) == []


def test_topics_report_what_only_people_can_mend(
    collector: Call, installation: str, broker: Broker
) -> None:
    name = f"{installation}.trade.binance.BTC-USDT"
    odd = Topic(name, 3, {"retention.ms": "1000"})
    Provisioner(KafkaSettings(broker.bootstrap_servers)).ensure([odd])
    assert (
        f"drift {name}: expected partitions 1, was 3" in collector("topics", "plan", *WANTED).lines
    )
    applied = collector("topics", "apply", *WANTED)
    assert applied.status == 1
    assert applied.err == f"drift {name}: expected partitions 1, was 3\n"
    assert f"altered {name}: expected retention.ms 259200000, was 1000" in applied.lines
    left = json.loads(collector("topics", "drift", *WANTED, "--json").out)
    assert [(d["aspect"], d["expected"], d["actual"]) for d in left] == [("partitions", "1", "3")]


def test_topics_refuse_what_the_exchange_does_not_have(collector: Call, installation: str) -> None:
    assert installation
    for extra, sentence in (
        (("--channels", "quotes"), "expected channels that Binance spot has (trade, "),
        (("--symbols", "BTC-USDT"), "expected a symbol such as BTC/USDT"),
        (("--exchange", "nowhere"), "expected an exchange, one of "),
    ):
        result = collector("topics", "plan", *WANTED, *extra)
        assert (result.status, result.out) == (2, "")
        assert result.err.startswith(f"collector: {sentence}")


# --- subscribe and unsubscribe ---------------------------------------------------------------


def wanted(broker: Broker, prefix: str) -> dict[str, Control]:
    settings = KafkaSettings(broker.bootstrap_servers)
    with Table(settings, Topics(prefix).control, Control) as table:
        table.load()
        return dict(table.rows)


def test_control_rows_follow_the_commands(
    collector: Call, installation: str, broker: Broker
) -> None:
    result = collector("subscribe", "binance", "SOL/USDT")
    assert (result.status, result.out) == (0, "binance SOL/USDT: trade, ticker, book, candle\n")
    spans = ("--channels", "trade,candle", "--intervals", "1m,1h")
    assert collector("subscribe", "binance", "ETH/USDT", *spans).out == (
        "binance ETH/USDT: trade, candle (1m, 1h)\n"
    )
    assert wanted(broker, installation) == {
        "binance|SOL/USDT": Control("binance", "SOL/USDT", ("trade", "ticker", "book", "candle")),
        "binance|ETH/USDT": Control("binance", "ETH/USDT", ("trade", "candle"), ("1m", "1h")),
    }
    stop = ("unsubscribe", "binance")
    assert collector(*stop, "SOL/USDT", "--channels", "book").out == (
        "binance SOL/USDT: trade, ticker, candle\n"
    )
    assert collector(*stop, "ETH/USDT", "--intervals", "1h").status == 0
    held = wanted(broker, installation)
    assert held["binance|ETH/USDT"].intervals == ("1m",)
    assert collector(*stop, "ETH/USDT", "--intervals", "1m").out == "binance ETH/USDT: trade\n"
    assert collector(*stop, "ETH/USDT").out == "binance ETH/USDT: stopped\n"
    assert wanted(broker, installation)["binance|ETH/USDT"].channels == ()
    assert collector(*stop, "ETH/USDT", "--as-configured").status == 0
    assert list(wanted(broker, installation)) == ["binance|SOL/USDT"]


def test_control_rows_of_patterns(collector: Call, installation: str, broker: Broker) -> None:
    result = collector("subscribe", "binance", "*/USDT", "--channels", "trade,book")
    assert (result.status, result.out) == (0, "binance */USDT: trade, book\n")
    assert collector("unsubscribe", "binance", "BTC/*").out == "binance BTC/*: stopped\n"
    row = Control("binance", "*/USDT", ("trade", "book"))
    assert wanted(broker, installation) == {
        "binance|*/USDT": row,
        "binance|BTC/*": Control("binance", "BTC/*", ()),
    }
    stop = ("unsubscribe", "binance", "*/USDT", "--channels", "book")
    assert collector(*stop).out == "binance */USDT: trade\n"
    assert collector("unsubscribe", "binance", "BTC/*", "--as-configured").status == 0
    assert list(wanted(broker, installation)) == ["binance|*/USDT"]


def test_control_refuses_what_cannot_be_had(collector: Call, installation: str) -> None:
    assert installation
    for arguments, sentence in (
        (("subscribe", "binance", "BTCUSDT"), "expected a symbol such as BTC/USDT"),
        (("subscribe", "binance", "*USDT"), "expected a pattern of symbols such as */USDT"),
        (("unsubscribe", "binance", "*/usdt"), "expected a pattern of symbols such as */USDT"),
        (("subscribe", "nowhere", "BTC/USDT"), "expected an exchange, one of "),
        (("subscribe", "binance", "BTC/USDT", "--channels", "instrument"), "expected channels"),
        (("subscribe", "binance", "BTC/USDT", "--channels", ","), "--channels: expected at least"),
        (("subscribe", "binance", "BTC/USDT", "--intervals", "7m"), "expected intervals that"),
        (("subscribe", "binance", "BTC/USDT", "--intervals", "x"), "expected an interval such as"),
        (("unsubscribe", "binance", "BTC/USDT", "--channels", "book"), "expected a row for"),
        (
            ("unsubscribe", "binance", "BTC/USDT", "--as-configured", "--channels", "book"),
            "expected --as-configured alone",
        ),
    ):
        result = collector(*arguments)
        assert (result.status, result.out) == (2, "")
        assert result.err.startswith(f"collector: {sentence}")


def test_intervals_of_the_settings_cannot_be_taken_from(collector: Call, installation: str) -> None:
    assert installation
    collector("subscribe", "binance", "BTC/USDT")
    result = collector("unsubscribe", "binance", "BTC/USDT", "--intervals", "1m")
    assert result.status == 2
    assert result.err.startswith("collector: expected intervals in the row of binance BTC/USDT")
