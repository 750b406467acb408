"""Bithumb's requests over the socket: one JSON array that replaces the whole subscription.

https://apidocs.bithumb.com/reference (요청-포맷, 웹소켓-에러)
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from collector_testkit.dialects.ticket_dialect import Refused, Wanted

__all__ = ["LEVELS", "read_call"]

LEVELS: Final = 15
"""Levels a side of a book."""
_TYPES: Final = frozenset({"trade", "ticker", "orderbook"})
_FORMAT: Final = "Format 이 맞지 않습니다."


def read_call(message: str | bytes) -> tuple[list[Wanted], bool]:
    """Return what a client asks, and whether it wants short keys.

    Raises:
        Refused: no JSON array of objects, or a part that is missing or unknown.
    """
    try:
        parts = msgspec.json.decode(message, type=list[dict[str, Any]])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Refused("WRONG_FORMAT", _FORMAT) from None
    if not any(isinstance(part.get("ticket"), str) and part["ticket"] for part in parts):
        raise Refused("NO_TICKET", "티켓이 존재하지 않거나, 유효하지 않습니다.")
    typed = [part for part in parts if "type" in part]
    if not typed:
        # the documentation names NO_TYPE, the wire answered this
        raise Refused("WRONG_FORMAT", _FORMAT)
    # a format that is not known is passed over
    short = any(part.get("format") == "SIMPLE" for part in parts)
    return [wanted for part in typed for wanted in _wanted(part)], short


def _wanted(part: dict[str, Any]) -> list[Wanted]:
    kind = part["type"]
    if kind not in _TYPES:
        raise Refused("INVALID_PARAM", f"{kind} 은 지원하지 않는 타입입니다.")
    if "codes" not in part:
        raise Refused("NO_CODES", "codes 필드가 존재하지 않습니다.")
    codes = part["codes"]
    if codes == []:
        raise Refused("INVALID_PARAM", "codes 필드가 비어 있습니다.")
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        raise Refused("WRONG_FORMAT", _FORMAT)
    if kind == "orderbook" and part.get("level", 1) not in {1, "1"}:
        # groupings are not simulated; those that a market does not have are answered so
        raise Refused("WRONG_FORMAT", _FORMAT)
    # only the camel-case names do anything, whatever the documentation's prose says
    no_realtime = part.get("isOnlySnapshot") is True
    no_snapshot = part.get("isOnlyRealtime") is True
    wanted = []
    for code in codes:
        name, _, suffix = code.partition(".")
        depth = 0
        if kind == "orderbook":
            depth = min(LEVELS, int(suffix)) if suffix.isdecimal() and int(suffix) else LEVELS
        wanted.append(Wanted(kind, name, depth, not no_snapshot or no_realtime, not no_realtime))
    return wanted
