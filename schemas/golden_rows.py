"""One row and more of each type, with nulls and edge values; written to ``schemas/golden``.

Readers in other languages test against these bytes: they are what ``codec.encode`` writes.
"""

from __future__ import annotations

from typing import Final

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
from collector_core.records import CatalogEntry, Control, DeadLetter

__all__ = ["EVENTS", "RECORDS"]

_T: Final = 1_700_000_000_000_000
"""2023-11-14T22:13:20Z in microseconds."""
_SAFE: Final = 2**53 - 1
"""The largest integer that JavaScript holds exactly."""
_LONG: Final = "12345678901234567890.123456789012345678"
_TINY: Final = "0.000000000000000001"
_MINUTE: Final = 60_000_000
_OPEN: Final = _T // _MINUTE * _MINUTE

_BTC: Final = ("binance", "BTC/USDT")
_KRW: Final = ("upbit", "BTC/KRW")
_ODD: Final = ("binance", "1000.X-Y/원")

EVENTS: Final[tuple[Event, ...]] = (
    Trade(*_BTC, _T, _T + 42_123, _T - 1, 2, "3210987654", "37000.01000000", "0.00100000", "buy"),
    Trade(*_KRW, _T, None, _T - 1, 3, None, "52000000", "0.0001", None),
    Trade(*_ODD, None, _T, _T - 1, 4, "17000000000000001", _TINY, _LONG, "sell", backfilled=True),
    Trade(*_BTC, _SAFE, _SAFE, _SAFE, _SAFE, "agg-1", "0", "0.00", "sell"),
    Clock(*_BTC, _T, _T + 250_000, _T - 1, 5, _T),
    Clock(*_KRW, 0, None, _T - 1, 6, 0),
    Ticker(
        *(*_BTC, _T, _T + 1, _T - 1, 1),
        last="37000.01",
        open="36000",
        high="37500.5",
        low="35999.99",
        volume=_LONG,
        quote_volume="456789012.3456",
        change="-1000.01",
        change_percent="-2.703",
        vwap="36789.12345678",
        bid="37000",
        bid_amount="1.5",
        ask="37000.01",
        ask_amount="0",
        trade_count=0,
    ),
    Ticker(*_BTC, None, _T, _T - 1, 2, bid="37000", bid_amount="1", ask="37001", ask_amount="2"),
    Ticker(*_KRW, None, None, _T - 1, 3),
    Book(
        *(*_BTC, None, _T, _T - 1, 3, "snapshot"),
        [("37000.00", "1.5"), ("36999.99", _TINY)],
        [("37000.01", "2"), (_LONG, "1")],
        160,
        truncated=True,
    ),
    Book(*_BTC, _T, _T + 1, _T - 1, 4, "delta", [("37000.00", "0")], [], 161),
    Book(*_KRW, _T, None, _T - 1, 5, "snapshot", [], []),
    Depth(*_BTC, _T, _T + 1, _T - 1, 1, [("37000", "1")], [("37000.01", "2")], 161),
    Depth(*_KRW, None, None, _T - 1, 2, [], [("52000000", "0.1")]),
    Candle(
        *(*_BTC, _T, _T + 1, _T - 1, 1, "1m", _OPEN, _OPEN + _MINUTE),
        *("37000", "37010.5", "36990", "37001", "12.345", "456789.01", 321),
        closed=False,
    ),
    Candle(
        *(*_KRW, None, None, _T - 1, 2, "1M", 1_698_796_800_000_000, 1_701_388_800_000_000),
        *("1", "1", "1", "1", "0", None, None),
        closed=True,
        backfilled=True,
    ),
    Bar(
        *(*_BTC, _OPEN + _MINUTE, _T, _T - 1, 1, "1m", _OPEN, _OPEN + _MINUTE),
        *("37000", "37010.5", "36990", "37001", "12.345", "456789.01234567890123", 321),
        closed=True,
        bar_kind="time",
        size="1m",
        ordinal=_OPEN // _MINUTE,
        buy_volume="6",
        revision=1,
        incomplete=True,
    ),
    Bar(
        *(*_BTC, _T, None, _T - 1, 2, None, _T - 5, _T),
        *("37000", "37000", "37000", "37000", "100", "3700000", 1),
        closed=False,
        bar_kind="volume",
        size="100",
        ordinal=0,
        buy_volume="0",
    ),
    Indicator(
        *(*_BTC, _OPEN + _MINUTE, _T, _T - 1, 1, "macd", "12:26:9", "bar:time", "1m", _OPEN),
        {"macd": -1.25, "signal": 1e-300, "histogram": None},
        bars_seen=26,
        warm=False,
        closed=True,
        revision=2,
        incomplete=True,
    ),
    Indicator(
        *(*_KRW, None, None, _T - 1, 2, "vwap", "", "candle", "1h", _OPEN),
        {"vwap": 52000000.5},
        bars_seen=500,
        warm=True,
        closed=False,
    ),
    # one series as its topic has it: live, closed, revised; then two rows that are out of date
    *(
        Indicator(
            *(*_BTC, _OPEN + _MINUTE, _T, _T - 1, seq, "bollinger", "20:2.5", "bar:time", "1m", _OPEN),
            {"upper": upper, "middle": 37000.0, "lower": 0.00001},
            bars_seen=20,
            warm=True,
            closed=closed,
            revision=revision,
        )
        for seq, upper, closed, revision in (
            (2, 0.1 + 0.2, False, 0),
            (3, 1e16, False, 0),
            (4, 1.7976931348623157e308, True, 0),
            (5, -5e-324, True, 1),
            (4, 1.7976931348623157e308, True, 0),
            (3, 1e16, False, 0),
        )
    ),
    Status(*_BTC, None, _T, _T, 1, "started", "trade", previous_epoch=_T - 9, previous_seq=_SAFE),
    Status(*_BTC, None, _T, _T, 1, "started", "book"),
    Status(
        *(*_BTC, None, _T, _T, 7, "gap", "trade", "trades are missing"),
        from_="3210987655",
        to="3210987699",
        count=45,
        unit="id",
    ),
    Status(
        *(*_KRW, None, _T, _T, 8, "gap", "trade", "trades are missing"),
        to=str(_T),
        unit="time",
    ),
    Status(
        *(*_BTC, None, None, _T, 9, "backfilled", "trade", 'with "quotes", \\ and ünïcödé'),
        from_="3210987655",
        to="3210987699",
        count=0,
        unit="id",
    ),
    Status(*_BTC, None, _T, _T, 10, "stopped", "candle", ""),
    Instrument(
        *(*_BTC, None, _T, _T, 1, "BTCUSDT", "BTC", "USDT"),
        *("0.01", "0.00001", "0.00001", "5", "trading"),
    ),
    Instrument(*_ODD, None, None, _T, 2, "원-1000.X-Y", "1000.X-Y", "원", *(None,) * 4, "delisted"),
)

RECORDS: Final[tuple[CatalogEntry | Control | DeadLetter, ...]] = (
    CatalogEntry("md.trade.binance.BTC-USDT", "trade", *_BTC, "BTCUSDT", 0, 1, "trade"),
    CatalogEntry("md.book.upbit", "book", *_KRW, None, 14, 16, "book"),
    Control(*_BTC, ("trade", "candle"), ("1m", "1h")),
    Control(*_KRW, ()),
    DeadLetter("binance", "binance-0", _T, "expected a Binance frame, was …", b'{"e":"\xff\x00'),
    DeadLetter("upbit", "upbit-1", None, "", b""),
)
