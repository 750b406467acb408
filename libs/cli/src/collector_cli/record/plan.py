"""What ``collector record`` records, checked before anything is opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from collector_core.errors import SettingsError, SymbolError
from collector_core.symbols import split
from collector_exchanges.discovery import adapter
from collector_feed.outputs import Subscription
from collector_feed.spec import Spec
from collector_feed.subscriptions import check
from collector_runtime.recording import JournalOptions

__all__ = ["Plan", "subscriptions_of"]

_CHANNELS: Final = ("trade", "ticker", "book", "candle")
_INTERVAL: Final = "1m"


@dataclass(frozen=True)
class Plan:
    """What the user chose."""

    exchange: str
    subscriptions: tuple[Subscription, ...]
    directory: Path
    seconds: float | None = None
    """How long to record; None records until interrupted."""
    websocket_url: str | None = None
    """In place of the exchange's own, for a simulator; likewise for REST."""
    rest_url: str | None = None
    proxy: str | None = None
    journal: JournalOptions = field(default_factory=JournalOptions)


def subscriptions_of(
    exchange: str, symbols: Sequence[str], channels: Sequence[str], intervals: Sequence[str]
) -> tuple[Subscription, ...]:
    """Return the streams that a user's words name.

    Args:
        exchange: its name.
        symbols: in our spelling.
        channels: none for all of trade, ticker, book and candle that the exchange pushes.
        intervals: of the candles; none for 1m, or the shortest that is pushed.

    Raises:
        SettingsError: an exchange, symbol, channel or interval that cannot be had.
    """
    spec = adapter(exchange).spec
    if not symbols:
        raise SettingsError("--symbols: expected at least one, such as BTC/USDT")
    for symbol in symbols:
        try:
            split(symbol)
        except SymbolError as error:
            raise SettingsError(str(error)) from error
    wanted = channels or [c for c in _CHANNELS if c in spec.channels and spec.channels[c].stream]
    found = [
        Subscription(channel, symbol, interval)
        for symbol in symbols
        for channel in wanted
        for interval in _intervals(spec, channel, intervals)
    ]
    for subscription in found:
        check(spec, subscription)
    return tuple(dict.fromkeys(found))


def _intervals(spec: Spec, channel: str, wanted: Sequence[str]) -> Sequence[str]:
    offered = spec.channels[channel].intervals if channel in spec.channels else ()
    if not offered:
        return ("",)
    return wanted or ((_INTERVAL,) if _INTERVAL in offered else offered[:1])
