"""Bybit alone: refusals of messages, books that begin anew, pages of candles, throttles."""

from __future__ import annotations

import json

import pytest

from collector_core.errors import RequestError, Throttled
from collector_core.events import Book, Event, Status, Trade
from collector_exchanges.bybit.adapter import BybitAdapter
from collector_feed.outputs import Connect, Fetch, Output, Send, Subscription, Undecodable
from collector_feed.pipeline import Pipeline
from collector_feed.session import Session

from .cases import RECEIVE_TIME, load, make_adapter
from .cases import FrameCase as Frame

TRADE = Subscription("trade", "BTC/USDT")
BOOK = Subscription("book", "BTC/USDT")
ETH = Subscription("trade", "ETH/BTC")


def bybit() -> BybitAdapter:
    adapter = make_adapter("bybit")
    assert isinstance(adapter, BybitAdapter)
    return adapter


def frame_of(name: str) -> bytes:
    return next(bytes(c.frame) for c in load("bybit", "frames.json", Frame) if c.name == name)


def live(*subscriptions: Subscription) -> tuple[Session, list[Output]]:
    session = Session(bybit(), "wss://test", lambda: 0.0)
    session.subscribe(subscriptions, 0.0)
    assert session.start(0.0) == [Connect("wss://test")]
    return session, session.on_connected(0.0, RECEIVE_TIME)


def topics(outputs: list[Output]) -> list[tuple[str, list[str]]]:
    sent = [json.loads(output.text) for output in outputs if isinstance(output, Send)]
    return [(message["op"], message["args"]) for message in sent if "args" in message]


def states(outputs: list[Output]) -> list[tuple[str, str, str]]:
    rows = [output for output in outputs if isinstance(output, Status)]
    return [(row.channel, row.symbol, row.state) for row in rows]


def answer(number: int, *, success: bool, text: str) -> bytes:
    told = {"success": success, "ret_msg": text, "conn_id": "x", "req_id": str(number)}
    return json.dumps({**told, "op": "subscribe"}).encode()


def test_one_wrong_topic_is_refused_alone_and_the_others_are_sent_again() -> None:
    session, sent = live(TRADE, BOOK, ETH)
    assert topics(sent) == [
        ("subscribe", ["publicTrade.BTCUSDT", "orderbook.1000.BTCUSDT", "publicTrade.ETHBTC"])
    ]
    text = "error:handler not found,topic:publicTrade.ETHBTC"
    refused = session.on_frame(answer(1, success=False, text=text), RECEIVE_TIME)
    assert states(refused) == [("trade", "ETH/BTC", "rejected")]
    again = session.on_time(11.0, RECEIVE_TIME + 11_000_000)
    assert topics(again) == [
        ("subscribe", ["publicTrade.BTCUSDT"]),
        ("subscribe", ["orderbook.1000.BTCUSDT"]),
    ]
    taken = session.on_frame(answer(2, success=True, text="subscribe"), RECEIVE_TIME)
    assert states(taken) == [("trade", "BTC/USDT", "subscribed")]


def test_what_is_subscribed_already_is_not_refused() -> None:
    session, sent = live(TRADE, ETH)
    assert len(topics(sent)) == 1
    # the answer was lost: both are asked for again, each alone
    again = session.on_time(11.0, RECEIVE_TIME + 11_000_000)
    assert topics(again) == [
        ("subscribe", ["publicTrade.BTCUSDT"]),
        ("subscribe", ["publicTrade.ETHBTC"]),
    ]
    found = []
    for number, name in ((2, "BTCUSDT"), (3, "ETHBTC")):
        text = f"error:already subscribed,topic:publicTrade.{name}"
        found += session.on_frame(answer(number, success=False, text=text), RECEIVE_TIME)
    assert states(found) == [
        ("trade", "BTC/USDT", "subscribed"),
        ("trade", "ETH/BTC", "subscribed"),
    ]


def test_a_message_that_is_refused_without_a_name_is_refused_whole() -> None:
    session, _ = live(TRADE, ETH)
    refused = session.on_frame(answer(1, success=False, text="failed auth"), RECEIVE_TIME)
    assert states(refused) == [
        ("trade", "BTC/USDT", "rejected"),
        ("trade", "ETH/BTC", "rejected"),
    ]


def test_a_new_connection_is_asked_in_messages_of_ten_again() -> None:
    adapter = bybit()
    wanted = [TRADE, ETH]
    for _ in range(2):
        messages = adapter.change([], wanted, [])
        assert [adds for _, adds in messages] == [tuple(wanted)]
        adapter.reset()
    adapter.change([], wanted, [])
    adapter.change(wanted, [], [ETH])
    assert [adds for _, adds in adapter.change([TRADE], [ETH], [])] == [(ETH,)]


def book_frame(kind: str, number: int, bids: list[list[str]], asks: list[list[str]]) -> bytes:
    data = {"s": "BTCUSDT", "b": bids, "a": asks, "u": number, "seq": 7}
    topic = "orderbook.1000.BTCUSDT"
    whole = {"topic": topic, "ts": 1_790_134_742_400, "type": kind, "data": data}
    return json.dumps({**whole, "cts": 1_790_134_742_399}).encode()


def book_states(rows: list[Event | Undecodable]) -> list[str]:
    return [
        row.state if isinstance(row, Status) else row.kind
        for row in rows
        if isinstance(row, Status | Book)
    ]


def test_a_book_starts_from_its_snapshot_and_every_later_one_replaces_it() -> None:
    pipeline = Pipeline(bybit(), accept_any=True)
    read = pipeline.on_frame
    whole = [["10", "1"]], [["11", "1"]]
    assert book_states(read(book_frame("snapshot", 7, *whole), RECEIVE_TIME)) == [
        "synced",
        "snapshot",
    ]
    assert book_states(read(book_frame("delta", 8, [["9", "2"]], []), RECEIVE_TIME)) == ["delta"]
    # the same number again is passed over
    assert read(book_frame("delta", 8, [["9", "3"]], []), RECEIVE_TIME) == []
    again = read(book_frame("snapshot", 9, [["8", "1"]], [["12", "1"]]), RECEIVE_TIME)
    assert book_states(again) == ["synced", "snapshot"]
    assert dict(pipeline.books())["BTC/USDT"].book.depth(5) == ([("8", "1")], [("12", "1")])


def test_number_one_is_a_whole_book_whatever_its_type() -> None:
    pipeline = Pipeline(bybit(), accept_any=True)
    pipeline.on_frame(book_frame("snapshot", 500, [["10", "1"]], [["11", "1"]]), RECEIVE_TIME)
    rows = pipeline.on_frame(
        book_frame("delta", 1, [["9", "1"], ["8", "0"]], [["12", "1"]]), RECEIVE_TIME
    )
    assert book_states(rows) == ["synced", "snapshot"]
    assert dict(pipeline.books())["BTC/USDT"].book.depth(5) == ([("9", "1")], [("12", "1")])
    assert book_states(
        pipeline.on_frame(book_frame("delta", 2, [["9", "2"]], []), RECEIVE_TIME)
    ) == ["delta"]


def test_a_missing_update_breaks_the_book_and_is_named() -> None:
    pipeline = Pipeline(bybit(), accept_any=True)
    pipeline.on_frame(book_frame("snapshot", 7, [["10", "1"]], [["11", "1"]]), RECEIVE_TIME)
    rows = pipeline.on_frame(book_frame("delta", 10, [["9", "1"]], []), RECEIVE_TIME)
    gap = rows[0]
    assert isinstance(gap, Status)
    assert (gap.state, gap.from_, gap.to, gap.count) == ("gap", "8", "9", 2)
    assert book_states(rows[1:]) == ["resyncing"]


def test_a_broken_book_is_asked_for_over_rest_and_by_a_new_subscription() -> None:
    session, _ = live(BOOK)
    session.on_frame(answer(1, success=True, text="subscribe"), RECEIVE_TIME)
    session.on_frame(book_frame("snapshot", 7, [["10", "1"]], [["11", "1"]]), RECEIVE_TIME)
    session.on_time(1.0, RECEIVE_TIME)
    outputs = session.on_frame(book_frame("delta", 9, [["9", "1"]], []), RECEIVE_TIME)
    fetched = []
    for second in range(2, 60):
        now, wall = float(second), RECEIVE_TIME + second * 1_000_000
        session.on_pong(wall)
        for fetch in [output for output in outputs if isinstance(output, Fetch)]:
            fetched.append(fetch.request.path)
            outputs = session.on_answer(
                fetch.token, RequestError("expected 200, was 503"), now, wall
            )
        renewed = topics(outputs)
        if renewed:
            break
        outputs = session.on_time(now, wall)
    assert set(fetched) <= {"/v5/market/orderbook"}
    assert renewed == [
        ("unsubscribe", ["orderbook.1000.BTCUSDT"]),
        ("subscribe", ["orderbook.1000.BTCUSDT"]),
    ]


def test_trades_of_one_frame_are_rows_in_its_order() -> None:
    pipeline = Pipeline(bybit(), accept_any=True)
    frame = frame_of("several in one frame, a sell among them")
    rows = pipeline.on_frame(frame, RECEIVE_TIME)
    assert [row.id[-1] for row in rows if isinstance(row, Trade) and row.id] == ["1", "2", "9"]
    # ids do not count: what is missing between 2 and 9 is no gap, and what came is a double
    assert pipeline.on_frame(frame, RECEIVE_TIME) == []


def test_a_ping_of_its_own_kind_is_sent_every_twenty_seconds() -> None:
    session, _ = live(TRADE)
    session.on_frame(answer(1, success=True, text="subscribe"), RECEIVE_TIME)
    sent: list[str] = []
    for second in range(1, 62):
        now = float(second)
        session.on_pong(RECEIVE_TIME + second)
        outputs = session.on_time(now, RECEIVE_TIME + second * 1_000_000)
        sent += [output.text for output in outputs if isinstance(output, Send)]
    assert sent == ['{"op":"ping"}'] * 3


@pytest.mark.parametrize(
    ("interval", "start", "end", "expected"),
    [
        ("1m", None, None, (None, None)),
        ("1m", None, 1_790_134_740_000_000, (None, "1790134739999")),
        ("1m", 1_790_121_600_000_000, None, ("1790121600000", "1790181599999")),
        ("1m", 1_790_121_600_000_000, 1_790_121_660_000_000, ("1790121600000", "1790121659999")),
        ("1w", 1_790_121_600_000_001, None, ("1790121600001", "2394921600000")),
    ],
)
def test_a_page_of_candles_ends_a_thousand_intervals_after_its_start(
    interval: str, start: int | None, end: int | None, expected: tuple[str | None, str | None]
) -> None:
    query = dict(bybit().candles("BTC/USDT", interval, start, end).query)
    assert (query.get("start"), query.get("end")) == expected
    assert (query["category"], query["limit"]) == ("spot", "1000")


def test_pages_of_candles_go_on_by_time_also_where_one_is_empty() -> None:
    start, end = 1_790_000_000_000_000, 1_790_130_000_000_000
    empty = b'{"retCode":0,"retMsg":"OK","result":{"symbol":"BTCUSDT","category":"spot","list":[]}}'
    page = bybit().candles("BTC/USDT", "1m", start, end).parse(empty, RECEIVE_TIME)
    starts = []
    while page.more is not None:
        starts.append(dict(page.more.query)["start"])
        page = page.more.parse(empty, RECEIVE_TIME)
    assert starts == ["1790060000000", "1790120000000"]


@pytest.mark.parametrize("code", [10006, 10018, 10429])
def test_a_rate_refusal_under_status_200_asks_for_a_pause(code: int) -> None:
    body = json.dumps({"retCode": code, "retMsg": "Too many visits!", "result": {}}).encode()
    with pytest.raises(Throttled, match=f"{code} Too many visits!"):
        bybit().book("BTC/USDT").parse(body, RECEIVE_TIME)
