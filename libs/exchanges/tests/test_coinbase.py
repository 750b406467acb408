"""Coinbase alone: the count of a connection's messages, pages, and what a refusal means."""

from __future__ import annotations

import json

import pytest

from collector_core.events import Book, Status, Trade
from collector_exchanges.coinbase.adapter import CoinbaseAdapter
from collector_feed.outputs import (
    Acknowledged,
    BookDelta,
    BookSnapshot,
    Connect,
    Decoded,
    Lost,
    Mark,
    Send,
    Subscription,
)
from collector_feed.pipeline import Pipeline
from collector_feed.session import Session

from .cases import RECEIVE_TIME, FrameCase, load, make_adapter


def coinbase() -> CoinbaseAdapter:
    adapter = make_adapter("coinbase")
    assert isinstance(adapter, CoinbaseAdapter)
    return adapter


def frame_of(name: str, number: int | None = None) -> bytes:
    text = next(
        bytes(c.frame) for c in load("coinbase", "frames.json", FrameCase) if c.name == name
    )
    if number is None:
        return text
    frame = json.loads(text)
    return json.dumps({**frame, "sequence_num": number}).encode()


BUY = "a resting sell order was hit: a buy"
BEAT = "a heartbeat, counted by a number"
WHOLE = "a whole book; the name of its frames is not that of its subscription"
CHANGE = "changes; zero removes; a price twice, in order"
CANDLE = "five minutes so far"
TICKER = "24 hours and the touch"
HOLDS = "what holds by now, heartbeats left out"


def read(adapter: CoinbaseAdapter, name: str, number: int) -> list[Decoded]:
    return adapter.on_frame(frame_of(name, number), RECEIVE_TIME)


def test_a_hole_in_the_count_of_messages_is_told_before_the_frame_behind_it() -> None:
    adapter = coinbase()
    assert read(adapter, BEAT, 7) == []
    lost, change = read(adapter, CHANGE, 10)
    assert lost == Lost(8, 10)
    assert isinstance(change, BookDelta)
    assert (change.first, change.last) == (10, 10)
    assert read(adapter, BEAT, 11) == []
    assert read(adapter, BEAT, 13) == [Lost(12, 13)]


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        (BUY, [Trade]),
        (HOLDS, [Acknowledged]),
        (WHOLE, []),
        (CHANGE, []),
        (CANDLE, []),
        (TICKER, []),
        (BEAT, []),
    ],
)
def test_of_a_frame_out_of_order_only_what_names_itself_is_taken(
    name: str, kinds: list[type]
) -> None:
    adapter = coinbase()
    assert read(adapter, BEAT, 9) == []
    for older in (8, 9, 0):
        assert kinds == [type(output) for output in read(adapter, name, older)]
    assert read(adapter, BEAT, 10) == []


def test_a_connection_begins_to_count_where_its_first_frame_does() -> None:
    adapter = coinbase()
    assert read(adapter, BEAT, 100) == []
    adapter.reset()
    assert read(adapter, BEAT, 0) == []


def test_a_frame_that_cannot_be_read_is_missed_by_the_next_one() -> None:
    pipeline = Pipeline(coinbase(), accept_any=True)
    pipeline.on_frame(frame_of(WHOLE, 1), RECEIVE_TIME)
    for broken in (
        frame_of(CHANGE, 2)[:-1],
        frame_of(CHANGE, 2).replace(b"65062.5", b"high"),
        frame_of(CHANGE, 2).replace(b"bid", b"ask"),
    ):
        pipeline.on_frame(broken, RECEIVE_TIME)
    assert pipeline.adapter.on_frame(frame_of(BEAT, 3), RECEIVE_TIME) == [Lost(2, 3)]


def test_a_channel_that_is_not_known_takes_a_number_and_breaks_nothing() -> None:
    adapter = coinbase()
    pipeline = Pipeline(adapter, accept_any=True)
    assert read(adapter, BEAT, 1) == []
    pipeline.on_frame(b'{"channel":"of_tomorrow","sequence_num":2,"events":[]}', RECEIVE_TIME)
    assert read(adapter, BEAT, 3) == []
    # a hole before it is still told
    pipeline.on_frame(b'{"channel":"of_tomorrow","sequence_num":5,"events":[]}', RECEIVE_TIME)
    assert read(adapter, BEAT, 6) == [Lost(4, 6)]


def test_a_book_starts_anew_when_messages_are_missing() -> None:
    pipeline = Pipeline(coinbase(), accept_any=True)
    pipeline.on_frame(frame_of(WHOLE, 1), RECEIVE_TIME)
    (change,) = pipeline.on_frame(frame_of(CHANGE, 2), RECEIVE_TIME)
    assert isinstance(change, Book)
    assert change.venue_sequence == 2
    assert change.bids == [("65062.5", "0.00583"), ("65062.5", "0")]
    rows = pipeline.on_frame(frame_of(CHANGE, 4), RECEIVE_TIME)
    assert [row.state for row in rows if isinstance(row, Status)] == ["gap", "resyncing"]
    assert [row for row in rows if isinstance(row, Book)] == []
    rows = pipeline.on_frame(frame_of(WHOLE, 5), RECEIVE_TIME)
    assert [row.state for row in rows if isinstance(row, Status)] == ["synced"]
    assert [row.kind for row in rows if isinstance(row, Book)] == ["snapshot"]


def test_trades_sent_again_on_a_new_subscription_are_dropped_and_missed_ones_are_taken() -> None:
    pipeline = Pipeline(coinbase(), accept_any=True)
    again = "the last ones before the subscription, newest first"
    first = pipeline.on_frame(frame_of(again, 0), RECEIVE_TIME)
    assert [row.id for row in first if isinstance(row, Trade)] == ["1068572089", "1068572090"]
    pipeline.interrupted()
    pipeline.adapter.reset()
    later = frame_of(again, 0).replace(b"1068572090", b"1068572091").replace(b"572089", b"572090")
    rows = pipeline.on_frame(later, RECEIVE_TIME)
    assert [(row.id, row.backfilled) for row in rows if isinstance(row, Trade)] == [
        ("1068572091", True)
    ]
    assert [row for row in rows if isinstance(row, Status)] == []


def test_heartbeats_are_asked_for_before_anything_else() -> None:
    (send,) = coinbase().opening()
    assert json.loads(send.text) == {"type": "subscribe", "channel": "heartbeats"}


def test_an_answer_confirms_what_it_names_and_a_product_left_out_stays_asked_for() -> None:
    session = Session(coinbase(), "wss://test", lambda: 0.0)
    wanted = [Subscription("book", "BTC/USD"), Subscription("book", "ETH/BTC")]
    session.subscribe(wanted, 0.0)
    assert session.start(0.0) == [Connect("wss://test")]
    outputs = session.on_connected(0.0, RECEIVE_TIME)
    beats, books = [json.loads(output.text) for output in outputs if isinstance(output, Send)]
    assert beats == {"type": "subscribe", "channel": "heartbeats"}
    assert books["product_ids"] == ["BTC-USD", "ETH-BTC"]
    rows = session.on_frame(frame_of(HOLDS), RECEIVE_TIME)
    told = [(row.symbol, row.state) for row in rows if isinstance(row, Status)]
    assert ("BTC/USD", "subscribed") in told
    assert "ETH/BTC" not in {symbol for symbol, _ in told}
    again = session.on_time(31.0, RECEIVE_TIME)
    sent = [json.loads(output.text) for output in again if isinstance(output, Send)]
    assert [message["product_ids"] for message in sent] == [["ETH-BTC"]]


def test_a_full_page_of_trades_goes_on_one_second_back_at_least() -> None:
    after = Mark("100", 1_790_134_000_000_000)
    request = coinbase().trades("BTC/USD", after, Mark("9000", 1_790_134_742_544_778))
    assert ("end", "1790134743") in request.query

    def page(newest: int, second: str) -> bytes:
        trade = {"product_id": "BTC-USD", "price": "1", "size": "1", "side": "BUY"}
        rows = [
            {**trade, "trade_id": str(newest - n), "time": f"2026-09-23T03:39:{second}Z"}
            for n in range(1000)
        ]
        return json.dumps({"trades": rows}).encode()

    ends = []
    for newest, second in ((8999, "02.5"), (7999, "02.4"), (6999, "01"), (1100, "01")):
        answer = request.parse(page(newest, second), RECEIVE_TIME)
        assert len(answer.rows) == 1000
        if answer.more is None:
            ends.append(None)
            break
        request = answer.more
        assert ("start", "1790134000") in request.query
        ends.append(dict(request.query)["end"])
    # the second page ends in the same second as the first one: whatever is left of it is given up
    assert ends == ["1790134742", "1790134741", "1790134740", None]


def test_a_page_that_reaches_the_start_is_the_last_one() -> None:
    after = Mark(None, 1_790_134_742_000_000)
    request = coinbase().trades("BTC/USD", after, None)
    trade = {"product_id": "BTC-USD", "price": "1", "size": "1", "side": "BUY"}
    rows = [
        {**trade, "trade_id": str(2000 - n), "time": "2026-09-23T03:39:02.5Z"} for n in range(1000)
    ]
    assert request.parse(json.dumps({"trades": rows}).encode(), RECEIVE_TIME).more is not None
    rows[-1]["time"] = "2026-09-23T03:39:01.9Z"
    assert request.parse(json.dumps({"trades": rows}).encode(), RECEIVE_TIME).more is None
    assert request.parse(json.dumps({"trades": rows[:999]}).encode(), RECEIVE_TIME).more is None


@pytest.mark.parametrize(
    ("headers", "spent"),
    [
        ({"x-ratelimit-limit": "10", "x-ratelimit-remaining": "7"}, 3),
        ({"x-ratelimit-limit": "10", "x-ratelimit-remaining": "12"}, 0),
        ({"x-ratelimit-limit": "10"}, None),
        ({}, None),
    ],
)
def test_what_is_spent_stands_in_the_headers(headers: dict[str, str], spent: int | None) -> None:
    assert spent == coinbase().spent(headers)


def test_a_snapshot_of_a_whole_market_is_read_level_by_level() -> None:
    levels = [
        {"side": side, "event_time": "1970-01-01T00:00:00Z", "price_level": f"{price}.5",
         "new_quantity": "0.01"}
        for side, prices in (("bid", range(30_000, 0, -1)), ("offer", range(30_001, 60_001)))
        for price in prices
    ]  # fmt: skip
    event = {"type": "snapshot", "product_id": "BTC-USD", "updates": levels}
    frame = {
        "channel": "l2_data",
        "timestamp": "2026-09-23T03:39:02Z",
        "sequence_num": 0,
        "events": [event],
    }
    (book,) = coinbase().on_frame(json.dumps(frame).encode(), RECEIVE_TIME)
    assert isinstance(book, BookSnapshot)
    assert (len(book.bids), len(book.asks)) == (30_000, 30_000)
    assert (book.bids[0], book.asks[0]) == (("30000.5", "0.01"), ("30001.5", "0.01"))
