"""Bithumb as data.

Limits: apidocs.bithumb.com, pages on connections and request limits, and what the wire showed where
it differs from them (README.md).
"""

from __future__ import annotations

from typing import Final

from collector_feed.spec import ChannelSpec, KeepAlive, Rate, Spec

__all__ = ["INTERVALS", "SPEC"]

INTERVALS: Final = {
    "1m": "minutes/1",
    "3m": "minutes/3",
    "5m": "minutes/5",
    "10m": "minutes/10",
    "15m": "minutes/15",
    "30m": "minutes/30",
    "1h": "minutes/60",
}
"""Our name of an interval -> its path below ``/v1/candles``.

Its longer candles begin at midnight in Korea (15:00 UTC), which is not what our names mean.
"""

SPEC: Final = Spec(
    exchange="bithumb",
    title="Bithumb",
    websocket_url="wss://ws-api.bithumb.com/websocket/v1",
    rest_url="https://api.bithumb.com",
    channels={
        "trade": ChannelSpec(
            stream=True,
            loss="audit",
            history="recent",
            note="ids are unique, not counted, and others over REST, which goes back seven days",
        ),
        "ticker": ChannelSpec(stream=True, loss="never", note="at each change; state, not a log"),
        "book": ChannelSpec(
            stream=True, loss="never", note="15 levels, whole at each change; healed by the next"
        ),
        "candle": ChannelSpec(
            stream=False,
            loss="audit",
            history="full",
            polled=tuple(INTERVALS),
            note="not pushed: fetched over REST as they close",
        ),
        "instrument": ChannelSpec(stream=False, loss="audit", note="market/all"),
    },
    quotes=("KRW", "BTC"),
    # no limit is published; the 493 codes of the whole list were served on one connection
    subscriptions_per_connection=490,
    # each message carries the whole list of the connection
    subscriptions_per_message=490,
    # messages are not limited by the documentation; each brings all snapshots anew, so be slow
    messages=Rate(4, 3.0),
    # 10 a second and address, public and private; who goes on over it is blocked for 10 minutes
    connection_attempts=Rate(5, 1.0),
    # 150 a second, address and group of endpoints; one budget for all groups is stricter
    request_weight=Rate(100, 1.0),
    # closed after 60 s without a byte (the documentation says 120 s); the server sends no pings
    keep_alive=KeepAlive(interval=20.0, timeout=10.0),
    acknowledges=False,
    max_age=None,
    trade_ids="unique",
    rest_trade_ids=False,
    book_rule="whole",
    book_by_rest=False,
    candle_flag=False,
)
