"""Kraken's requests over the socket, and the answers to them, one for each symbol.

https://docs.kraken.com/api/docs/websocket-v2 (book, trade, ticker, ohlc, instrument, ping)
"""

from __future__ import annotations

from typing import Final

import msgspec

from collector_testkit.dialects.kraken.frames import moment

__all__ = [
    "DEPTHS",
    "INTERVALS",
    "Call",
    "Params",
    "acknowledgement",
    "pong",
    "read_call",
    "refused",
]

DEPTHS: Final = (10, 25, 100, 500, 1000)
INTERVALS: Final = {1: "1m", 5: "5m", 15: "15m", 30: "30m", 60: "1h", 240: "4h", 1440: "1d"}
"""Minutes of a candle with our name of the interval."""


class Params(msgspec.Struct, frozen=True):
    """What is asked for; the defaults are Kraken's."""

    channel: str = ""
    symbol: list[str] = []
    depth: int = 10
    interval: int = 1
    event_trigger: str = "trades"
    snapshot: bool | None = None

    @property
    def variant(self) -> int:
        """The depth of a book or the minutes of a candle, else 0."""
        return {"book": self.depth, "ohlc": self.interval}.get(self.channel, 0)

    @property
    def wants_snapshot(self) -> bool:
        """Trades are sent without one unless it is asked for."""
        return self.channel != "trade" if self.snapshot is None else self.snapshot


class Call(msgspec.Struct, frozen=True):
    """A request that has the right form."""

    method: str
    params: Params = Params()
    req_id: int | None = None


_CALLS: Final = msgspec.json.Decoder(Call)


def read_call(message: str | bytes) -> Call | None:
    """Return what a client asks, or None for what is no request."""
    try:
        return _CALLS.decode(message)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _times(now: int) -> dict[str, str]:
    # the answer takes 45 us, as in the documentation's examples
    return {"time_in": moment(now), "time_out": moment(now + 45)}


def _named(call: Call) -> dict[str, object]:
    return {} if call.req_id is None else {"req_id": call.req_id}


def acknowledgement(call: Call, symbol: str | None, now: int) -> bytes:
    """Return the answer that one symbol, or the channel without symbols, is subscribed or not."""
    params = call.params
    result: dict[str, object] = {"channel": params.channel}
    if params.channel == "book":
        result["depth"] = params.depth
    elif params.channel == "ticker":
        result["event_trigger"] = params.event_trigger
    elif params.channel == "ohlc":
        result["interval"] = params.interval
    if call.method == "subscribe":
        result["snapshot"] = params.wants_snapshot
    if symbol is not None:
        result["symbol"] = symbol
    if call.method == "subscribe" and params.channel == "ohlc":
        result["warnings"] = ["timestamp is deprecated, use interval_begin"]
    elif call.method == "subscribe" and params.channel == "instrument":
        result["warnings"] = ["tick_size is deprecated, use price_increment"]
    return msgspec.json.encode(
        {"method": call.method, **_named(call), "result": result, "success": True, **_times(now)}
    )


def refused(error: str, call: Call | None, symbol: str | None, now: int) -> bytes:
    """Return the answer that something was not done."""
    answer: dict[str, object] = {"error": error}
    if call is not None:
        answer |= {"method": call.method, **_named(call)}
    answer["success"] = False
    if symbol is not None:
        answer["symbol"] = symbol
    return msgspec.json.encode({**answer, **_times(now)})


def pong(call: Call, now: int) -> bytes:
    """Return the answer to a ping."""
    return msgspec.json.encode({"method": "pong", **_named(call), **_times(now)})
