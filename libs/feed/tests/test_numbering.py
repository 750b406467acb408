"""Counters without holes, in both layouts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector_core.events import (
    Bar,
    Book,
    Candle,
    Clock,
    Depth,
    Event,
    Indicator,
    Instrument,
    Status,
    Ticker,
    Trade,
)
from collector_core.topics import Layout, Topics
from collector_feed.numbering import Numbering, channel_of, started

SYMBOLS = ["A/X", "B/X"]
MAKERS = {
    "trade": lambda s: Trade("x", s, 1, 2, 0, 0, "1", "1", "1", None),
    "clock": lambda s: Clock("x", s, 1, 2, 0, 0, 1),
    "ticker": lambda s: Ticker("x", s, 1, 2, 0, 0),
    "book": lambda s: Book("x", s, 1, 2, 0, 0, "delta", [], []),
}
CHANNELS = {"trade": "trade", "clock": "trade", "ticker": "ticker", "book": "book"}


def opened(layout: Layout = "symbol") -> Numbering:
    numbering = Numbering(77, Topics(layout=layout, partitions=4))
    for symbol in SYMBOLS:
        for channel in ("trade", "ticker", "book"):
            numbering.open(channel, "x", symbol)
    return numbering


@pytest.mark.parametrize("layout", ["symbol", "keyed"])
@given(steps=st.lists(st.tuples(st.sampled_from(sorted(MAKERS)), st.sampled_from(SYMBOLS))))
def test_each_stream_counts_without_holes(layout: Layout, steps: list[tuple[str, str]]) -> None:
    numbering = opened(layout)
    seen: dict[tuple[str, str], list[int]] = {}
    for kind, symbol in steps:
        event = MAKERS[kind](symbol)
        stream = numbering.stamp(event)
        assert (stream.channel, stream.symbol) == (CHANNELS[kind], symbol)
        assert event.epoch == 77
        seen.setdefault((CHANNELS[kind], symbol), []).append(event.seq)
    for numbers in seen.values():
        assert numbers == list(range(1, len(numbers) + 1))


def test_clock_and_status_rows_count_with_the_trades_they_stand_among() -> None:
    numbering = opened()
    trade, clock = MAKERS["trade"]("A/X"), MAKERS["clock"]("A/X")
    stream = numbering.stamp(trade)
    status = Status("x", "A/X", None, 2, 0, 0, "gap", "trade")
    numbering.stamp_in(status, stream)
    numbering.stamp(clock)
    assert [trade.seq, status.seq, clock.seq, stream.seq] == [1, 2, 3, 3]
    assert status.epoch == 77


def test_streams_lie_where_the_layout_says() -> None:
    by_symbol, keyed = opened("symbol"), opened("keyed")
    for symbol in SYMBOLS:
        one, two = by_symbol.find("trade", symbol), keyed.find("trade", symbol)
        assert one is not None
        assert two is not None
        assert (one.topic, one.partition, one.partitions) == Topics().address("trade", "x", symbol)
        assert two.topic == "md.trade.x"
        assert two.partitions == 4
        assert one.key == two.key == f"x|{symbol}".encode()


def test_a_stream_that_is_not_open_takes_no_row() -> None:
    numbering = opened()
    with pytest.raises(KeyError):
        numbering.stamp(MAKERS["trade"]("Z/X"))
    assert numbering.find("trade", "Z/X") is None
    assert numbering.find("depth", "A/X") is None
    numbering.close("trade", "A/X")
    numbering.close("trade", "A/X")
    with pytest.raises(KeyError):
        numbering.stamp(MAKERS["clock"]("A/X"))
    assert len(list(numbering.streams())) == 5


def test_a_stream_that_is_opened_again_counts_on() -> None:
    numbering = opened()
    numbering.stamp(MAKERS["trade"]("A/X"))
    numbering.close("trade", "A/X")
    # from 1 again, a reader would take every row for one that it has read already
    numbering.open("trade", "x", "A/X")
    event = MAKERS["trade"]("A/X")
    numbering.stamp(event)
    assert (event.epoch, event.seq) == (77, 2)
    assert numbering.open("ticker", "x", "B/X").seq == 0


def test_opening_twice_gives_the_same_stream() -> None:
    numbering = opened()
    assert numbering.open("trade", "x", "A/X") is numbering.find("trade", "A/X")


def test_rows_with_a_key_of_their_own_have_none_of_the_stream() -> None:
    numbering = Numbering(1, Topics())
    assert numbering.open("candle", "x", "A/X").key is None
    assert numbering.open("status", "x", "A/X").key is None
    assert numbering.open("book", "x", "A/X").key == b"x|A/X"


@pytest.mark.parametrize(
    ("kind", "channel"),
    [
        (Trade, "trade"),
        (Clock, "trade"),
        (Ticker, "ticker"),
        (Book, "book"),
        (Depth, "depth"),
        (Candle, "candle"),
        (Bar, "bar"),
        (Indicator, "indicator"),
        (Instrument, "instrument"),
    ],
)
def test_every_type_has_its_channel(kind: type[Event], channel: str) -> None:
    assert channel_of(kind(*[None] * len(kind.__struct_fields__))) == channel


def test_a_status_travels_where_it_says() -> None:
    assert channel_of(Status("x", "A/X", None, 2, 0, 0, "gap", "book")) == "book"


@pytest.mark.parametrize(
    ("previous", "epoch", "seq"), [((5, 9), 5, 9), ((5, 0), 5, 0), (None, None, None)]
)
def test_a_restart_names_where_the_rows_before_it_ended(
    previous: tuple[int, int] | None, epoch: int | None, seq: int | None
) -> None:
    stream = opened().open("book", "x", "A/X")
    row = started(stream, previous, 123)
    assert (row.state, row.channel, row.symbol, row.receive_time) == ("started", "book", "A/X", 123)
    assert (row.previous_epoch, row.previous_seq) == (epoch, seq)
