"""Coinbase Advanced Trade as data.

Limits: docs.cdp.coinbase.com, pages websocket-rate-limits and rate-limits of Advanced Trade; where
none is published, what is stricter than anything seen (README.md).
"""

from __future__ import annotations

from typing import Final

from collector_feed.spec import ChannelSpec, KeepAlive, Rate, Spec

__all__ = ["GRANULARITIES", "PUSHED", "SPEC"]

PUSHED: Final = "5m"
"""The only interval of the channel ``candles``."""

GRANULARITIES: Final = {
    "1m": "ONE_MINUTE",
    "5m": "FIVE_MINUTE",
    "15m": "FIFTEEN_MINUTE",
    "30m": "THIRTY_MINUTE",
    "1h": "ONE_HOUR",
    "2h": "TWO_HOUR",
    "4h": "FOUR_HOUR",
    "6h": "SIX_HOUR",
    "1d": "ONE_DAY",
}
"""Our name of an interval -> Coinbase's."""

SPEC: Final = Spec(
    exchange="coinbase",
    title="Coinbase Advanced Trade",
    websocket_url="wss://advanced-trade-ws.coinbase.com",
    rest_url="https://api.coinbase.com",
    channels={
        "trade": ChannelSpec(
            stream=True,
            loss="at_once",
            history="full",
            note="ids count up by one; a subscription begins with the last 100",
        ),
        "ticker": ChannelSpec(stream=True, loss="never", note="at each trade; state, not a log"),
        "book": ChannelSpec(
            stream=True,
            loss="at_once",
            note="the whole book, then changes; the connection's messages are counted",
        ),
        "candle": ChannelSpec(
            stream=True,
            loss="audit",
            history="full",
            intervals=(PUSHED,),
            polled=tuple(interval for interval in GRANULARITIES if interval != PUSHED),
            note="no closed flag; none where nothing was traded",
        ),
        "instrument": ChannelSpec(stream=False, loss="audit", note="market/products"),
    },
    quotes=("USD", "USDC", "USDT", "EUR", "GBP", "BTC", "ETH", "DAI", "INR", "SGD", "AUD", "CAD"),
    # no limit is published; a lost message costs every book of its connection a new snapshot
    subscriptions_per_connection=100,
    # the answer comes behind all the snapshots that a message asks for
    subscriptions_per_message=25,
    # 8 a second and address, over all connections: when one mends its books, others may start
    messages=Rate(6, 1.0),
    # 8 a second are allowed; each that opens sends five messages at once
    connection_attempts=Rate(1, 1.0),
    # 10 a second and address
    request_weight=Rate(8, 1.0),
    # a heartbeat comes each second
    keep_alive=KeepAlive(interval=5.0, timeout=10.0),
    acknowledges=True,
    acknowledge_timeout=30.0,
    max_age=None,
    trade_ids="contiguous",
    book_rule="unnumbered",
    book_by_rest=False,
    candle_flag=False,
)
