"""Kraken alone: checksums, cut books, answers by symbol, pages, errors with status 200."""

from __future__ import annotations

import json
from typing import Any

import pytest

from collector_core.errors import FrameError, Throttled
from collector_core.events import Book, Candle, Status
from collector_exchanges.kraken.adapter import KrakenAdapter
from collector_exchanges.kraken.checksum import Checksum
from collector_feed.outputs import Acknowledged, Mark, Rejected, Subscription
from collector_feed.pipeline import Pipeline

from .cases import RECEIVE_TIME, load, make_adapter
from .cases import FrameCase as Frame

# the example of Kraken's own guide: MATIC/USD, four decimals of a price and eight of an amount
ASKS = [
    *(("0.5668", "4410.79769741"), ("0.5669", "4655.40412487"), ("0.567", "49844.89424998")),
    *(("0.5671", "24306.41678"), ("0.5672", "29783.25223475"), ("0.5673", "57234.71239278")),
    *(("0.5674", "45065.04744"), ("0.5675", "5912.76380354"), ("0.5676", "42514.92434778")),
    ("0.5677", "36304.0847022"),
]
BIDS = [
    *(("0.5666", "4831.75496356"), ("0.5665", "6658.22734739"), ("0.5664", "18724.91513344")),
    *(("0.5663", "11563.92544914"), ("0.5662", "14006.65365711"), ("0.5661", "17454.85679807")),
    *(("0.566", "18097.1547"), ("0.5659", "33644.89175666"), ("0.5658", "148.3464")),
    ("0.5657", "606.70854372"),
]


def kraken() -> KrakenAdapter:
    adapter = make_adapter("kraken")
    assert isinstance(adapter, KrakenAdapter)
    return adapter


def instruments(*pairs: tuple[str, int, int]) -> bytes:
    listed = [{"symbol": s, "price_precision": p, "qty_precision": q} for s, p, q in pairs]
    frame = {"channel": "instrument", "type": "update", "data": {"assets": [], "pairs": listed}}
    return json.dumps(frame).encode()


def book(kind: str, bids: list[Any], asks: list[Any], checksum: int) -> bytes:
    """Return a frame of BTC/USD; numbers are written as they stand."""

    def levels(rows: list[Any]) -> str:
        return ",".join(f'{{"price":{price},"qty":{amount}}}' for price, amount in rows)

    return (
        f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"BTC/USD","bids":[{levels(bids)}],'
        f'"asks":[{levels(asks)}],"checksum":{checksum},"timestamp":"2026-09-23T03:39:01.745044Z"}}'
        "]}"
    ).encode()


# --- checksums -----------------------------------------------------------------------------------


def test_the_checksums_of_the_guide() -> None:
    checksum = Checksum((4, 8))
    assert checksum.of(BIDS, ASKS) == 2439117997
    changed = [*BIDS[:-1], ("0.5657", "1098.3947558")]
    assert checksum.of(changed, ASKS) == 2114181697


def test_zeros_at_the_end_make_no_difference() -> None:
    padded = [(price.ljust(6, "0"), amount.ljust(14, "0")[:14]) for price, amount in BIDS]
    assert Checksum((4, 8)).of([(p, _eight(a)) for p, a in padded], ASKS) == 2439117997


def _eight(amount: str) -> str:
    head, _, tail = amount.partition(".")
    return f"{head}.{tail.ljust(8, '0')[:8]}"


def test_a_book_with_fewer_levels_and_levels_beyond_ten() -> None:
    checksum = Checksum((4, 8))
    assert checksum.of([*BIDS, ("0.5", "1")], [*ASKS, ("0.6", "1")]) == 2439117997
    assert checksum.of(BIDS[:2], []) != checksum.of(BIDS[:3], [])


def test_what_is_remembered_of_levels_is_bounded() -> None:
    checksum = Checksum((1, 8))
    for price in range(5_000):
        checksum.of([(str(price), "1")], [])
    assert len(checksum) <= 1_024


def test_a_checksum_waits_for_the_decimals_and_follows_them() -> None:
    adapter = kraken()
    assert adapter.checksum("BTC/USD", BIDS, ASKS) is None
    adapter.on_frame(instruments(("BTC/USD", 4, 8), ("NEW/USD", 2, 8)), None)
    assert adapter.checksum("BTC/USD", BIDS, ASKS) == 2439117997
    adapter.on_frame(instruments(("BTC/USD", 5, 8)), None)
    assert adapter.checksum("BTC/USD", BIDS, ASKS) not in {None, 2439117997}
    adapter.reset()
    assert adapter.checksum("BTC/USD", BIDS, ASKS) is None


def test_the_decimals_are_asked_for_on_opening() -> None:
    adapter = kraken()
    (send,) = adapter.opening()
    assert json.loads(send.text) == {
        "method": "subscribe",
        "params": {"channel": "instrument", "snapshot": True},
        "req_id": 1,
    }
    ((message, _),) = adapter.change([], [Subscription("trade", "BTC/USD")], [])
    assert (send.request_id, message.request_id) == (1, 2)


# --- books ---------------------------------------------------------------------------------------


def pipeline() -> Pipeline:
    made = Pipeline(kraken(), accept_any=True)
    made.on_frame(instruments(("BTC/USD", 4, 8)), RECEIVE_TIME)
    synced, row = made.on_frame(book("snapshot", BIDS, ASKS, 2439117997), RECEIVE_TIME)
    assert isinstance(synced, Status)
    assert synced.state == "synced"
    assert isinstance(row, Book)
    assert (row.bids, row.asks, row.venue_sequence) == (BIDS, ASKS, None)
    return made


def test_an_update_is_proven_by_its_checksum() -> None:
    update = book("update", [("0.5657", "1098.3947558")], [], 2114181697)
    (row,) = pipeline().on_frame(update, RECEIVE_TIME)
    assert isinstance(row, Book)
    assert (row.kind, row.bids, row.venue_sequence) == ("delta", [("0.5657", "1098.3947558")], None)


def test_a_wrong_checksum_breaks_the_book_and_wants_it_anew() -> None:
    made = pipeline()
    update = book("update", [("0.5657", "1098.3947558")], [], 2114181698)
    rows = made.on_frame(update, RECEIVE_TIME)
    assert [row.state for row in rows if isinstance(row, Status)] == ["book_invalid", "resyncing"]
    assert made.snapshots_wanted == ["BTC/USD"]
    # nothing but a snapshot mends it
    assert made.on_frame(update.replace(b"1698", b"1697"), RECEIVE_TIME) == []
    synced, _ = made.on_frame(book("snapshot", BIDS, ASKS, 2439117997), RECEIVE_TIME)
    assert isinstance(synced, Status)
    assert synced.state == "synced"


def test_one_price_twice_in_a_frame_counts_in_order() -> None:
    made = pipeline()
    again = [("0.5657", "0.00000000"), ("0.5657", "7"), ("0.5657", "1098.3947558")]
    (row,) = made.on_frame(book("update", again, [], 2114181697), RECEIVE_TIME)
    assert isinstance(row, Book)
    assert dict(made.books())["BTC/USD"].book.depth(10)[0][-1] == ("0.5657", "1098.3947558")


def test_what_falls_out_of_the_depth_is_removed_and_never_a_ghost() -> None:
    made = Pipeline(kraken(), accept_any=True)
    bids = [(f"{price}.0", "1.00000000") for price in range(1_000, 975, -1)]
    made.on_frame(book("snapshot", bids, [], 0), RECEIVE_TIME)
    (row,) = made.on_frame(book("update", [("1001.0", "2.00000000")], [], 0), RECEIVE_TIME)
    assert isinstance(row, Book)
    assert row.bids == [("1001.0", "2.00000000"), ("976.0", "0")]
    # one goes, and Kraken tells what comes in from below
    frame = book("update", [("1001.0", "0.00000000"), ("975.5", "1.00000000")], [], 0)
    (row,) = made.on_frame(frame, RECEIVE_TIME)
    assert isinstance(row, Book)
    assert [price for price, _ in dict(made.books())["BTC/USD"].book.depth(99)[0]] == [
        *(price for price, _ in bids[:-1]),
        "975.5",
    ]


# --- answers -------------------------------------------------------------------------------------


def answer(symbol: str, req_id: int, error: str) -> bytes:
    return json.dumps(
        {"error": error, "method": "subscribe", "req_id": req_id, "success": False}
        | {"symbol": symbol}
    ).encode()


def asked(adapter: KrakenAdapter) -> list[int | None]:
    wanted = [
        *(Subscription("book", "BTC/USD"), Subscription("book", "ETH/BTC")),
        Subscription("candle", "BTC/USD", "5m"),
    ]
    return [message.request_id for message, _ in adapter.change([], wanted, [])]


def test_a_refusal_names_what_it_is_about_by_message_and_symbol() -> None:
    adapter = kraken()
    assert asked(adapter) == [1, 2]
    reason = "Currency pair not supported"
    assert adapter.on_frame(answer("ETH/BTC", 1, reason), None) == [
        Rejected(1, reason, (Subscription("book", "ETH/BTC"),))
    ]
    assert adapter.on_frame(answer("BTC/USD", 2, reason), None) == [
        Rejected(2, reason, (Subscription("candle", "BTC/USD", "5m"),))
    ]
    # of a message that was never sent, or on another connection
    assert adapter.on_frame(answer("BTC/USD", 9, reason), None) == [Rejected(9, reason)]
    adapter.reset()
    assert adapter.on_frame(answer("BTC/USD", 2, reason), None) == [Rejected(2, reason)]


def test_what_is_subscribed_already_is_acknowledged() -> None:
    adapter = kraken()
    asked(adapter)
    assert adapter.on_frame(answer("BTC/USD", 1, "Already subscribed"), None) == [
        Acknowledged(1, (Subscription("book", "BTC/USD"),))
    ]


def test_too_many_messages_refuse_nothing() -> None:
    adapter = kraken()
    asked(adapter)
    assert adapter.on_frame(answer("BTC/USD", 1, "Exceeded msg rate"), None) == []


def test_messages_that_are_never_answered_are_forgotten() -> None:
    adapter = kraken()
    for _ in range(1_500):
        asked(adapter)
    reason = "Currency pair not supported"
    assert adapter.on_frame(answer("BTC/USD", 1, reason), None) == [Rejected(1, reason)]
    (known,) = adapter.on_frame(answer("BTC/USD", 3_000, reason), None)
    assert isinstance(known, Rejected)
    assert known.subscriptions == (Subscription("candle", "BTC/USD", "5m"),)


# --- candles -------------------------------------------------------------------------------------


def test_a_candle_closes_when_a_newer_one_comes() -> None:
    name = "one minute so far; nanoseconds are cut off"
    frame = next(bytes(c.frame) for c in load("kraken", "frames.json", Frame) if c.name == name)
    made = Pipeline(kraken(), accept_any=True)
    (opened,) = made.on_frame(frame, RECEIVE_TIME)
    newer = frame.replace(
        b'"interval_begin":"2026-09-23T03:39', b'"interval_begin":"2026-09-23T03:40'
    )
    closed, begun = made.on_frame(newer, RECEIVE_TIME)
    assert isinstance(opened, Candle)
    assert isinstance(closed, Candle)
    assert isinstance(begun, Candle)
    assert [opened.closed, closed.closed, begun.closed] == [False, True, False]
    assert opened.open_time == closed.open_time < begun.open_time


# --- REST ----------------------------------------------------------------------------------------


def page(first: int, count: int, last: str, gap: int = 1) -> bytes:
    rows = ",".join(
        f'["1.0","2.0",{1790134700 + i * gap},"b","l","",{first + i}]' for i in range(count)
    )
    return f'{{"error":[],"result":{{"XXBTZUSD":[{rows}],"last":{json.dumps(last)}}}}}'.encode()


def test_a_full_page_goes_on_a_nanosecond_before_its_last_trade() -> None:
    after = Mark("10", 1_790_134_699_000_000)
    request = kraken().trades("BTC/USD", after)
    assert dict(request.query)["since"] == "1790134698999999999"
    answer = request.parse(page(11, 1000, "1790135699000000000"), RECEIVE_TIME)
    assert len(answer.rows) == 1000
    assert answer.more is not None
    assert answer.more.query == (
        *(("pair", "XBTUSD"), ("count", "1000")),
        ("since", "1790135698999999999"),
    )
    # fewer than a page: it was the last
    assert answer.more.parse(page(1011, 3, "1790135701000000000"), RECEIVE_TIME).more is None


def test_a_page_whose_trades_are_of_one_moment_goes_on_nevertheless() -> None:
    request = kraken().trades("BTC/USD", Mark("10", 1_790_134_700_000_000))
    answer = request.parse(page(11, 1000, "1790134700000000000", gap=0), RECEIVE_TIME)
    assert answer.more is not None
    assert dict(answer.more.query)["since"] == "1790134700000000000"


@pytest.mark.parametrize(
    "before", [Mark("1011", None), Mark(None, 1_790_135_000_000_000), Mark("1011", 1)]
)
def test_pages_end_where_the_known_trades_begin(before: Mark) -> None:
    request = kraken().trades("BTC/USD", Mark("10", 1_790_134_699_000_000), before)
    assert request.parse(page(11, 1000, "1790135699000000000"), RECEIVE_TIME).more is None


def test_a_page_with_a_wrong_end_is_refused() -> None:
    request = kraken().trades("BTC/USD", Mark("10", 1_790_134_699_000_000))
    with pytest.raises(FrameError, match="nanoseconds"):
        request.parse(page(11, 1000, "tomorrow"), RECEIVE_TIME)


@pytest.mark.parametrize(
    ("error", "pause"),
    [
        ("EAPI:Rate limit exceeded", None),
        ("EGeneral:Too many requests", None),
        ("EGeneral:Temporary lockout", None),
        ("EService:Throttled: 1790134750", 7.499877),
        ("EService:Throttled: 1790134740", 0.0),
    ],
)
def test_a_request_too_many_asks_for_a_pause(error: str, pause: float | None) -> None:
    body = json.dumps({"error": [error]}).encode()
    with pytest.raises(Throttled, match=error) as caught:
        kraken().instruments().parse(body, RECEIVE_TIME)
    assert caught.value.retry_after == (None if pause is None else pytest.approx(pause))


def test_the_text_of_an_error_is_in_ours() -> None:
    body = b'{"error":["EQuery:Unknown asset pair"]}'
    with pytest.raises(FrameError, match="EQuery:Unknown asset pair"):
        kraken().book("BTC/USD").parse(body, RECEIVE_TIME)
