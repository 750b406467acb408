"""Upbit as data.

Limits: docs.upbit.com/kr/reference, pages websocket-guide and rate-limits, and what the wire showed
where it differs from them (README.md).
"""

from __future__ import annotations

from typing import Final

from collector_feed.spec import ChannelSpec, KeepAlive, Rate, Spec

__all__ = ["INTERVALS", "REST_INTERVALS", "SPEC"]

INTERVALS: Final = {
    "1s": "1s",
    "1m": "1m",
    "3m": "3m",
    "5m": "5m",
    "10m": "10m",
    "15m": "15m",
    "30m": "30m",
    "1h": "60m",
    "4h": "240m",
}
"""Our name of an interval -> Upbit's unit in ``candle.{unit}``."""

REST_INTERVALS: Final = {
    "1s": "seconds",
    "1m": "minutes/1",
    "3m": "minutes/3",
    "5m": "minutes/5",
    "10m": "minutes/10",
    "15m": "minutes/15",
    "30m": "minutes/30",
    "1h": "minutes/60",
    "4h": "minutes/240",
    "1d": "days",
    "1w": "weeks",
    "1M": "months",
}
"""Our name of an interval -> its path below ``/v1/candles``."""

SPEC: Final = Spec(
    exchange="upbit",
    title="Upbit",
    websocket_url="wss://api.upbit.com/websocket/v1",
    rest_url="https://api.upbit.com",
    channels={
        "trade": ChannelSpec(
            stream=True,
            loss="audit",
            history="recent",
            note="ids are unique, not counted; REST goes back seven days",
        ),
        "ticker": ChannelSpec(stream=True, loss="never", note="at each change; state, not a log"),
        "book": ChannelSpec(
            stream=True, loss="never", note="30 levels, whole at each change; healed by the next"
        ),
        "candle": ChannelSpec(
            stream=True,
            loss="audit",
            history="full",
            intervals=tuple(INTERVALS),
            note="no closed flag; none where nothing was traded",
        ),
        "instrument": ChannelSpec(stream=False, loss="audit", note="market/all"),
    },
    quotes=("KRW", "USDT", "BTC"),
    # no limit is published; a frame of 855 codes was served whole
    subscriptions_per_connection=800,
    # each message carries the whole list of the connection
    subscriptions_per_message=800,
    # 5 a second and 100 a minute: 4 in 3 s keep to both
    messages=Rate(4, 3.0),
    # 5 a second and address; one is left for a neighbour's
    connection_attempts=Rate(4, 1.0),
    # 10 a second, address and group of endpoints; one budget for all groups is stricter
    request_weight=Rate(8, 1.0),
    # closed after 60 s without a byte (the documentation says 120 s); the server sends no pings
    keep_alive=KeepAlive(interval=20.0, timeout=10.0),
    acknowledges=False,
    max_age=None,
    trade_ids="unique",
    book_rule="whole",
    book_by_rest=False,
    candle_flag=False,
)
