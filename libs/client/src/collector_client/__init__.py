"""Subscribe to the bus from Python, and compute indicators: typed events, exactly as committed.

>>> from collector_client import subscribe
>>> subscription = subscribe("trade", exchange=exchange, symbol="BTC/USDT")
"""

from collector_client.engine import Engine, RowStream
from collector_client.selection import Selection, Stream
from collector_client.subscribe import Options, subscribe
from collector_client.subscription import Start, Subscription

__all__ = [
    "Engine",
    "Options",
    "RowStream",
    "Selection",
    "Start",
    "Stream",
    "Subscription",
    "subscribe",
]
