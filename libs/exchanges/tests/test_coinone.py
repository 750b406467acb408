"""Coinone alone: refusals that name no topic, whole books by their ids, errors with HTTP 200."""

from __future__ import annotations

import json

import pytest

from collector_core.errors import SettingsError, Throttled
from collector_core.events import Book, Candle, Status, Trade
from collector_exchanges.coinone.adapter import CoinoneAdapter
from collector_feed.outputs import Acknowledged, Connect, Rejected, Send, Subscription
from collector_feed.pipeline import Pipeline
from collector_feed.session import Session

from .cases import RECEIVE_TIME, FrameCase, load, make_adapter

INVALID = b'{"response_type":"ERROR","error_code":160012,"message":"Invalid Topic"}'
PONG = b'{"response_type":"PONG"}'
BTC, ETH, XRP = (Subscription("trade", f"{base}/KRW") for base in ("BTC", "ETH", "XRP"))


def coinone() -> CoinoneAdapter:
    adapter = make_adapter("coinone")
    assert isinstance(adapter, CoinoneAdapter)
    return adapter


def frame_of(name: str) -> bytes:
    cases = load("coinone", "frames.json", FrameCase)
    return next(bytes(case.frame) for case in cases if case.name == name)


def taken(*wanted: Subscription) -> CoinoneAdapter:
    """Return an adapter whose topics were taken."""
    adapter = coinone()
    for subscription in wanted:
        [(send, _)] = adapter.change([], [subscription], [])
        asked = json.loads(send.text)
        answer = {
            "response_type": "SUBSCRIBED",
            "channel": asked["channel"],
            "data": asked["topic"],
        }
        outputs = adapter.on_frame(json.dumps(answer).encode(), RECEIVE_TIME)
        assert outputs == [Acknowledged(None, (subscription,))]
    return adapter


def test_the_only_topic_that_was_taken_is_the_refused_one() -> None:
    adapter = taken(BTC)
    named = Rejected(None, "160012 Invalid Topic", (BTC,))
    assert adapter.on_frame(INVALID, RECEIVE_TIME) == [named]
    assert adapter.on_frame(PONG, RECEIVE_TIME) == []


def test_a_refusal_is_named_once_every_other_symbol_has_sent() -> None:
    book = Subscription("book", "BTC/KRW")
    adapter = taken(BTC, book, ETH, XRP)
    nameless = [Rejected(None, "160012 Invalid Topic")]
    assert adapter.on_frame(INVALID, RECEIVE_TIME) == nameless
    adapter.on_frame(frame_of("a buy: the seller waited in the book"), RECEIVE_TIME)
    # ETH may be quiet
    assert adapter.on_frame(PONG, RECEIVE_TIME) == []
    adapter.on_frame(frame_of("zeros at the end of the numbers stay"), RECEIVE_TIME)
    named = Rejected(None, "160012 Invalid Topic", (XRP,))
    assert adapter.on_frame(PONG, RECEIVE_TIME) == [named]
    assert adapter.on_frame(PONG, RECEIVE_TIME) == []


def test_as_many_silent_topics_as_refusals_are_all_refused() -> None:
    adapter = taken(BTC, ETH)
    assert adapter.on_frame(INVALID, RECEIVE_TIME) == [Rejected(None, "160012 Invalid Topic")]
    named = Rejected(None, "160012 Invalid Topic", (BTC, ETH))
    assert adapter.on_frame(INVALID, RECEIVE_TIME) == [named]


def test_a_refusal_that_no_silent_topic_explains_is_laid_on_no_later_one() -> None:
    adapter = coinone()
    assert adapter.on_frame(INVALID, RECEIVE_TIME) == [Rejected(None, "160012 Invalid Topic")]
    answer = b'{"response_type":"SUBSCRIBED","channel":"TRADE","data":{"quote_currency":"KRW","target_currency":"BTC"}}'  # noqa: E501  # a frame
    assert adapter.on_frame(answer, RECEIVE_TIME) == [Acknowledged(None, (BTC,))]
    assert adapter.on_frame(PONG, RECEIVE_TIME) == []


def test_a_topic_that_ended_is_not_suspected() -> None:
    adapter = taken(BTC, ETH)
    ended = b'{"response_type":"UNSUBSCRIBED","channel":"TRADE","data":{"quote_currency":"KRW","target_currency":"BTC"}}'  # noqa: E501  # a frame
    assert adapter.on_frame(ended, RECEIVE_TIME) == []
    named = Rejected(None, "160012 Invalid Topic", (ETH,))
    assert adapter.on_frame(INVALID, RECEIVE_TIME) == [named]


def test_another_error_is_about_no_topic() -> None:
    adapter = taken(BTC)
    error = frame_of("a field that is wrong")
    reason = "160011 Invalid Type request_type"
    assert adapter.on_frame(error, RECEIVE_TIME) == [Rejected(None, reason)]


def test_a_new_connection_knows_nothing_of_the_old_one() -> None:
    adapter = taken(BTC)
    adapter.reset()
    assert adapter.on_frame(INVALID, RECEIVE_TIME) == [Rejected(None, "160012 Invalid Topic")]


def live(*wanted: Subscription) -> tuple[Session, list[Send]]:
    session = Session(coinone(), "wss://test", lambda: 0.0)
    session.subscribe(wanted, 0.0)
    assert session.start(0.0) == [Connect("wss://test")]
    outputs = session.on_connected(0.0, RECEIVE_TIME)
    return session, [output for output in outputs if isinstance(output, Send)]


def states(outputs: list[object]) -> list[tuple[str, str, str]]:
    return [(o.state, o.channel, o.symbol) for o in outputs if isinstance(o, Status)]


def test_a_session_confirms_by_name_and_rejects_by_name() -> None:
    session, sent = live(BTC, ETH)
    assert len(sent) == 2
    for message in sent:
        asked = json.loads(message.text)
        answer = {"response_type": "SUBSCRIBED", "channel": "TRADE", "data": asked["topic"]}
        [row] = states([*session.on_frame(json.dumps(answer).encode(), RECEIVE_TIME)])
        assert row == ("subscribed", "trade", f"{asked['topic']['target_currency']}/KRW")
    session.on_frame(frame_of("a buy: the seller waited in the book"), RECEIVE_TIME)
    [row] = states([*session.on_frame(INVALID, RECEIVE_TIME)])
    assert row == ("rejected", "trade", "ETH/KRW")


def test_the_connection_is_asked_to_stay_with_the_exchanges_own_text() -> None:
    session, _ = live(BTC)
    outputs = session.on_time(20.0, RECEIVE_TIME + 20_000_000)
    assert Send('{"request_type":"PING"}') in outputs


BOOK = frame_of("asks come worst first and are turned round")


def test_a_larger_id_replaces_the_book_and_a_smaller_one_is_dropped() -> None:
    pipeline = Pipeline(coinone(), accept_any=True)
    synced, book = pipeline.on_frame(BOOK, RECEIVE_TIME)
    assert isinstance(synced, Status)
    assert isinstance(book, Book)
    assert (book.kind, book.venue_sequence) == ("snapshot", 1790134177753001)
    changed = BOOK.replace(b'"0.0118"', b'"0.0119"')
    older = changed.replace(b"1790134177753001", b"1790134177752009")
    assert pipeline.on_frame(older, RECEIVE_TIME) == []
    # a second subscription sends the book again
    assert pipeline.on_frame(BOOK, RECEIVE_TIME) == []
    later = b"1790134177753002"
    # the same levels under a new id are no row
    assert pipeline.on_frame(BOOK.replace(b"1790134177753001", later), RECEIVE_TIME) == []
    [row] = pipeline.on_frame(changed.replace(b"1790134177753001", b"1790134177754001"), None)
    assert isinstance(row, Book)
    assert row.bids[0] == ("116450000", "0.0119")


def test_asks_in_either_order_are_the_same_book() -> None:
    tree = json.loads(BOOK)
    tree["data"]["asks"].reverse()
    tree["data"]["bids"].reverse()
    assert coinone().on_frame(json.dumps(tree).encode(), 1) == coinone().on_frame(BOOK, 1)


def test_a_candle_closes_when_a_newer_one_comes() -> None:
    pipeline = Pipeline(coinone(), accept_any=True)
    frame = frame_of("one minute so far")
    pipeline.on_frame(frame, RECEIVE_TIME)
    closed, newer = pipeline.on_frame(frame.replace(b"1790134680000", b"1790134740000"), None)
    assert isinstance(closed, Candle)
    assert isinstance(newer, Candle)
    assert (closed.closed, newer.closed) == (True, False)
    assert closed.close_time == newer.open_time


def test_a_trade_that_was_seen_is_a_double_also_from_rest() -> None:
    pipeline = Pipeline(coinone(), accept_any=True)
    frame = frame_of("a buy: the seller waited in the book")
    [row] = pipeline.on_frame(frame, RECEIVE_TIME)
    assert isinstance(row, Trade)
    assert pipeline.on_frame(frame, RECEIVE_TIME) == []


@pytest.mark.parametrize("call", ["instruments", "book", "trades", "candles"])
def test_too_many_requests_are_told_from_a_wrong_one(call: str) -> None:
    arguments: dict[str, tuple[object, ...]] = {
        "instruments": (),
        "candles": ("BTC/KRW", "1m", None, None),
    }
    request = getattr(coinone(), call)(*arguments.get(call, ("BTC/KRW",)))
    body = b'{"result":"error","error_code":"4","error_msg":"Blocked user access"}'
    with pytest.raises(Throttled, match="error 4 Blocked user access"):
        request.parse(body, RECEIVE_TIME)


@pytest.mark.parametrize(
    ("headers", "used"),
    [
        ({"public-ratelimit-remaining": "1197", "public-ratelimit-burst-capacity": "1200"}, 3),
        ({"public-ratelimit-remaining": "1200"}, 0),
        ({"public-ratelimit-remaining": "590", "public-ratelimit-burst-capacity": "600"}, 10),
        ({"public-ratelimit-remaining": "700", "public-ratelimit-burst-capacity": "600"}, 0),
        ({"public-ratelimit-remaining": "many"}, None),
        ({}, None),
    ],
)
def test_what_is_left_of_the_bucket_stands_in_the_headers(
    headers: dict[str, str], used: int | None
) -> None:
    assert coinone().spent(headers) == used


def test_an_interval_that_rest_does_not_keep_is_refused() -> None:
    with pytest.raises(SettingsError, match="8h"):
        coinone().candles("BTC/KRW", "8h", None, None)


def test_months_and_ten_minutes_are_had_over_rest_alone() -> None:
    for interval in ("10m", "1M"):
        assert coinone().candles("BTC/KRW", interval, None, None).query[1] == ("size", "500")
        with pytest.raises(SettingsError, match=interval):
            coinone().change([], [Subscription("candle", "BTC/KRW", interval)], [])
