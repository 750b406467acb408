"""OKX's control frames: what a client asks and how it is answered.

https://www.okx.com/docs-v5/en/ (WebSocket, Subscribe, Unsubscribe, Notification)
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

import msgspec

__all__ = ["BARS", "Arg", "Call", "Refused", "answer", "missing", "notice", "read_call"]

BARS: Final = {
    **{bar: bar for bar in ("1s", "1m", "3m", "5m", "15m", "30m")},
    **{f"{hours}H": f"{hours}h" for hours in (1, 2, 4)},
    **{f"{hours}Hutc": f"{hours}h" for hours in (6, 12)},
    "1Dutc": "1d",
    "1Wutc": "1w",
    "1Mutc": "1M",
}
"""Names of the intervals that open by UTC, with ours."""
MAX_BYTES: Final = 65_536
_ID: Final = re.compile(r"[A-Za-z0-9]{1,32}").fullmatch


class Refused(Exception):
    """A message is not one of the protocol; ``fields`` are those of the error frame."""

    def __init__(self, code: str, message: str, request_id: str | None = None) -> None:
        super().__init__(message)
        named = {} if request_id is None else {"id": request_id}
        self.fields = {**named, "event": "error", "code": code, "msg": message}


class Arg(NamedTuple):
    """A stream that a client names."""

    channel: str
    instrument: str


class Call(NamedTuple):
    """A control frame that has the right form."""

    op: str
    args: list[Arg]
    id: str | None


def read_call(message: str | bytes) -> Call:
    """Return what a client asks.

    Raises:
        Refused: not JSON, no or an unknown operation, or arguments of another form.
    """
    text = message if isinstance(message, str) else message.decode("utf-8", "replace")
    wrong = f"Invalid request: {text}"
    try:
        call = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        raise Refused("60012", wrong) from None
    if not isinstance(call, dict) or len(text) > MAX_BYTES:
        raise Refused("60012", wrong)
    request_id = call.get("id")
    if request_id is not None and not (isinstance(request_id, str) and _ID(request_id)):
        raise Refused("60012", wrong)
    op, args = call.get("op"), call.get("args")
    if op not in {"subscribe", "unsubscribe"} or not isinstance(args, list) or not args:
        raise Refused("60012", wrong, request_id)
    if not all(isinstance(arg, dict) and isinstance(arg.get("channel"), str) for arg in args):
        raise Refused("60013", "Invalid args", request_id)
    return Call(op, [Arg(arg["channel"], str(arg.get("instId", ""))) for arg in args], request_id)


def answer(event: str, arg: Arg, request_id: str | None, connection: str) -> bytes:
    """Return the answer to one subscription or its end."""
    fields: dict[str, Any] = {} if request_id is None else {"id": request_id}
    fields["event"] = event
    fields["arg"] = {"channel": arg.channel, "instId": arg.instrument}
    return msgspec.json.encode({**fields, "connId": connection})


def missing(arg: Arg, connection: str) -> bytes:
    """Return the refusal of a stream that there is not, or not at this URL; it has no id."""
    text = (
        f"Wrong URL or channel:{arg.channel},instId:{arg.instrument} doesn't exist. Please use "
        "the correct URL, channel and parameters referring to API document."
    )
    fields = {"event": "error", "msg": text, "code": "60018", "connId": connection}
    return msgspec.json.encode(fields)


def notice(connection: str) -> bytes:
    """Return the announcement of a close, 60 seconds before it."""
    text = "The connection will soon be closed for a service upgrade. Please reconnect."
    fields = {"event": "notice", "code": "64008", "msg": text, "connId": connection}
    return msgspec.json.encode(fields)
