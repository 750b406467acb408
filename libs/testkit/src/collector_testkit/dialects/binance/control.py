"""Binance's control frames: what a client asks and how it is answered.

https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

__all__ = ["Call", "Refused", "acknowledge", "read_call"]

METHODS: Final = (
    *("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS"),
    *("SET_PROPERTY", "GET_PROPERTY"),
)
RequestId: TypeAlias = int | str | None


class Refused(Exception):
    """The client's message is not one of the protocol; its text is the error frame."""

    def __init__(self, code: int, message: str, request_id: RequestId = None) -> None:
        super().__init__(message)
        answer: dict[str, Any] = {"code": code, "msg": message}
        if request_id is not None:
            answer["id"] = request_id
        self.frame = msgspec.json.encode(answer)


class Call(NamedTuple):
    """A control frame that has the right form."""

    method: str
    params: list[Any]
    id: RequestId


def read_call(message: str | bytes) -> Call:
    """Return what a client asks.

    Raises:
        Refused: not JSON, no or an unknown method, or parameters of another type.
    """
    try:
        call = msgspec.json.decode(message)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Refused(3, "Invalid JSON: expected value at line 1 column 1") from None
    # positions in the exchange's texts are those of its own parser; ours names the end
    where = f"at line 1 column {len(message)}"
    if not isinstance(call, dict):
        raise Refused(2, f"Invalid request: expected an object {where}")
    request_id = call.get("id")
    if isinstance(request_id, bool) or not isinstance(request_id, int | str | None):
        raise Refused(2, "Invalid request: request ID must be an integer, a string or null")
    if isinstance(request_id, str) and not (request_id.isalnum() and len(request_id) <= 36):
        raise Refused(2, "Invalid request: request ID must be alphanumeric, up to 36 characters")
    method = call.get("method")
    if method is None:
        raise Refused(2, f"Invalid request: missing field `method` {where}", request_id)
    if method not in METHODS:
        known = ", ".join(f"`{name}`" for name in METHODS)
        text = f"Invalid request: unknown variant {method}, expected one of {known} {where}"
        raise Refused(2, text, request_id)
    params = call.get("params", [])
    if not isinstance(params, list):
        raise Refused(2, f"Invalid request: params must be an array {where}", request_id)
    return Call(method, _checked(method, params, request_id), request_id)


def _checked(method: str, params: list[Any], request_id: RequestId) -> list[Any]:
    if method in {"SUBSCRIBE", "UNSUBSCRIBE"}:
        if not all(isinstance(name, str) for name in params):
            text = "Invalid request: stream name must be a string"
            raise Refused(2, text, request_id)
    elif method in {"SET_PROPERTY", "GET_PROPERTY"}:
        wanted = 2 if method == "SET_PROPERTY" else 1
        if len(params) > wanted:
            raise Refused(2, "Invalid request: too many parameters", request_id)
        if not params or not isinstance(params[0], str):
            raise Refused(2, "Invalid request: property name must be a string", request_id)
        if params[0] != "combined":
            raise Refused(0, "Unknown property", request_id)
        if wanted == 2 and (len(params) < 2 or not isinstance(params[1], bool)):
            raise Refused(1, "Invalid value type: expected Boolean", request_id)
    return params


def acknowledge(request_id: RequestId, result: object = None) -> bytes:
    """Return the answer to a call that was done."""
    return msgspec.json.encode({"result": result, "id": request_id})
