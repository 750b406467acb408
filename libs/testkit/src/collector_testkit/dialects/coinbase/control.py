"""What a client of Coinbase asks, and how it is refused.

https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-overview
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

__all__ = ["CHANNELS", "Call", "Refused", "error", "read_call"]

CHANNELS: Final = {
    "market_trades": "trade",
    "ticker": "ticker",
    "level2": "book",
    "candles": "candle",
    "heartbeats": "",
}
"""Name of a channel -> ours; no products belong to heartbeats."""
_PRIVATE: Final = frozenset(("user", "futures_balance_summary"))


def error(message: str) -> bytes:
    """Return a refusal; it does not say what is refused, and it is not counted."""
    return msgspec.json.encode({"type": "error", "message": message})


class Refused(Exception):
    """The client's message is not one of the protocol; its text is what it is told.

    Args:
        message: text of the refusal.
        close: the connection ends after it.
    """

    def __init__(self, message: str, *, close: bool = False) -> None:
        super().__init__(message)
        self.frame = error(message)
        self.close = close


class Call(NamedTuple):
    """A message that has the right form."""

    subscribe: bool
    channel: str
    products: list[str]


class _Wire(msgspec.Struct):
    type: str
    channel: str = ""
    product_ids: list[str] = []


def read_call(message: str | bytes) -> Call:
    """Return what a client asks.

    Raises:
        Refused: not JSON, no message that is known, or a channel that needs a key.
    """
    try:
        call = msgspec.json.decode(message, type=_Wire)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Refused("failed to unmarshal message") from None
    if call.type not in {"subscribe", "unsubscribe"}:
        raise Refused(f"unknown message type {call.type}")
    if call.channel in _PRIVATE:
        raise Refused("authentication failure", close=True)
    if call.channel not in CHANNELS:
        raise Refused(f"channel {call.channel} is not supported")
    if CHANNELS[call.channel] and not call.product_ids:
        raise Refused("product_ids is required")
    return Call(call.type == "subscribe", call.channel, call.product_ids)
