"""Bybit's control frames: what a client asks and how it is answered.

https://bybit-exchange.github.io/docs/v5/ws/connect; texts of refusals as clients have met them.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec

__all__ = ["MAX_ARGS", "MAX_CHARACTERS", "Call", "Refused", "answer", "read_call"]

MAX_ARGS: Final = 10
"""Topics of one message on the spot market."""
MAX_CHARACTERS: Final = 21_000
"""Of all topics of a connection."""
_OPS: Final = ("subscribe", "unsubscribe", "ping")


class Call(NamedTuple):
    """A control frame that has the right form."""

    op: str
    topics: list[str]
    request_id: str | None


class Refused(Exception):
    """What a client asks is not done; its text is the ``ret_msg``."""

    def __init__(self, text: str, op: str = "", request_id: str | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.op = op
        self.request_id = request_id

    def frame(self, connection: int) -> bytes:
        """Return the answer."""
        call = Call(self.op, [], self.request_id)
        return answer(connection, call, self.text, success=False)


def answer(connection: int, call: Call, text: str, *, success: bool = True) -> bytes:
    """Return the answer to a call; ``req_id`` stands in it only if the call had one."""
    told: dict[str, Any] = {"success": success, "ret_msg": text}
    told["conn_id"] = f"d9avt8shteepr00gfc1g-{connection}"
    if call.request_id is not None:
        told["req_id"] = call.request_id
    told["op"] = call.op
    # the exchange escapes what HTML would misread: "args size \u003e10"
    return msgspec.json.encode(told).replace(b">", b"\\u003e")


def read_call(message: str | bytes) -> Call:
    """Return what a client asks.

    Raises:
        Refused: not JSON, no or an unknown op, or arguments of another type or number.
    """
    try:
        call = msgspec.json.decode(message)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Refused("Failed to decode incoming data:readObjectStart: expect { or n") from None
    if not isinstance(call, dict):
        raise Refused("Failed to decode incoming data:readObjectStart: expect { or n")
    request_id = call.get("req_id")
    if request_id is not None and not isinstance(request_id, str):
        raise Refused("Failed to decode incoming data:req_id: ReadString: expects a string")
    op = call.get("op")
    if op not in _OPS:
        raise Refused("error:invalid op", str(op or ""), request_id)
    topics = call.get("args") or []
    if not isinstance(topics, list) or not all(isinstance(topic, str) for topic in topics):
        raise Refused("error:request args invalid", op, request_id)
    if op != "ping" and not topics:
        raise Refused("error:request args is empty", op, request_id)
    if len(topics) > MAX_ARGS:
        raise Refused(f"args size >{MAX_ARGS}", op, request_id)
    return Call(op, topics, request_id)
