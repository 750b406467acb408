"""Symbols that come, go and sleep while the exchange runs."""

from __future__ import annotations

import json
import random
from typing import ClassVar

import pytest

from collector_core.errors import SettingsError, SymbolError
from collector_testkit.dialects import Action, Delivery, Dialect, Request, load
from collector_testkit.dialects.binance.dialect import BinanceDialect
from collector_testkit.dialects.venue import Venue
from collector_testkit.faults import Fault
from collector_testkit.truth import TruthRecord, TruthTrade

START = 1_795_305_600_250_250
SECOND = 1_000_000
NEW = {"binance": "NEW/USDT", "upbit": "NEW/KRW"}
OLD = {"binance": "BTC/USDT", "upbit": "BTC/KRW"}
both = pytest.mark.parametrize("name", ["binance", "upbit"])


def venue(name: str, **options: object) -> Venue:
    made = Venue(load(name), random.Random(5), START, rate=100.0, **options)  # type: ignore[arg-type]  # options of any type
    made.advance(START + 2 * SECOND)
    return made


def subscribe(made: Venue, *symbols: str, connection: int = 1) -> list[Action]:
    codes = [made.dialect.to_venue(symbol) for symbol in symbols]
    if connection not in made.connections:
        made.open(connection, Request(made.dialect.websocket_path))
    if made.dialect.name == "binance":
        kinds = ("trade", "depth@100ms", "depth5@100ms", "ticker", "kline_1m", "bookTicker")
        names = [f"{code.lower()}@{kind}" for code in codes for kind in kinds]
        return made.receive(
            connection, json.dumps({"method": "SUBSCRIBE", "params": names, "id": 1})
        )
    kinds = ("trade", "orderbook", "ticker", "candle.1s")
    parts = [{"type": kind, "codes": codes, "is_only_realtime": True} for kind in kinds]
    return made.receive(connection, json.dumps([{"ticket": "a"}, *parts]))


def listed(made: Venue) -> list[str]:
    path = {"binance": "/api/v3/exchangeInfo", "upbit": "/v1/market/all"}[made.dialect.name]
    body = json.loads(made.request(Request(path)).body)
    rows = body["symbols"] if made.dialect.name == "binance" else body
    return [row.get("symbol") or row["market"] for row in rows]


def streams(actions: list[Action]) -> set[tuple[str, str]]:
    return {(a.channel, a.symbol) for a in actions if isinstance(a, Delivery) and a.channel}


def seconds(made: Venue, count: float) -> list[Action]:
    return made.advance(made.now + int(count * SECOND))


CHANNELS = {"trade", "book", "ticker", "candle"}


@both
def test_a_new_listing_is_shown_and_trades(name: str) -> None:
    truth: list[TruthRecord] = []
    made = venue(name, truth=truth.extend)
    new = NEW[name]
    assert made.dialect.to_venue(new) not in listed(made)
    made.list_symbol(new)
    assert listed(made)[-1] == made.dialect.to_venue(new)
    subscribe(made, new)
    assert streams(seconds(made, 5)) == {(channel, new) for channel in CHANNELS}
    assert new in {record.symbol for record in truth if isinstance(record, TruthTrade)}
    with pytest.raises(SymbolError, match="expected a symbol that is not listed yet"):
        made.list_symbol(new)


def test_streams_that_were_asked_for_before_the_listing_begin_with_it() -> None:
    made = venue("binance")
    subscribe(made, "NEW/USDT")
    assert streams(seconds(made, 2)) == set()
    made.list_symbol("NEW/USDT")
    assert streams(seconds(made, 5)) == {(channel, "NEW/USDT") for channel in CHANNELS}


@both
def test_a_delisted_symbol_is_silent_and_its_neighbours_run(name: str) -> None:
    truth: list[TruthRecord] = []
    made = venue(name, truth=truth.extend)
    neighbour = next(s for s in made.market.symbols if s != OLD[name])
    subscribe(made, OLD[name], neighbour)
    seconds(made, 1.05)
    made.delist_symbol(OLD[name])
    truth.clear()
    after = seconds(made, 3)
    assert {symbol for _, symbol in streams(after)} == {neighbour}
    assert OLD[name] not in {record.symbol for record in truth}
    assert made.dialect.to_venue(OLD[name]) not in listed(made)
    subscribe(made, OLD[name], neighbour, connection=2)
    assert {symbol for _, symbol in streams(seconds(made, 3))} == {neighbour}
    with pytest.raises(SettingsError, match="expected a symbol of this exchange"):
        made.start(Fault("drop", symbol=OLD[name]))
    with pytest.raises(SymbolError, match="expected a symbol of this market"):
        made.delist_symbol(OLD[name])


@both
def test_a_symbol_that_comes_back_counts_on(name: str) -> None:
    truth: list[TruthRecord] = []
    made = venue(name, truth=truth.extend)
    made.delist_symbol(OLD[name])
    before = [r.id for r in truth if isinstance(r, TruthTrade) and r.symbol == OLD[name]]
    seconds(made, 2)
    made.list_symbol(OLD[name])
    seconds(made, 2)
    after = [r.id for r in truth if isinstance(r, TruthTrade) and r.symbol == OLD[name]]
    assert len(after) > len(before) > 10
    assert after[: len(before)] == before
    assert [int(i) for i in after] == sorted({int(i) for i in after})


@both
def test_a_still_symbol_answers_and_trades_once_it_is_named(name: str) -> None:
    made = venue(name, still=[NEW[name]])
    assert made.dialect.to_venue(NEW[name]) in listed(made)
    assert made.market.trading == list(made.dialect.symbols)
    book = {
        "binance": Request("/api/v3/depth", {"symbol": "NEWUSDT"}),
        "upbit": Request("/v1/orderbook", {"markets": "KRW-NEW"}),
    }[name]
    first = made.request(book)
    assert first.status == 200
    seconds(made, 2)
    assert made.request(book).body == first.body
    subscribe(made, OLD[name])
    assert NEW[name] not in made.market.trading
    subscribe(made, NEW[name], connection=2)
    assert made.market.trading[-1] == NEW[name]
    assert {(channel, NEW[name]) for channel in CHANNELS} <= streams(seconds(made, 5))
    assert made.request(book).body != first.body


def test_the_path_of_a_connection_names_symbols_too() -> None:
    made = venue("binance", still=["NEW/USDT", "OLD/USDT", "TOO/BTC"])
    made.open(1, Request("/ws/newusdt@trade/btcusdt@trade"))
    made.open(2, Request("/stream", {"streams": "toobtc@trade"}))
    assert made.market.trading[-2:] == ["NEW/USDT", "TOO/BTC"]
    made.delist_symbol("OLD/USDT")
    made.list_symbol("OLD/USDT", still=True)
    assert "OLD/USDT" not in made.market.trading
    made.open(3, Request("/ws/oldusdt@trade"))
    assert made.market.trading[-1] == "OLD/USDT"


@both
def test_what_sleeps_beside_it_changes_nothing_of_a_symbol(name: str) -> None:
    sent = []
    for still in ([], [NEW[name]]):
        made = venue(name, still=still)
        subscribe(made, OLD[name])
        sent.append(seconds(made, 3))
    assert sent[0] == sent[1]


@both
def test_thousands_of_still_symbols_cost_no_book(name: str) -> None:
    quote = next(iter(load(name).quotes))
    made = venue(name, still=[f"N{number:05}/{quote}" for number in range(5000)])
    assert len(listed(made)) == 5000 + len(made.dialect.symbols)
    # a book is there once somebody looks at it
    filled = [own for own in made.market.symbols.values() if "engine" in vars(own)]
    assert len(filled) == len(made.dialect.symbols)


class Fixed(BinanceDialect):
    """A dialect that keeps to the defaults of the contract."""

    symbols: ClassVar[tuple[str, ...]] = ("BTC/USDT",)
    listed = Dialect.listed
    delisted = Dialect.delisted


def test_a_dialect_without_listings_at_run_time_says_so() -> None:
    made = Venue(Fixed, random.Random(1), START)
    with pytest.raises(SettingsError, match="that lists while it runs, was binance"):
        made.list_symbol("NEW/USDT")
    assert list(made.market.symbols) == ["BTC/USDT"]
    with pytest.raises(SettingsError, match="that delists while it runs, was binance"):
        made.delist_symbol("BTC/USDT")
    assert made.market.trading == ["BTC/USDT"]
    seconds(made, 2)
    assert made.market.symbol("BTC/USDT").tape.last is not None
