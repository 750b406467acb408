"""Bithumb alone: pages, times, refusals with status 200, no acknowledgements."""

from __future__ import annotations

import json

import pytest

from collector_core.errors import FrameError, SettingsError, Throttled
from collector_core.events import Book, Status, Ticker, Trade
from collector_exchanges.bithumb.adapter import BithumbAdapter
from collector_feed.outputs import Connect, Mark, Page, Request, Send, Subscription
from collector_feed.pipeline import Pipeline
from collector_feed.session import Session

from .cases import RECEIVE_TIME, load, make_adapter
from .cases import FrameCase as Frame

DAY = 86_400_000_000


def bithumb() -> BithumbAdapter:
    adapter = make_adapter("bithumb")
    assert isinstance(adapter, BithumbAdapter)
    return adapter


def frame_of(name: str) -> bytes:
    frames = load("bithumb", "frames.json", Frame)
    return next(bytes(case.frame) for case in frames if case.name.startswith(name))


def ticks(count: int, newest: int) -> bytes:
    """Return a page of one trade a millisecond, the newest first."""
    rows = [
        {
            "market": "KRW-SOL",
            "timestamp": newest - nth,
            "trade_price": 1,
            "trade_volume": 1,
            "ask_bid": "BID",
            "sequential_id": (newest - nth) * 10_000,
        }
        for nth in range(count)
    ]
    return json.dumps(rows).encode()


def further(request: Request[Page[Trade]], body: bytes) -> dict[str, str] | None:
    more = request.parse(body, RECEIVE_TIME).more
    return None if more is None else dict(more.query)


# --- trades over REST --------------------------------------------------------------------------


def test_a_full_page_goes_on_from_its_oldest_by_the_id_of_rest() -> None:
    newest = RECEIVE_TIME // 1000
    wanted = bithumb().trades("SOL/KRW", Mark("1079953210371761713", RECEIVE_TIME - 800_000))
    assert further(wanted, ticks(500, newest)) == {
        "market": "KRW-SOL",
        "count": "500",
        "cursor": str((newest - 499) * 10_000),
    }
    second = wanted.parse(ticks(500, newest), RECEIVE_TIME).more
    assert second is not None
    assert further(second, ticks(500, newest - 500)) is None


def test_trades_of_the_very_time_of_the_known_one_are_wanted_too() -> None:
    newest = RECEIVE_TIME // 1000
    wanted = bithumb().trades("SOL/KRW", Mark(None, (newest - 499) * 1000))
    assert further(wanted, ticks(500, newest)) is not None
    assert further(wanted, ticks(501, newest)) is None


def test_days_are_gone_back_until_the_mark_whoever_s_midnight_parts_them() -> None:
    request: Request[Page[Trade]] | None = bithumb().trades(
        "SOL/KRW", Mark(None, RECEIVE_TIME - 2 * DAY - 1)
    )
    days = []
    while request is not None:
        days.append(dict(request.query).get("daysAgo"))
        request = request.parse(b"[]", RECEIVE_TIME).more
    assert days == [None, "1", "2", "3"]


def test_no_more_than_seven_days_are_gone_back() -> None:
    request: Request[Page[Trade]] | None = bithumb().trades("SOL/KRW", Mark(None, 0))
    pages = 0
    while request is not None:
        pages += 1
        request = request.parse(b"[]", RECEIVE_TIME).more
    assert pages == 8


# --- candles -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "to"),
    [
        (None, None, None),
        (None, 1_790_134_740_000_000, "2026-09-23T12:39:00"),
        # 15:00 UTC is midnight in Korea
        (None, 1_790_089_200_000_000, "2026-09-23T00:00:00"),
        (1_790_121_600_000_000, 1_790_208_000_000_000, "2026-09-23T12:20:00"),
        (1_790_121_600_000_000, 1_790_121_600_000_001, "2026-09-23T09:00:01"),
    ],
)
def test_candles_are_asked_for_by_the_clock_of_korea(
    start: int | None, end: int | None, to: str | None
) -> None:
    query = dict(bithumb().candles("SOL/KRW", "1m", start, end).query)
    assert (query["count"], query.get("to")) == ("200", to)


@pytest.mark.parametrize("interval", ["4h", "1d", "1w", "1M"])
def test_candles_that_begin_at_midnight_in_korea_are_not_offered(interval: str) -> None:
    with pytest.raises(SettingsError, match="midnight in Korea"):
        bithumb().candles("SOL/KRW", interval, None, None)


# --- refusals ----------------------------------------------------------------------------------


def test_an_error_with_status_200_is_told_in_the_exchange_s_words() -> None:
    body = b'{"error":{"name":404,"message":"Code not found"}}'
    with pytest.raises(FrameError, match=r"was its error 404 Code not found$"):
        bithumb().book("SOL/KRW").parse(body, RECEIVE_TIME)


@pytest.mark.parametrize("name", ["429", '"too_many_requests"'])
def test_a_rate_refusal_with_status_200_is_a_throttle(name: str) -> None:
    body = f'{{"error":{{"name":{name},"message":"Too many API requests."}}}}'.encode()
    with pytest.raises(Throttled, match="Too many API requests") as caught:
        bithumb().instruments().parse(body, RECEIVE_TIME)
    assert (caught.value.status, caught.value.retry) == (429, True)


@pytest.mark.parametrize(
    ("headers", "spent"),
    [
        ({"x-ratelimit-remaining": "149", "x-ratelimit-burst-capacity": "150"}, 1),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-burst-capacity": "150"}, 150),
        ({"x-ratelimit-remaining": "149"}, None),
        ({"x-ratelimit-remaining": "-1", "x-ratelimit-burst-capacity": "150"}, None),
        ({}, None),
    ],
)
def test_headers_tell_what_is_spent(headers: dict[str, str], spent: int | None) -> None:
    assert spent == bithumb().spent(headers)


# --- the connection ----------------------------------------------------------------------------


def test_the_first_data_of_a_stream_proves_its_subscription() -> None:
    session = Session(bithumb(), "wss://test", lambda: 0.0)
    wanted = Subscription("trade", "SOL/KRW"), Subscription("ticker", "USDC/BTC")
    session.subscribe(wanted, 0.0)
    assert session.start(0.0) == [Connect("wss://test")]
    sent = [o for o in session.on_connected(0.0, RECEIVE_TIME) if isinstance(o, Send)]
    assert len(sent) == 1
    for frame, kind in ((frame_of("a buy"), Trade), (frame_of("with exponents"), Ticker)):
        proof, row = session.on_frame(frame, RECEIVE_TIME)
        assert isinstance(proof, Status)
        assert proof.state == "subscribed"
        assert isinstance(row, kind)


def test_the_trade_sent_again_on_a_new_subscription_is_dropped() -> None:
    pipeline = Pipeline(bithumb(), accept_any=True)
    frame = frame_of("a buy")
    assert len(pipeline.on_frame(frame, RECEIVE_TIME)) == 1
    assert pipeline.on_frame(frame.replace(b"REALTIME", b"SNAPSHOT"), RECEIVE_TIME) == []


def test_a_repeated_book_is_no_row_and_one_older_than_the_last_is_dropped() -> None:
    pipeline = Pipeline(bithumb(), accept_any=True)
    frame = frame_of("the time in microseconds")
    synced, book = pipeline.on_frame(frame, RECEIVE_TIME)
    assert isinstance(synced, Status)
    assert isinstance(book, Book)
    assert book.exchange_time == 1_790_134_742_106_514
    assert pipeline.on_frame(frame.replace(b"106514", b"106515"), RECEIVE_TIME) == []
    older = frame.replace(b"106514", b"106513").replace(b"8.4592", b"9")
    assert pipeline.on_frame(older, RECEIVE_TIME) == []
    (changed,) = pipeline.on_frame(frame.replace(b"8.4592", b"8.4593"), RECEIVE_TIME + 1)
    assert isinstance(changed, Book)
    assert changed.asks[0] == ("3715000", "8.4593")
