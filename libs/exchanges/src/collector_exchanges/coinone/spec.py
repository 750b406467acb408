"""Coinone as data.

Limits: docs.coinone.co.kr, pages public-websocket-1, public-websocket-ping and the one on request
limits, and what the wire showed where it differs from them (README.md).
"""

from __future__ import annotations

from typing import Final

from collector_feed.spec import ChannelSpec, KeepAlive, Rate, Spec

__all__ = ["INTERVALS", "SPEC"]

_PUSHED: Final = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "1d", "1w")

INTERVALS: Final = {**{name: name for name in _PUSHED}, "10m": "10m", "1M": "1mon"}
"""Our name of an interval -> Coinone's; the last two are known to REST alone."""

SPEC: Final = Spec(
    exchange="coinone",
    title="Coinone",
    websocket_url="wss://stream.coinone.co.kr",
    rest_url="https://api.coinone.co.kr",
    channels={
        "trade": ChannelSpec(
            stream=True,
            loss="audit",
            history="recent",
            note="ids are unique, not counted; REST gives the last 200 alone",
        ),
        "ticker": ChannelSpec(stream=True, loss="never", note="at each trade; state, not a log"),
        "book": ChannelSpec(
            stream=True, loss="never", note="16 levels, whole at each change; healed by the next"
        ),
        "candle": ChannelSpec(
            stream=True,
            loss="audit",
            history="full",
            intervals=_PUSHED,
            polled=("10m", "1M"),
            note="no closed flag; volumes of the stream are not proven yet, those of REST are",
        ),
        "instrument": ChannelSpec(stream=False, loss="audit", note="markets/KRW"),
    },
    quotes=("KRW",),
    # no limit is published; 363 topics were served on one connection
    subscriptions_per_connection=360,
    subscriptions_per_message=1,
    # no limit is published; 363 messages within 4 ms were answered
    messages=Rate(100, 1.0),
    # 20 open connections an address; a pace is not published
    connection_attempts=Rate(2, 1.0),
    # a bucket of 1,200 that gains 20 a second
    request_weight=Rate(1200, 60.0),
    # closed 30 minutes after the last PING, or after 60 s if nothing was ever asked for; the
    # server sends no pings
    keep_alive=KeepAlive(interval=20.0, timeout=10.0, text='{"request_type":"PING"}'),
    acknowledges=True,
    max_age=None,
    # one connection more than 20, or more than the messages that are taken
    throttled_closes=frozenset({4290}),
    trade_ids="unique",
    book_rule="whole",
    book_by_rest=False,
    book_audit=True,
    candle_flag=False,
)
