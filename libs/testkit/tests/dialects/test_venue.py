"""A whole exchange in memory: the book from its frames, determinism, faults and truth."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable

import pytest

from collector_core.book import OrderBook
from collector_core.errors import SettingsError, SymbolError
from collector_core.numbers import exact
from collector_testkit.dialects import (
    Action,
    Close,
    Delivery,
    Freeze,
    Request,
    available,
    load,
)
from collector_testkit.dialects.messages import ABORT
from collector_testkit.dialects.venue import Venue
from collector_testkit.faults import Fault, FaultKind, schedule
from collector_testkit.truth import TruthFault, TruthRecord, TruthTrade

START = 1_795_305_600_250_250
SECOND = 1_000_000
TRADES = {
    "binance": {"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 1},
    "upbit": [{"ticket": "a"}, {"type": "trade", "codes": ["KRW-BTC"], "is_only_realtime": True}],
}


def venue(name: str, seed: int = 5, truth: list[TruthRecord] | None = None) -> Venue:
    def take(records: Iterable[TruthRecord]) -> None:
        if truth is not None:
            truth.extend(records)

    made = Venue(load(name), random.Random(seed), START, rate=100.0, truth=take)
    made.advance(START + 5 * SECOND)
    return made


def joined(name: str, message: object, truth: list[TruthRecord] | None = None) -> Venue:
    made = venue(name, truth=truth)
    made.open(1, Request(made.dialect.websocket_path))
    made.receive(1, json.dumps(message))
    return made


def frames(actions: list[Action]) -> list[bytes]:
    return [action.payload for action in actions if isinstance(action, Delivery)]


def test_the_exchanges_are_the_folders() -> None:
    assert {"binance", "upbit"} <= set(available())
    for name in available():
        dialect = load(name)
        assert dialect.name == name
        for symbol in dialect.symbols:
            assert dialect.listing(symbol).symbol == symbol
    with pytest.raises(SettingsError, match="was 'nope'"):
        load("nope")


@pytest.mark.parametrize("name", ["binance", "upbit"])
def test_any_symbol_in_a_known_quote_can_be_listed(name: str) -> None:
    dialect = load(name)
    for quote in dialect.quotes:
        assert dialect.listing(f"NEW/{quote}").symbol == f"NEW/{quote}"
    with pytest.raises(SettingsError, match=f"on {name}, was 'BTC/XYZ'"):
        dialect.listing("BTC/XYZ")
    with pytest.raises(SymbolError):
        Venue(dialect, random.Random(1), START).market.symbol("BTC/XYZ")
    with pytest.raises(SettingsError, match="expected each symbol once"):
        Venue(dialect, random.Random(1), START, symbols=[dialect.symbols[0]] * 2)


def test_diffs_on_a_snapshot_are_the_book_of_the_engine_at_every_update() -> None:
    depth = [f"{s}@depth@100ms" for s in ("btcusdt", "ethbtc")]
    exchange = joined("binance", {"method": "SUBSCRIBE", "params": depth, "id": 1})
    for _ in range(40):
        exchange.advance(exchange.now + 50_000)
    for symbol, code in (("BTC/USDT", "BTCUSDT"), ("ETH/BTC", "ETHBTC")):
        query = {"symbol": code, "limit": "5000"}
        snapshot = json.loads(exchange.request(Request("/api/v3/depth", query)).body)
        book = OrderBook()
        book.replace(snapshot["bids"], snapshot["asks"])
        last = snapshot["lastUpdateId"]
        rendered = 0
        # whole ticks of 100 ms, so that a frame is of the very moment that is compared
        for tick in range(30):
            to = (exchange.now // 100_000 + 1) * 100_000
            for payload in frames(exchange.advance(to)):
                frame = json.loads(payload)
                if frame["s"] != code or frame["u"] <= last:
                    continue
                assert frame["U"] <= last + 1, tick
                book.apply(frame["b"], frame["a"])
                last = frame["u"]
                rendered += 1
            own = exchange.market.symbol(symbol)
            assert own.update == last
            for side, levels in (("sell", book.depth(5000)[1]), ("buy", book.depth(5000)[0])):
                expected = own.engine.levels("sell" if side == "sell" else "buy")
                units = own.listing.tick_units, own.listing.step_units
                assert [(in_units(p), in_units(a)) for p, a in levels] == [
                    (price * units[0], total * units[1]) for price, total in expected
                ]
        assert rendered > 20


def test_whole_books_are_the_top_30_of_the_engine() -> None:
    codes = ["KRW-BTC", "BTC-ETH"]
    exchange = joined("upbit", [{"ticket": "a"}, {"type": "orderbook", "codes": codes}])
    seen = dict.fromkeys(codes, 0)
    for _ in range(50):
        to = (exchange.now // 100_000 + 1) * 100_000
        for payload in frames(exchange.advance(to)):
            frame = json.loads(payload, parse_float=str, parse_int=str)
            symbol = {"KRW-BTC": "BTC/KRW", "BTC-ETH": "ETH/BTC"}[frame["code"]]
            own = exchange.market.symbol(symbol)
            units = frame["orderbook_units"]
            assert len(units) == 30
            for side, name in (("sell", "ask"), ("buy", "bid")):
                expected = [
                    (price * own.listing.tick_units, amount * own.listing.step_units)
                    for price, amount in own.engine.levels("sell" if side == "sell" else "buy", 30)
                ]
                expected += [(0, 0)] * (30 - len(expected))
                found = [
                    (in_units(unit[f"{name}_price"]), in_units(unit[f"{name}_size"]))
                    for unit in units
                ]
                assert found == expected
            assert int(frame["timestamp"]) == own.changed // 1000
            seen[frame["code"]] += 1
    assert min(seen.values()) > 20


def in_units(text: str) -> int:
    whole, _, decimals = exact(text).partition(".")
    assert not decimals[8:].strip("0")
    return int(whole + decimals[:8].ljust(8, "0"))


MESSAGES: dict[str, object] = {
    "binance": {
        "method": "SUBSCRIBE",
        "params": [
            f"btcusdt@{kind}"
            for kind in (
                *("trade", "aggTrade", "bookTicker", "ticker", "miniTicker", "depth"),
                *("depth@100ms", "depth5", "kline_1s", "kline_1m"),
            )
        ],
        "id": 1,
    },
    "upbit": [
        {"ticket": "a"},
        *(
            {"type": kind, "codes": ["KRW-BTC", "BTC-ETH"]}
            for kind in ("trade", "ticker", "orderbook", "candle.1s", "candle.1m")
        ),
    ],
}


@pytest.mark.parametrize("name", ["binance", "upbit"])
def test_the_same_seed_gives_the_same_bytes_however_time_is_cut(name: str) -> None:
    whole = joined(name, MESSAGES[name])
    expected = frames(whole.advance(whole.now + 4 * SECOND))
    cut = joined(name, MESSAGES[name])
    generator, found = random.Random(9), []
    while cut.now < whole.now:
        found += frames(cut.advance(min(whole.now, cut.now + generator.randint(1, 70_000))))
    assert found == expected
    assert len(expected) > 100
    for payload in expected:
        json.loads(payload)


@pytest.mark.parametrize("name", ["binance", "upbit"])
def test_truth_has_each_trade_with_the_digits_of_its_frame(name: str) -> None:
    truth: list[TruthRecord] = []
    exchange = joined(name, TRADES[name], truth)
    symbol = {"binance": "BTC/USDT", "upbit": "BTC/KRW"}[name]
    truth.clear()
    sent = frames(exchange.advance(exchange.now + 5 * SECOND))
    trades = [t for t in truth if isinstance(t, TruthTrade) and t.symbol == symbol]
    assert len(sent) == len(trades) > 50
    for payload, trade in zip(sent, trades, strict=True):
        frame = json.loads(payload, parse_float=str, parse_int=str)
        if name == "binance":
            row = (frame["t"], frame["p"], frame["q"], "sell" if frame["m"] else "buy", frame["T"])
        else:
            side = {"BID": "buy", "ASK": "sell"}[frame["ask_bid"]]
            row = (
                frame["sequential_id"], exact(frame["trade_price"]), exact(frame["trade_volume"]),
                side, frame["trade_timestamp"],
            )  # fmt: skip
        time = str(trade.exchange_time // 1000)
        assert row == (trade.id, trade.price, trade.amount, trade.side, time)
    assert {t.exchange for t in trades} == {name}


def sent_with(fault: Fault | None, name: str = "binance") -> tuple[list[bytes], list[TruthFault]]:
    truth: list[TruthRecord] = []
    exchange = joined(name, TRADES[name], truth)
    if fault is not None:
        exchange.start(fault)
    sent = frames(exchange.advance(exchange.now + 2 * SECOND))
    return sent, [record for record in truth if isinstance(record, TruthFault)]


@pytest.mark.parametrize("name", ["binance", "upbit"])
def test_frames_dropped_doubled_reordered_and_corrupt(name: str) -> None:
    plain, none = sent_with(None, name)
    assert none == []
    dropped, records = sent_with(Fault("drop", count=2), name)
    assert dropped == plain[2:]
    assert [(r.kind, r.lost, len(r.trades)) for r in records] == [("drop", True, 1)] * 2
    assert records[0].detail.encode() == plain[0][:300]
    doubled, _ = sent_with(Fault("double", channel="trade"), name)
    assert doubled == [plain[0], *plain]
    reordered, _ = sent_with(Fault("reorder"), name)
    assert reordered == [plain[1], plain[0], *plain[2:]]
    corrupt, _ = sent_with(Fault("corrupt", count=3), name)
    assert corrupt[3:] == plain[3:]
    for bad, good in zip(corrupt[:3], plain[:3], strict=True):
        assert good.startswith(bad)
        with pytest.raises(json.JSONDecodeError):
            json.loads(bad)


def test_a_stall_loses_what_is_sent_in_its_time() -> None:
    plain, _ = sent_with(None)
    stalled, records = sent_with(Fault("stall", duration=1.0))
    assert 0 < len(stalled) < len(plain)
    assert stalled == plain[-len(stalled) :]
    assert (records[0].kind, records[0].detail, records[0].lost) == ("stall", "1.0 s", False)
    lost = plain[: -len(stalled)]
    assert [(r.kind, r.lost, r.detail.encode()) for r in records[1:]] == [
        ("stall", True, payload) for payload in lost
    ]
    assert [r.trades for r in records[1:]] == [(str(json.loads(p)["t"]),) for p in lost]
    endless, _ = sent_with(Fault("stall"))
    assert endless == []
    other, _ = sent_with(Fault("stall", channel="book"))
    assert other == plain
    elsewhere, _ = sent_with(Fault("stall", symbol="ETH/USDT"))
    assert elsewhere == plain


def test_a_fault_of_one_connection_spares_the_others() -> None:
    exchange = joined("binance", TRADES["binance"])
    exchange.open(2, Request("/ws/btcusdt@trade"))
    exchange.start(Fault("drop", connection=2, count=3))
    seen: dict[int, int] = {1: 0, 2: 0}
    for action in exchange.advance(exchange.now + 2 * SECOND):
        assert isinstance(action, Delivery)
        for connection in action.connections:
            seen[connection] += 1
    assert seen[1] == seen[2] + 3


def test_cut_freeze_and_planned_close() -> None:
    exchange = joined("binance", TRADES["binance"])
    exchange.open(2, Request("/stream", {"streams": "btcusdt@trade"}))
    assert exchange.start(Fault("freeze", connection=1, duration=0.5)) == [Freeze(1, frozen=True)]
    thawed = [a for a in exchange.advance(exchange.now + SECOND) if isinstance(a, Freeze)]
    assert thawed == [Freeze(1, frozen=False)]
    [notice] = exchange.start(Fault("planned_close", connection=2, delay=0.3))
    assert isinstance(notice, Delivery)
    assert b'"stream":"!serverShutdown"' in notice.payload
    closed = [a for a in exchange.advance(exchange.now + SECOND) if isinstance(a, Close)]
    assert closed == [Close(2, 1001, "planned close")]
    assert exchange.connections == [1]
    assert exchange.start(Fault("cut")) == [Close(1, ABORT)]
    assert exchange.connections == []
    assert exchange.receive(1, "x") == []
    exchange.heard(1)
    exchange.close(1)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault("throttle", retry_after=7), [429, 200]),
        (Fault("throttle", status=418, retry_after=7, count=2), [418, 418, 200]),
        (Fault("server_error"), [503, 200]),
        (Fault("server_error", status=500, where="rest"), [500, 200]),
        (Fault("server_error", where="handshake"), [200, 200]),
        (Fault("throttle", channel="trade"), [200, 200]),
        (Fault("throttle", channel="book", symbol="BTC/USDT"), [429, 200]),
    ],
)
def test_rest_answers_under_faults(fault: Fault, expected: list[int]) -> None:
    exchange = venue("binance")
    exchange.start(fault)
    request = Request("/api/v3/depth", {"symbol": "BTCUSDT", "limit": "5"})
    replies = [exchange.request(request) for _ in expected]
    assert [reply.status for reply in replies] == expected
    if fault.retry_after:
        assert all(
            ("Retry-After", "7") in reply.headers for reply in replies if reply.status != 200
        )


def test_a_handshake_can_be_refused() -> None:
    exchange = venue("binance")
    exchange.start(Fault("server_error", where="handshake", duration=2.0))
    for _ in range(3):
        refused = exchange.refuse(Request("/ws"))
        assert refused is not None
        assert refused.status == 503
    exchange.advance(exchange.now + 3 * SECOND)
    assert exchange.refuse(Request("/ws")) is None
    missing = exchange.refuse(Request("/nope"))
    assert missing is not None
    assert missing.status == 404


def test_a_slow_snapshot_says_what_was_true_when_it_was_asked_for() -> None:
    exchange = venue("binance")
    exchange.start(Fault("slow", delay=1.5))
    book = Request("/api/v3/depth", {"symbol": "BTCUSDT"})
    assert exchange.request(Request("/api/v3/time")).delay == 0.0
    reply = exchange.request(book)
    assert reply.delay == 1.5
    assert json.loads(reply.body)["lastUpdateId"] == exchange.market.symbol("BTC/USDT").update
    assert exchange.request(book).delay == 0.0


def test_scheduled_faults_come_by_themselves_and_alike() -> None:
    kinds: tuple[FaultKind, ...] = ("drop", "double", "reorder", "corrupt", "stall")

    def run() -> tuple[list[bytes], list[TruthRecord]]:
        truth: list[TruthRecord] = []
        exchange = joined("binance", TRADES["binance"], truth)
        exchange.faults.extend(schedule(random.Random(4), exchange.now, 20, 30, kinds))
        sent = frames(exchange.advance(exchange.now + 20 * SECOND))
        return sent, [record for record in truth if isinstance(record, TruthFault)]

    first, second = run(), run()
    assert first == second
    assert len(first[1]) > 5


def test_clearing_ends_faults_and_sends_what_was_held() -> None:
    exchange = joined("binance", TRADES["binance"])
    exchange.start(Fault("reorder"))
    held: list[bytes] = []
    while not held:
        sent = exchange.advance(exchange.now + 1000)
        assert frames(sent) == [] or exchange.faults.waiting == []
        if not exchange.faults.waiting:
            held = frames(exchange.clear_faults())
            break
    assert len(held) == 1
    exchange.start(Fault("stall"))
    assert exchange.clear_faults() == []
    assert exchange.faults.waiting == []


@pytest.mark.parametrize(
    "wrong", [Fault("drop", symbol="NO/PE"), Fault("cut", connection=7)], ids=["symbol", "socket"]
)
def test_faults_that_can_hit_nothing_are_refused(wrong: Fault) -> None:
    with pytest.raises(SettingsError):
        venue("binance").start(wrong)


def test_candles_of_the_stream_are_the_fold_of_its_trades(
    texts: Callable[[list[Action]], list[str]],
) -> None:
    names = ["btcusdt@trade", "btcusdt@kline_1s"]
    exchange = joined("binance", {"method": "SUBSCRIBE", "params": names, "id": 1})
    exchange.advance((exchange.now // SECOND + 1) * SECOND)
    sums: dict[int, int] = {}
    closed = 0
    for text in texts(exchange.advance(exchange.now + 10 * SECOND)):
        frame = json.loads(text)
        if frame["e"] == "trade":
            opened = frame["T"] // 1000 * 1000
            sums[opened] = sums.get(opened, 0) + in_units(frame["q"])
        else:
            candle = frame["k"]
            assert in_units(candle["v"]) == sums.get(candle["t"], 0)
            closed += candle["x"]
    assert closed == 10
