"""OKX spot as data.

Limits: OKX API v5, overview (Connect, Connection count limit) and the tables of the endpoints.
"""

from __future__ import annotations

from typing import Final

from collector_feed.spec import ChannelSpec, KeepAlive, Rate, Spec

__all__ = ["BARS", "BUDGET", "SPEC"]

BARS: Final = {
    "1s": "1s",
    "1m": "1m",
    "3m": "3m",
    "5m": "5m",
    "15m": "15m",
    "30m": "30m",
    "1h": "1H",
    "2h": "2H",
    "4h": "4H",
    # without "utc" these would open at 16:00 UTC, the midnight of Hong Kong
    "6h": "6Hutc",
    "12h": "12Hutc",
    "1d": "1Dutc",
    "1w": "1Wutc",
    "1M": "1Mutc",
}
"""Our name of an interval -> OKX's ``bar``, as in ``candle1Dutc``."""

BUDGET: Final = 200
"""Weight of 2 seconds. Each endpoint has a limit of its own, N requests in 2 seconds; a request
weighs ``BUDGET / N``, so that one budget for all keeps to each of them."""

SPEC: Final = Spec(
    exchange="okx",
    title="OKX spot",
    websocket_url="wss://ws.okx.com:8443/ws/v5",
    rest_url="https://openapi.okx.com",
    channels={
        "trade": ChannelSpec(
            stream=True,
            loss="at_once",
            history="full",
            path="/business",
            note="trades-all: ids count up by one; REST goes back three months",
        ),
        "ticker": ChannelSpec(
            stream=True,
            loss="never",
            path="/public",
            note="at most each 100 ms; state, not a log",
        ),
        "book": ChannelSpec(
            stream=True,
            loss="at_once",
            path="/public",
            note="400 levels, linked changes each 100 ms after a streamed snapshot",
        ),
        "candle": ChannelSpec(
            stream=True,
            loss="audit",
            history="full",
            intervals=tuple(BARS),
            path="/business",
            note="flag of the exchange; closed once",
        ),
        "instrument": ChannelSpec(stream=False, loss="audit", note="public/instruments"),
    },
    quotes=(
        *("USDT", "USDC", "USD", "EUR", "BTC", "ETH", "OKB", "DAI", "USDG", "AED", "AUD"),
        *("BRL", "SGD", "TRY"),
    ),
    # no limit is published; fewer than 30 books a connection are recommended, and a symbol's
    # book comes with its ticker
    subscriptions_per_connection=58,
    # 64 KB a message are allowed, about 1,000 subscriptions
    subscriptions_per_message=58,
    # 480 subscriptions and unsubscriptions an hour and connection are allowed, pings aside: what
    # keeps to it is that one message carries all of a connection (README.md)
    messages=Rate(3, 1.0),
    # 480 an hour, the login counted; one is kept back for each resync that is under way
    operations=Rate(450, 3600.0),
    connection_attempts=Rate(3, 1.0),
    request_weight=Rate(BUDGET, 2.0),
    # closed after 30 s without data; the text is answered by the text "pong"
    keep_alive=KeepAlive(interval=20.0, timeout=8.0, text="ping"),
    acknowledges=True,
    max_age=None,
    trade_ids="contiguous",
    book_rule="link",
    book_by_rest=False,
    book_depth=400,
    book_audit=True,
    candle_flag=True,
)
