"""The conformance suite's cases: whatever stands in the folder of each exchange that is found.

A folder holds ``symbols.json``, ``frames.json`` (frames by hand with the outputs they give),
``wrong.json`` (texts that are no frames), ``subscribe.json``, ``rest.json`` (calls, requests,
answers by hand and their rows) and ``rest-wrong.json``.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

import msgspec

from collector_core.symbols import SymbolTable
from collector_exchanges.discovery import adapter as adapter_of
from collector_feed.adapter import Adapter
from collector_feed.outputs import Mark, Page, Request

FOLDER: Final = Path(__file__).parent
RECEIVE_TIME: Final = 1_790_134_742_500_123
"""The receive time in all golden rows."""

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Row: TypeAlias = dict[str, Any]


class Symbols(msgspec.Struct):
    """Our spelling to theirs, and texts that are no symbol of theirs."""

    pairs: dict[str, str]
    unreadable: list[str]


class Case(msgspec.Struct, kw_only=True):
    """What every case has; the exchange is that of its folder."""

    name: str
    exchange: str = ""


class FrameCase(Case):
    """A frame, as its very text, and what it says."""

    channel: str
    frame: msgspec.Raw
    outputs: list[Row]


class WrongCase(Case):
    """A text that is no frame of the exchange."""

    frame: str


class Sent(msgspec.Struct):
    """A message; ``adds`` are channel, symbol and interval of what it subscribes."""

    text: Any
    request_id: int | None
    adds: list[tuple[str, str, str]]


class SubscribeCase(Case):
    """A change of subscriptions and the messages that make it."""

    held: list[tuple[str, str, str]]
    add: list[tuple[str, str, str]]
    remove: list[tuple[str, str, str]]
    sent: list[Sent]


class Further(msgspec.Struct, forbid_unknown_fields=True):
    """The request for what a page left."""

    path: str
    query: list[tuple[str, str]]


class RestCase(Case):
    """A call of the adapter, the request it gives, an answer and its rows."""

    call: str
    arguments: dict[str, Any]
    path: str
    query: list[tuple[str, str]]
    weight: int
    answer: msgspec.Raw
    rows: list[Row]
    more: Further | None = None


class WrongAnswerCase(Case):
    """A call of the adapter and an answer that is none."""

    call: str
    arguments: dict[str, Any]
    answer: msgspec.Raw


AnyCase = TypeVar("AnyCase", bound=Case)


def load(exchange: str, file: str, kind: type[AnyCase]) -> list[AnyCase]:
    """Return the cases of a file."""
    body = (FOLDER / exchange / file).read_bytes()
    cases: list[AnyCase] = msgspec.json.decode(body, type=list[kind])  # type: ignore[valid-type]  # a type chosen at run time
    for case in cases:
        case.exchange = exchange
    return cases


def symbols_of(exchange: str) -> Symbols:
    """Return an exchange's symbols."""
    return msgspec.json.decode((FOLDER / exchange / "symbols.json").read_bytes(), type=Symbols)


def make_adapter(exchange: str) -> Adapter:
    """Return a fresh adapter as a live connection has it: with symbols by catalogue."""
    kind = adapter_of(exchange)
    return kind(SymbolTable(symbols_of(exchange).pairs.items()))


def request_of(case: RestCase | WrongAnswerCase) -> Request[object]:
    """Return the request of a call."""
    arguments = {
        name: msgspec.convert(value, Mark) if name in {"after", "before"} else value
        for name, value in case.arguments.items()
    }
    request: Request[object] = getattr(make_adapter(case.exchange), case.call)(**arguments)
    return request


def rows_of(case: RestCase) -> list[msgspec.Struct]:
    """Return the rows of a call's golden answer."""
    answer = request_of(case).parse(bytes(case.answer), RECEIVE_TIME)
    if isinstance(answer, Page):
        answer = answer.rows
    rows: list[Any] = answer if isinstance(answer, list) else [answer]
    assert all(isinstance(row, msgspec.Struct) for row in rows)
    return rows


def plain(outputs: Iterable[object]) -> list[Row]:
    """Return outputs as JSON values, with a ``type`` in each."""
    rows = []
    for output in outputs:
        fields = msgspec.json.decode(msgspec.json.encode(output), type=dict[str, Any])
        for field in ("checksum", "subscriptions"):
            if not fields.get(field, True):
                # most exchanges have no such thing
                del fields[field]
        rows.append({"type": type(output).__name__, **fields})
    return rows
