"""Kraken as data.

Limits: docs.kraken.com/api/docs/guides, pages spot-ws-intro, spot-ratelimits and
spot-rest-ratelimits; where Kraken publishes no figure the value is ours (README.md).
"""

from __future__ import annotations

from typing import Final

from collector_feed.spec import ChannelSpec, KeepAlive, Rate, Spec

__all__ = ["DEPTH", "INTERVALS", "SPEC"]

INTERVALS: Final = {
    "1m": 1,
    "5m": 5,
    "15m": 15,
    "30m": 30,
    "1h": 60,
    "4h": 240,
    "1d": 1440,
}
"""Our name of an interval -> Kraken's minutes; its 7 and 15 days are not counted from Mondays."""

DEPTH: Final = 25
"""Levels a side of a subscribed book, one of 10, 25, 100, 500 and 1,000.

A checksum covers the best ten, so a change that is lost deeper shows only once its level comes up:
25 is the least that fills a row of the channel ``depth`` (20), and takes 1.6 times fewer frames
than 100.
"""

SPEC: Final = Spec(
    exchange="kraken",
    title="Kraken",
    websocket_url="wss://ws.kraken.com/v2",
    rest_url="https://api.kraken.com",
    channels={
        "trade": ChannelSpec(
            stream=True, loss="at_once", history="full", note="ids count up by one"
        ),
        "ticker": ChannelSpec(stream=True, loss="never", note="at each trade; state, not a log"),
        "book": ChannelSpec(
            stream=True,
            loss="at_once",
            note=f"{DEPTH} levels; CRC32 of the best ten, deeper ones once they come up",
        ),
        "candle": ChannelSpec(
            stream=True,
            loss="audit",
            history="recent",
            intervals=tuple(INTERVALS),
            note="no closed flag; none where nothing was traded; REST has the last 720",
        ),
        "instrument": ChannelSpec(stream=False, loss="audit", note="AssetPairs"),
    },
    quotes=("USD", "EUR", "USDT", "USDC", "GBP", "CAD", "AUD", "CHF", "JPY", "BTC", "ETH", "DAI"),
    # no limit is published
    subscriptions_per_connection=1000,
    # each is acknowledged by a frame of its own
    subscriptions_per_message=100,
    # follows Kraken's load ("Exceeded msg rate"); one or two a second are always served
    messages=Rate(2, 1.0),
    # about 150 in 10 minutes and address, then a ban of 10 minutes
    connection_attempts=Rate(140, 600.0),
    # about one a second and address
    request_weight=Rate(1, 1.0),
    # a heartbeat each second in which nothing else is sent; closed after a minute without a
    # subscription or a ping
    keep_alive=KeepAlive(interval=10.0, timeout=5.0, text='{"method":"ping"}'),
    acknowledges=True,
    max_age=None,
    trade_ids="contiguous",
    # the checksum tells whether an update is missing
    book_rule="unnumbered",
    book_by_rest=False,
    book_depth=DEPTH,
    checksum_levels=10,
    candle_flag=False,
)
