"""Upbit alone: pages, and a connection that acknowledges nothing."""

from __future__ import annotations

import pytest

from collector_core.events import Book, Candle, Status, Trade
from collector_exchanges.upbit.adapter import UpbitAdapter
from collector_feed.outputs import Connect, Send, Subscription, Undecodable
from collector_feed.pipeline import Pipeline
from collector_feed.session import Session

from .cases import RECEIVE_TIME, load, make_adapter
from .cases import FrameCase as Frame


def upbit() -> UpbitAdapter:
    adapter = make_adapter("upbit")
    assert isinstance(adapter, UpbitAdapter)
    return adapter


@pytest.mark.parametrize(
    ("interval", "start", "end", "to"),
    [
        ("1m", None, None, None),
        ("1m", None, 1_790_134_740_000_000, "2026-09-23T03:39:00Z"),
        ("1m", 1_790_121_600_000_000, 1_790_208_000_000_000, "2026-09-23T03:20:00Z"),
        ("1m", 1_790_121_600_000_000, 1_790_121_660_000_000, "2026-09-23T00:01:00Z"),
        ("1d", 1_790_121_600_000_000, None, "2027-04-11T00:00:00Z"),
    ],
)
def test_a_page_of_candles_ends_200_intervals_after_its_start(
    interval: str, start: int | None, end: int | None, to: str | None
) -> None:
    query = dict(upbit().candles("BTC/KRW", interval, start, end).query)
    assert (query["count"], query.get("to")) == ("200", to)


def frame_of(name: str) -> bytes:
    return next(bytes(c.frame) for c in load("upbit", "frames.json", Frame) if c.name == name)


def live(*subscriptions: Subscription) -> tuple[Session, list[Send]]:
    session = Session(upbit(), "wss://test", lambda: 0.0)
    session.subscribe(subscriptions, 0.0)
    assert session.start(0.0) == [Connect("wss://test")]
    outputs = session.on_connected(0.0, RECEIVE_TIME)
    return session, [output for output in outputs if isinstance(output, Send)]


def test_the_first_data_of_a_stream_proves_its_subscription() -> None:
    wanted = Subscription("trade", "BTC/KRW"), Subscription("candle", "ETH/KRW", "1h")
    session, sent = live(*wanted)
    assert len(sent) == 1
    for frame, kind in (
        (frame_of("a buy"), Trade),
        (frame_of("sixty minutes are an hour"), Candle),
    ):
        proof, row = session.on_frame(frame, RECEIVE_TIME)
        assert isinstance(proof, Status)
        assert proof.state == "subscribed"
        assert isinstance(row, kind)


def test_a_refusal_is_the_reason_of_what_never_came() -> None:
    session, _ = live(Subscription("trade", "BTC/KRW"))
    assert session.on_frame(frame_of("without a ticket"), RECEIVE_TIME) == []
    for attempt in range(1, 4):
        outputs = session.on_time(attempt * 11.0, RECEIVE_TIME + attempt * 11_000_000)
    reasons = [o.reason for o in outputs if isinstance(o, Status) and o.state == "rejected"]
    assert [reason[:9] for reason in reasons if reason] == ["NO_TICKET"]


def test_a_changed_book_is_a_row_and_a_repeated_one_is_none() -> None:
    pipeline = Pipeline(upbit(), accept_any=True)
    frame = frame_of("prices with exponents, sizes with zeros at their end")
    synced, book = pipeline.on_frame(frame, RECEIVE_TIME)
    assert isinstance(synced, Status)
    assert isinstance(book, Book)
    assert pipeline.on_frame(frame.replace(b"742106", b"742206"), RECEIVE_TIME) == []
    (changed,) = pipeline.on_frame(frame.replace(b"0.08120946", b"0.08120947"), RECEIVE_TIME)
    assert isinstance(changed, Book)
    assert changed.bids[0] == ("116538000", "0.08120947")


def test_a_candle_closes_when_a_newer_one_comes() -> None:
    pipeline = Pipeline(upbit(), accept_any=True)
    frame = frame_of("one second")
    (opened,) = pipeline.on_frame(frame, RECEIVE_TIME)
    closed, newer = pipeline.on_frame(frame.replace(b"03:39:02", b"03:39:03"), RECEIVE_TIME)
    assert isinstance(opened, Candle)
    assert isinstance(closed, Candle)
    assert isinstance(newer, Candle)
    assert [opened.closed, closed.closed, newer.closed] == [False, True, False]
    assert opened.open_time == closed.open_time < newer.open_time


def test_the_trade_sent_again_on_a_new_subscription_is_dropped() -> None:
    pipeline = Pipeline(upbit(), accept_any=True)
    frame = frame_of("a buy")
    assert len(pipeline.on_frame(frame, RECEIVE_TIME)) == 1
    assert pipeline.on_frame(frame.replace(b"REALTIME", b"SNAPSHOT"), RECEIVE_TIME) == []


def test_a_wrong_frame_goes_to_the_dead_letters_as_a_copy() -> None:
    buffer = bytearray(b'{"type":"trade","code":"KRW-BTC","trade_price":1}')
    (row,) = Pipeline(upbit(), accept_any=True).on_frame(memoryview(buffer), RECEIVE_TIME)
    assert isinstance(row, Undecodable)
    buffer[:] = b" " * len(buffer)
    assert row.frame.startswith(b'{"type":"trade"')
