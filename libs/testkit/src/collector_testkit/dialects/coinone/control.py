"""Coinone's requests over the socket, one topic each, and their answers.

https://docs.coinone.co.kr/reference/public-websocket-1
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec

__all__ = [
    "CHANNELS",
    "INTERVALS",
    "INVALID_TOPIC",
    "PONG",
    "Call",
    "Refused",
    "error",
    "read_call",
]

CHANNELS: Final = {"TRADE": "trade", "TICKER": "ticker", "ORDERBOOK": "book", "CHART": "candle"}
"""Their channels with our names."""
INTERVALS: Final = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "1d", "1w")
PONG: Final = b'{"response_type":"PONG"}'


def error(code: int, message: str, field: str = "") -> bytes:
    """Return an error frame; what it is about stands in it only where a field has a wrong value."""
    frame: dict[str, object] = {"response_type": "ERROR", "error_code": code, "message": message}
    if field:
        frame["field"] = field
    return msgspec.json.encode(frame)


INVALID_TOPIC: Final = error(160012, "Invalid Topic")


class Refused(Exception):
    """A request is not taken; the connection stays open."""

    def __init__(self, code: int, message: str, field: str = "") -> None:
        super().__init__(message)
        self.frame = error(code, message, field)


class Call(NamedTuple):
    """A request that has the right form."""

    kind: str
    """``SUBSCRIBE``, ``UNSUBSCRIBE`` or ``PING``."""
    channel: str = ""
    topic: dict[str, Any] = {}  # noqa: RUF012  # nobody changes it
    short: bool = False

    @property
    def stream(self) -> tuple[str, str, str]:
        """Channel, pair and interval, in upper case whatever the client wrote."""
        quote, target, interval = (
            str(self.topic.get(name, ""))
            for name in ("quote_currency", "target_currency", "interval")
        )
        named = interval if self.channel == "CHART" else ""
        return self.channel, f"{quote}-{target}".upper(), named

    def answer(self) -> bytes:
        """Return the acknowledgement; the topic is echoed as it was sent."""
        return msgspec.json.encode(
            {"response_type": f"{self.kind}D", "channel": self.channel, "data": self.topic}
        )


def read_call(message: str | bytes) -> Call:
    """Return what a client asks.

    Raises:
        Refused: not a JSON object, or a field whose value is not known, in upper case, or missing.
    """
    try:
        fields = msgspec.json.decode(message, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Refused(160010, "Invalid Request") from None
    kind = fields.get("request_type")
    if kind == "PING":
        return Call("PING")
    if kind not in {"SUBSCRIBE", "UNSUBSCRIBE"}:
        raise Refused(160011, "Invalid Type", "request_type")
    channel = fields.get("channel")
    if channel not in CHANNELS:
        raise Refused(160011, "Invalid Type", "channel")
    if fields.get("format", "DEFAULT") not in {"DEFAULT", "SHORT"}:
        raise Refused(160011, "Invalid Type", "format")
    topic = fields.get("topic")
    if not isinstance(topic, dict):
        raise Refused(160010, "Invalid Request")
    return Call(kind, channel, topic, fields.get("format") == "SHORT")
