"""What people are shown: rows in words, counts, rates, lags and tables."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import pytest

from collector_cli.bus.describe import clock_time, describe
from collector_cli.run.board import open_board, summary
from collector_cli.run.tally import Tally
from collector_core.codec import decode, encode
from collector_core.events import Bar, Book, Clock, Event, Row, Status, Ticker, Trade
from collector_core.topics import Layout, Topics

GOLDEN = Path(__file__).parents[3] / "schemas" / "golden"
RECORDS = {"catalog", "control", "dead_letter"}
AT = 1_700_000_000_000_000


@dataclass
class Message:
    """A row as Kafka's client gives it, as far as it is looked at."""

    name: str
    row: bytes

    def topic(self) -> str:
        return self.name

    def value(self) -> bytes:
        return self.row


def trade(symbol: str = "BTC/USDT", received: int | None = AT) -> Trade:
    return Trade("binance", symbol, AT, received, 1, 1, "7", "100.5", "2", None)


def status(channel: str = "trade") -> Status:
    return Status("binance", "BTC/USDT", None, AT, 1, 1, "gap", channel, "ids are missing")


# --- rows in words ---------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_every_row_type_has_words(path: Path) -> None:
    if path.stem in RECORDS:
        return
    for line in path.read_bytes().splitlines():
        said = describe(decode(line))
        assert said
        assert "None" not in said


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (trade(), "traded 2 at 100.5"),
        (status(), "trade gap: ids are missing"),
        (Clock("binance", "BTC/USDT", None, AT, 1, 1, AT), "complete to 22:13:20.000"),
        (Ticker("binance", "BTC/USDT", None, AT, 1, 1, last="5"), "5"),
        (Ticker("binance", "BTC/USDT", None, AT, 1, 1, bid="4", ask="6"), "4 / 6"),
        (Ticker("binance", "BTC/USDT", None, AT, 1, 1, bid="4"), "4 / -"),
        (
            Book("binance", "BTC/USDT", AT, AT, 1, 1, "delta", [("1", "0")], []),
            "1 levels changed",
        ),
        (
            Book("binance", "BTC/USDT", AT, AT, 1, 1, "snapshot", [("1", "2")], []),
            "1 / -, 1 levels",
        ),
    ],
)
def test_words(event: Event, words: str) -> None:
    assert describe(event) == words


def test_an_unknown_time_is_dashes() -> None:
    assert clock_time(None) == "--:--:--.---"


# --- counts ----------------------------------------------------------------------------------


def tally_of(
    rows: list[tuple[str, Row]], topics: Topics, exchanges: tuple[str, ...] = ("binance",)
) -> Tally:
    tally = Tally(topics, exchanges, ("trade", "book"))
    tally.lines(0.0)
    messages = [Message(topic, encode(row)) for topic, row in rows]
    tally.count(messages, AT + 250_000)  # type: ignore[arg-type]  # the client's class is made by C
    return tally


@pytest.mark.parametrize("layout", ["symbol", "keyed"])
def test_rows_are_counted_by_their_own_type(layout: Layout) -> None:
    topics = Topics(layout=layout)
    place = topics.address("trade", "binance", "BTC/USDT").topic
    clock = Clock("binance", "BTC/USDT", None, AT, 1, 1, AT)
    everything = topics.address("status", "binance", "BTC/USDT").topic
    rows: list[tuple[str, Row]] = [(place, trade()), (place, clock), (place, status())]
    tally = tally_of([*rows, (everything, status())], topics)
    assert tally.rows() == {
        "trade": {"binance": 1},
        "book": {"binance": 0},
        "status": {"binance": 1},
    }


def test_a_line_has_rate_lag_and_last_row() -> None:
    topics = Topics()
    topic = topics.address("trade", "binance", "BTC/USDT").topic
    tally = tally_of([(topic, trade()), (topic, trade())], topics)
    line = tally.lines(4.0)[0]
    assert line == ("trade", "binance", 2, 0.5, 0.25, "BTC/USDT", "traded 2 at 100.5")
    # the rate is that of the last seconds
    assert [tally.lines(now)[0].rate for now in (8.0, 12.0, 16.0)][-1] == 0.0


def test_a_row_without_receive_time_has_no_lag() -> None:
    topics = Topics()
    topic = topics.address("trade", "binance", "BTC/USDT").topic
    tally = tally_of([(topic, trade(received=None))], topics)
    assert tally.lines(1.0)[0].lag is None


# --- on the screen ---------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_table_and_a_pipe_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    topics = Topics()
    topic = topics.address("trade", "binance", "BTC/USDT").topic
    lines = tally_of([(topic, trade())], topics, ("binance", "upbit")).lines(2.0)
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        board = open_board(stream, "Ctrl-C ends it")
        board.show(lines, 2.0)
        board.close()
    assert pipe.getvalue() == "2 s: trade 1 (0/s), book 0 (0/s)\n"
    shown = terminal.getvalue()
    assert "250 ms" in shown
    assert "BTC/USDT traded 2 at 100.5" in shown
    assert "2 s, Ctrl-C ends it" in shown


def test_the_summary_sets_exchanges_side_by_side() -> None:
    stream = io.StringIO()
    summary({"trade": {"binance": 1500, "upbit": 500}, "bar": {"upbit": 7}}, 10.0, stream)
    words = [line.split() for line in stream.getvalue().splitlines() if line.split()]
    assert words[0] == ["rows", "in", "10.0", "s"]
    assert ["trade", "1,500", "500", "200.0"] in words
    assert ["bar", "7", "0.7"] in words


def test_bars_say_their_size() -> None:
    path = GOLDEN / "bar.json"
    bar = decode(path.read_bytes().splitlines()[0])
    assert isinstance(bar, Bar)
    assert describe(bar).startswith(f"{bar.size} of ")
