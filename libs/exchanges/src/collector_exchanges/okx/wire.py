"""OKX's messages, field for field; names are theirs.

https://www.okx.com/docs-v5/en/ (WebSocket, Order Book Trading / Market Data)
Only fields that we read are named; msgspec passes over the others. Nearly every value is a text,
times and ids among them, and an empty text stands for none. Data are decoded with ``LAX``, so that
a time or an id is read out of its text.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from collector_feed.fields import Count, Millis

__all__ = [
    "LAX",
    "Answer",
    "Arg",
    "Book",
    "Candle",
    "Info",
    "Level",
    "OldBook",
    "Push",
    "RestBook",
    "Ticker",
    "Trade",
]

LAX: Final = False
"""``strict`` of the decoders of data: ``"1630048897897"`` is a number."""


class Arg(msgspec.Struct, frozen=True, gc=False):
    """Which stream; other parameters than these are of channels that we do not subscribe to."""

    channel: str
    instId: str = ""  # noqa: N815  # the exchange's name


class Push(msgspec.Struct, frozen=True, gc=False):
    """Every frame: data (``arg``, ``data``, for books ``action``), or an ``event``.

    ``data`` is decoded by the channel, at once: a ``Raw`` is a view of the frame.
    """

    arg: Arg | None = None
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    action: str = ""
    event: str = ""
    id: Annotated[str, msgspec.Meta(max_length=32)] | None = None
    code: str = ""
    msg: str = ""


class Trade(msgspec.Struct, frozen=True, gc=False):
    """``trades-all``, ``trades`` and both REST lists; ``side`` is the taker's.

    ``count`` stands where the fills of one taker order at one price were put together.
    """

    tradeId: Count  # noqa: N815  # the exchange's name
    px: str
    sz: str
    side: Literal["buy", "sell"]
    ts: Millis
    count: Count | None = None


class Ticker(msgspec.Struct, frozen=True, gc=False):
    """``tickers``: 24 hours and the touch; for spot ``volCcy24h`` is in the quote currency."""

    last: str
    askPx: str  # noqa: N815  # the exchange's name
    askSz: str  # noqa: N815  # the exchange's name
    bidPx: str  # noqa: N815  # the exchange's name
    bidSz: str  # noqa: N815  # the exchange's name
    open24h: str
    high24h: str
    low24h: str
    volCcy24h: str  # noqa: N815  # the exchange's name
    vol24h: str
    ts: Millis


class Level(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A level; what follows is a zero of old times and the number of orders."""

    px: str
    sz: str


class Book(msgspec.Struct, frozen=True, gc=False):
    """``books``; ``prevSeqId`` of a snapshot is -1. ``checksum`` is always 0 since 2026-06."""

    asks: list[Level]
    bids: list[Level]
    ts: Millis
    seqId: Count  # noqa: N815  # the exchange's name
    prevSeqId: Annotated[int, msgspec.Meta(ge=-1, le=2**63 - 1)]  # noqa: N815  # the exchange's name


class OldBook(msgspec.Struct, frozen=True, gc=False):
    """``books-l2-tbt`` of recordings from before there were numbers."""

    asks: list[Level]
    bids: list[Level]
    ts: Millis


class Candle(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A row of ``candle<bar>`` and of both REST lists; ``ts`` is when it opened."""

    ts: Annotated[int, msgspec.Meta(ge=0, le=9_000_000_000_000)]
    """As ``Millis``, less what the longest interval may add."""
    o: str
    h: str
    l: str  # noqa: E741  # the exchange's name of the low
    c: str
    vol: str
    volCcy: str  # noqa: N815  # the exchange's name
    volCcyQuote: str  # noqa: N815  # the exchange's name
    confirm: Literal["0", "1"]


class Answer(msgspec.Struct, frozen=True):
    """Every answer of REST; any ``code`` but 0 is an error, also with HTTP status 200."""

    code: str
    msg: str
    data: msgspec.Raw = msgspec.Raw(b"")
    """Errors may have none."""


class Info(msgspec.Struct, frozen=True):
    """An item of ``GET /api/v5/public/instruments``."""

    instId: str  # noqa: N815  # the exchange's name
    baseCcy: str  # noqa: N815  # the exchange's name
    quoteCcy: str  # noqa: N815  # the exchange's name
    tickSz: str  # noqa: N815  # the exchange's name
    lotSz: str  # noqa: N815  # the exchange's name
    minSz: str  # noqa: N815  # the exchange's name
    state: str


class RestBook(msgspec.Struct, frozen=True):
    """The item of ``GET /api/v5/market/books``; older answers have no number."""

    asks: list[Level]
    bids: list[Level]
    ts: Millis
    seqId: Count | None = None  # noqa: N815  # the exchange's name
