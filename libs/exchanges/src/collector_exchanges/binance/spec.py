"""Binance spot as data.

Limits: web-socket-streams.md (WebSocket limits) and rest-api.md (LIMITS) of the spot API docs.
"""

from __future__ import annotations

from typing import Final

from collector_feed.spec import ChannelSpec, KeepAlive, Rate, Spec

__all__ = ["INTERVALS", "SPEC"]

INTERVALS: Final = (
    *("1s", "1m", "3m", "5m", "15m", "30m"),
    *("1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"),
)

SPEC: Final = Spec(
    exchange="binance",
    title="Binance spot",
    websocket_url="wss://stream.binance.com:9443/ws",
    rest_url="https://api.binance.com",
    channels={
        "trade": ChannelSpec(
            stream=True, loss="at_once", history="full", note="ids count up by one"
        ),
        "ticker": ChannelSpec(stream=True, loss="never", note="each second; state, not a log"),
        "book": ChannelSpec(
            stream=True, loss="at_once", note="diffs every 100 ms, joined to a REST snapshot"
        ),
        "candle": ChannelSpec(
            stream=True,
            loss="audit",
            history="full",
            intervals=INTERVALS,
            note="flag of the exchange; closed once",
        ),
        "instrument": ChannelSpec(stream=False, loss="audit", note="exchangeInfo"),
    },
    quotes=(
        *("USDT", "USDC", "FDUSD", "TUSD", "BUSD", "USDP", "USDS", "DAI", "USD1", "USDE", "UST"),
        *("BTC", "ETH", "BNB", "XRP", "TRX", "DOGE", "DOT", "SOL", "VAI", "IDRT", "BIDR", "BKRW"),
        *("EUR", "TRY", "BRL", "GBP", "AUD", "RUB", "UAH", "NGN", "ZAR", "PLN", "RON", "ARS"),
        *("JPY", "MXN", "COP", "CZK", "IDR", "BVND", "EURI", "PAX", "USDSB"),
    ),
    # 1,024 streams are allowed; a book or a candle more must always fit when a symbol is added
    subscriptions_per_connection=1000,
    subscriptions_per_message=200,
    # 5 a second, pongs counted; one is left for the answer to the server's own ping
    messages=Rate(4, 1.0),
    connection_attempts=Rate(300, 300.0),
    request_weight=Rate(6000, 60.0),
    # the server pings every 20 s; silence beyond it is asked about
    keep_alive=KeepAlive(interval=25.0, timeout=10.0),
    acknowledges=True,
    max_age=24 * 3600.0,
    trade_ids="contiguous",
    book_rule="range",
    book_by_rest=True,
    book_audit=True,
    candle_flag=True,
)
