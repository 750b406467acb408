"""Upbit's requests over the socket: one JSON array that replaces the whole subscription.

https://docs.upbit.com/kr/reference/websocket-guide
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec

from collector_testkit.dialects.ticket_dialect import Refused, Wanted

__all__ = ["CANDLES", "FORMATS", "Call", "read_call"]

FORMATS: Final = ("DEFAULT", "SIMPLE", "JSON_LIST", "SIMPLE_LIST")
CANDLES: Final = {
    "candle.1s": "1s",
    "candle.1m": "1m",
    "candle.3m": "3m",
    "candle.5m": "5m",
    "candle.10m": "10m",
    "candle.15m": "15m",
    "candle.30m": "30m",
    "candle.60m": "1h",
    "candle.240m": "4h",
}
"""Types of candles with our names of their intervals."""
_TYPES: Final = frozenset({"trade", "ticker", "orderbook", *CANDLES})
_DEPTHS: Final = {"1": 1, "5": 5, "15": 15, "30": 30}


class Call(NamedTuple):
    """A request that has the right form."""

    ticket: str
    format: str
    wanted: list[Wanted]
    list_only: bool
    """``LIST_SUBSCRIPTIONS``: nothing is changed."""


def read_call(message: str | bytes) -> Call:
    """Return what a client asks.

    Raises:
        Refused: no JSON array of objects, or a part that is missing or unknown.
    """
    try:
        parts = msgspec.json.decode(message, type=list[dict[str, Any]])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Refused("WRONG_FORMAT", "Format 이 맞지 않습니다.") from None
    tickets = [part["ticket"] for part in parts if isinstance(part.get("ticket"), str)]
    if not tickets or not tickets[0]:
        raise Refused("NO_TICKET", "티켓이 존재하지 않거나, 유효하지 않습니다.")
    kind = "DEFAULT"
    wanted: list[Wanted] = []
    typed = listing = False
    for part in parts:
        if "format" in part:
            kind = part["format"]
        elif "method" in part:
            listing = True
            if part["method"] != "LIST_SUBSCRIPTIONS":
                raise _invalid(part["method"])
        elif "type" in part:
            typed = True
            wanted += _wanted(part)
    if kind not in FORMATS:
        raise _invalid(kind)
    if not typed and not listing:
        raise Refused("NO_TYPE", "타입이 존재하지 않습니다.")
    return Call(tickets[0], kind, wanted, listing)


def _wanted(part: dict[str, Any]) -> list[Wanted]:
    kind, codes = part["type"], part.get("codes")
    if kind not in _TYPES:
        raise _invalid(kind)
    if not codes:
        raise Refused("NO_CODES", "코드가 존재하지 않습니다.")
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        raise Refused("WRONG_FORMAT", "Format 이 맞지 않습니다.")
    # the camel-case names are the old ones, still taken
    no_realtime = part.get("is_only_snapshot", part.get("isOnlySnapshot", False)) is True
    no_snapshot = part.get("is_only_realtime", part.get("isOnlyRealtime", False)) is True
    if kind == "orderbook" and str(part.get("level", 0)) not in {"0", "0.0"}:
        # a grouping that the market does not support delivers nothing, without an error
        return []
    wanted = []
    for code in codes:
        name, _, suffix = code.partition(".")
        depth = _DEPTHS.get(suffix, 30) if kind == "orderbook" else 0
        wanted.append(Wanted(kind, name, depth, not no_snapshot or no_realtime, not no_realtime))
    return wanted


def _invalid(value: object) -> Refused:
    return Refused("INVALID_PARAM", f"{value} 은 지원하지 않는 타입입니다.")
