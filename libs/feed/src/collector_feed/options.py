"""What an operator may set of a connection."""

from __future__ import annotations

import msgspec

from collector_feed.book_stream import LEVELS

__all__ = ["SessionOptions"]


class SessionOptions(msgspec.Struct, frozen=True):
    """What an operator may set of a connection; times in seconds."""

    connect_timeout: float = 15.0
    data_timeout: float = 120.0
    """A connection that answers pings but brings no data for so long is opened anew."""
    book_snapshot_every: float = 10.0
    book_levels: int = LEVELS
    quiet_floor: float = 30.0
    """Silence of one stream that is never stale, whatever quiet times it has shown."""
    rotate_after: float | None = None
    """Age at which a connection is replaced; None for 95 % of the exchange's own limit."""
    audit_every: float = 30.0
    """Between two comparisons of a connection's books and trades with REST, one symbol each."""
    backfill: bool = True
    """Fetch what was missed of trades and candles, as far as the exchange's history goes."""
    backfill_timeout: float = 30.0
    """How long live trades wait at most for those that were missed before them."""
    clock_lag: float = 0.25
    """How far clock rows are held back for events that overtake each other."""
    backoff_base: float = 0.5
    backoff_cap: float = 30.0
