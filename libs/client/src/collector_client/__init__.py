"""Subscribe to the bus from Python: typed events, exactly as they were committed.

>>> from collector_client import subscribe
>>> subscription = subscribe("trade", exchange=exchange, symbol="BTC/USDT")
"""

from collector_client.selection import Selection, Stream
from collector_client.subscribe import Options, subscribe
from collector_client.subscription import Start, Subscription

__all__ = ["Options", "Selection", "Start", "Stream", "Subscription", "subscribe"]
