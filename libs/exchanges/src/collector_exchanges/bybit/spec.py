"""Bybit spot as data.

Limits: bybit-exchange.github.io/docs/v5, pages ws/connect and rate-limit.
"""

from __future__ import annotations

from typing import Final

from collector_feed.spec import ChannelSpec, KeepAlive, Rate, Spec

__all__ = ["DEPTH", "INTERVALS", "SPEC"]

INTERVALS: Final = {
    "1m": "1",
    "3m": "3",
    "5m": "5",
    "15m": "15",
    "30m": "30",
    "1h": "60",
    "2h": "120",
    "4h": "240",
    "6h": "360",
    "12h": "720",
    "1d": "D",
    "1w": "W",
    "1M": "M",
}
"""Our name of an interval -> Bybit's."""

DEPTH: Final = 1000
"""Levels a side: the one depth whose numbers REST has too (README.md says what it costs)."""

SPEC: Final = Spec(
    exchange="bybit",
    title="Bybit spot",
    websocket_url="wss://stream.bybit.com/v5/public/spot",
    rest_url="https://api.bybit.com",
    channels={
        "trade": ChannelSpec(
            stream=True,
            loss="audit",
            history="recent",
            note="ids are unique, not counted; REST has the newest 60",
        ),
        "ticker": ChannelSpec(stream=True, loss="never", note="at most each 50 ms; no touch"),
        "book": ChannelSpec(
            stream=True, loss="at_once", note="1,000 levels, changes each 200 ms, counted"
        ),
        "candle": ChannelSpec(
            stream=True,
            loss="audit",
            history="full",
            intervals=tuple(INTERVALS),
            note="flag of the exchange; closed once",
        ),
        "instrument": ChannelSpec(stream=False, loss="audit", note="instruments-info"),
    },
    quotes=(
        *("USDT", "USDC", "USDE", "USD1", "RLUSD", "XUSD", "USD", "USDQ", "USDR", "DAI", "MNT"),
        *("EUR", "GBP", "BRL", "PLN", "TRY", "AED", "BRZ", "BTC", "ETH", "SOL"),
    ),
    # 21,000 characters of topics are allowed: so many fit if each were 35 long
    subscriptions_per_connection=600,
    subscriptions_per_message=10,
    # no limit is published
    messages=Rate(10, 1.0),
    connection_attempts=Rate(500, 300.0),
    request_weight=Rate(600, 5.0),
    # the exchange wants a ping of its own kind each 20 s
    keep_alive=KeepAlive(interval=20.0, timeout=10.0, text='{"op":"ping"}'),
    acknowledges=True,
    max_age=None,
    trade_ids="unique",
    book_rule="counter",
    book_by_rest=False,
    book_audit=True,
    candle_flag=True,
)
