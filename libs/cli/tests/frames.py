"""Frames as exchanges send them, written from their documentation."""

from __future__ import annotations

import json

T0 = 1_700_000_000_000_000
"""Receive time of the first frame of a test, in microseconds."""


def trade(number: int, symbol: str = "BTCUSDT", price: str = "100.50", millis: int = 0) -> str:
    """A Binance trade."""
    return _text(
        e="trade",
        E=T0 // 1000 + millis,
        s=symbol,
        t=number,
        p=price,
        q="0.10",
        T=T0 // 1000 + millis,
        m=True,
        M=True,
    )


def delta(
    first: int,
    last: int,
    bids: list[list[str]] | None = None,
    asks: list[list[str]] | None = None,
    symbol: str = "BTCUSDT",
) -> str:
    """A Binance book difference; one bid far below the others if nothing is named."""
    if bids is None and asks is None:
        bids = [["50.0", "1"]]
    return _text(
        e="depthUpdate", E=T0 // 1000, s=symbol, U=first, u=last, b=bids or [], a=asks or []
    )


def snapshot(last: int, bids: list[list[str]], asks: list[list[str]]) -> str:
    """A Binance answer to ``/api/v3/depth``."""
    return _text(lastUpdateId=last, bids=bids, asks=asks)


def upbit_candle(opened: str, close: int, millis: int) -> str:
    """An Upbit candle, which carries no closed flag."""
    return _text(
        type="candle.1m",
        code="KRW-BTC",
        candle_date_time_utc=opened,
        candle_date_time_kst=opened,
        opening_price=100,
        high_price=120,
        low_price=90,
        trade_price=close,
        candle_acc_trade_volume=1.5,
        candle_acc_trade_price=150,
        timestamp=T0 // 1000 + millis,
        stream_type="REALTIME",
    )


def _text(**fields: object) -> str:
    return json.dumps(fields, separators=(",", ":"))
