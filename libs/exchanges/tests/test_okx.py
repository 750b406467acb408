"""OKX alone: its text frame, the link of its books, its errors and the pages of its histories."""

from __future__ import annotations

import json

import pytest

from collector_core.errors import FrameError, Throttled
from collector_core.events import Book, Event, Status, Trade
from collector_feed.outputs import Acknowledged, Mark, Page, Rejected, Send, Subscription
from collector_feed.pipeline import Pipeline

from .cases import RECEIVE_TIME, make_adapter

BTC = "BTC/USDT"
MINUTE = 60_000_000


def level(price: str, amount: str) -> list[str]:
    return [price, amount, "0", "1"]


def book(action: str, before: int, number: int, *bids: list[str]) -> bytes:
    return json.dumps(
        {
            "arg": {"channel": "books", "instId": "BTC-USDT"},
            "action": action,
            "data": [
                {
                    "asks": [level("101", "1")] if action == "snapshot" else [],
                    "bids": bids,
                    "ts": "1597026383085",
                    "checksum": 0,
                    "seqId": number,
                    "prevSeqId": before,
                }
            ],
        }
    ).encode()


def told(pipeline: Pipeline, *frames: bytes) -> list[str]:
    """Return what is published for frames, in short."""
    found = []
    for frame in frames:
        for row in pipeline.on_frame(frame, RECEIVE_TIME):
            assert isinstance(row, Event)
            if isinstance(row, Status):
                found.append(f"{row.state} {row.from_ or ''}".rstrip())
            elif isinstance(row, Book):
                found.append(f"{row.kind} {row.venue_sequence}")
    return found


def test_the_answer_to_a_ping_says_nothing() -> None:
    adapter = make_adapter("okx")
    assert adapter.on_frame(b"pong", RECEIVE_TIME) == []
    assert adapter.on_frame(memoryview(b"pong"), None) == []
    assert adapter.spec.keep_alive.text == "ping"


def test_channels_live_on_two_sockets() -> None:
    adapter = make_adapter("okx")
    urls = {
        name: adapter.url("wss://x/ws/v5", channel.path)
        for name, channel in adapter.spec.channels.items()
        if channel.stream
    }
    assert urls == {
        "trade": "wss://x/ws/v5/business",
        "candle": "wss://x/ws/v5/business",
        "ticker": "wss://x/ws/v5/public",
        "book": "wss://x/ws/v5/public",
    }


def test_the_links_of_the_documentation_hold() -> None:
    # (-1, 10) (10, 15) (15, 15) (15, 3) (3, 5): changes, a sign of life and numbers anew
    pipeline = Pipeline(make_adapter("okx"), accept_any=True)
    pipeline.open_book(BTC)
    assert told(
        pipeline,
        book("snapshot", -1, 10, level("100", "1")),
        book("update", 10, 15, level("99", "1")),
        book("update", 15, 15),
        book("update", 15, 3, level("98", "1")),
        book("update", 3, 5, level("98", "0")),
    )[1:] == ["snapshot 10", "delta 15", "delta 3", "delta 5"]
    stream = dict(pipeline.books())[BTC]
    assert (stream.gaps, stream.book.sequence) == (0, 5)
    assert stream.book.depth(9) == ([("100", "1"), ("99", "1")], [("101", "1")])


def test_a_broken_link_is_a_gap_until_the_next_snapshot() -> None:
    pipeline = Pipeline(make_adapter("okx"), accept_any=True)
    pipeline.open_book(BTC)
    told(pipeline, book("snapshot", -1, 10, level("100", "1")))
    rows = told(pipeline, book("update", 12, 15, level("99", "1")))
    assert rows == ["gap 11", "resyncing"]
    assert told(pipeline, book("update", 15, 16, level("98", "1"))) == []
    assert told(pipeline, book("snapshot", -1, 20, level("100", "2"))) == ["synced", "snapshot 20"]


def test_a_sign_of_life_shows_what_was_lost_before_it() -> None:
    pipeline = Pipeline(make_adapter("okx"), accept_any=True)
    pipeline.open_book(BTC)
    told(pipeline, book("snapshot", -1, 10, level("100", "1")))
    assert told(pipeline, book("update", 11, 11)) == ["gap 11", "resyncing"]


def test_trades_put_together_are_no_gap() -> None:
    pipeline = Pipeline(make_adapter("okx"), accept_any=True)
    frame = (
        b'{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT",'
        b'"tradeId":"%d","px":"1","sz":"1","side":"buy","ts":"1630048897897","count":"3"}]}'
    )
    rows = [row for n in (10, 13, 19) for row in pipeline.on_frame(frame % n, RECEIVE_TIME)]
    assert [row.id for row in rows if isinstance(row, Trade)] == ["agg-10", "agg-13", "agg-19"]
    assert len(rows) == 3


def test_a_refused_stream_of_a_message_leaves_the_others_alone() -> None:
    adapter = make_adapter("okx")
    wanted = Subscription("book", BTC), Subscription("book", "ETH/BTC")
    ((send, adds),) = adapter.change((), wanted, ())
    assert (send, adds) == (Send(send.text, 1), wanted)
    (refused,) = adapter.on_frame(
        b'{"id":"1","event":"error","code":"60018","msg":"Wrong URL or channel:books,'
        b"instId:ETH-BTC doesn't exist. Please use the correct URL, channel and parameters"
        b' referring to API document.","connId":"a4d3ae55"}',
        RECEIVE_TIME,
    )
    assert isinstance(refused, Rejected)
    assert (refused.request_id, refused.subscriptions) == (1, wanted[1:])
    (taken,) = adapter.on_frame(
        b'{"id":"1","event":"subscribe","arg":{"channel":"books","instId":"BTC-USDT"}}', None
    )
    assert taken == Acknowledged(1, wanted[:1])


@pytest.mark.parametrize("code", ["50011", "50040", "50061"])
def test_a_rate_refusal_asks_for_a_pause(code: str) -> None:
    request = make_adapter("okx").book(BTC)
    with pytest.raises(Throttled, match=f"{code} Too Many"):
        request.parse(b'{"code":"%s","msg":"Too Many Requests"}' % code.encode(), RECEIVE_TIME)


def test_an_error_keeps_the_words_of_the_exchange() -> None:
    request = make_adapter("okx").book(BTC)
    with pytest.raises(FrameError, match="was its error 51001 Instrument ID does not exist"):
        request.parse(b'{"code":"51001","msg":"Instrument ID does not exist","data":[]}', None)


def trades_answer(newest: int, count: int) -> bytes:
    rows = [
        {
            "instId": "BTC-USDT",
            "side": "sell",
            "sz": "1",
            "px": "10",
            "tradeId": str(newest - n),
            "ts": str(1_790_134_742_000 - n),
        }
        for n in range(count)
    ]
    return json.dumps({"code": "0", "msg": "", "data": rows}).encode()


def test_trades_are_paged_back_to_the_last_known_one() -> None:
    adapter = make_adapter("okx")
    page: Page[Trade] = adapter.trades(BTC, Mark("350", None)).parse(
        trades_answer(1_000, 500), None
    )
    assert [page.rows[0].id, page.rows[-1].id] == ["501", "1000"]
    asked = []
    oldest = 501
    while page.more is not None:
        asked.append((page.more.path, dict(page.more.query)["after"]))
        page = page.more.parse(trades_answer(oldest - 1, 100), None)
        oldest -= 100
        assert [page.rows[0].id, page.rows[-1].id] == [str(oldest), str(oldest + 99)]
    assert asked == [
        ("/api/v5/market/history-trades", "501"),
        ("/api/v5/market/history-trades", "401"),
    ]


@pytest.mark.parametrize(
    ("after", "count", "goes_on"),
    [
        (Mark("900", None), 100, False),
        (Mark("899", None), 100, True),
        (Mark("899", None), 99, False),
        (Mark(None, 1_790_134_741_902_000), 100, False),
        (Mark(None, 1_790_134_741_901_000), 100, True),
        (None, 100, False),
    ],
)
def test_paging_ends_where_the_other_end_is_reached(
    after: Mark | None, count: int, *, goes_on: bool
) -> None:
    request = make_adapter("okx").trades(BTC, after, Mark("1001", None))
    page = request.parse(trades_answer(1_000, count), None)
    assert (page.more is not None) == goes_on


def test_candles_of_years_come_from_both_endpoints_window_by_window() -> None:
    adapter = make_adapter("okx")
    start = RECEIVE_TIME // MINUTE * MINUTE - 1_990 * MINUTE
    request = adapter.candles(BTC, "1m", start, None)
    windows = []
    while True:
        query = dict(request.query)
        windows.append((request.path.rpartition("/")[2], query["before"], query["after"]))
        page = request.parse(b'{"code":"0","msg":"","data":[]}', RECEIVE_TIME)
        if page.more is None:
            break
        request = page.more
    first = start // 1000
    assert [(name, int(a) - first, int(b) - first) for name, a, b in windows] == [
        ("candles", -1, 18_000_000),
        ("history-candles", -1, 18_000_000),
        ("history-candles", 17_999_999, 36_000_000),
        ("candles", 35_999_999, 54_000_000),
        ("candles", 53_999_999, 72_000_000),
        ("candles", 71_999_999, 90_000_000),
        ("candles", 89_999_999, 108_000_000),
        ("candles", 107_999_999, 126_000_000),
    ]
