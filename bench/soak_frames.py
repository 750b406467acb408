"""A minute of an exchange's frames, to be sent again and again with ids and times moved on.

A market of a few model symbols runs once, beforehand. Each frame becomes a template: its times,
ids and numbers are places, so that the next round of it goes on where the last one ended. A book
of deltas ends a round with one more delta that leads back to where the round began; so updates
stay without a hole and the book is right for as long as the rounds go on. Symbols under load
borrow the frames of a model; their names are as long as its name, so frames differ in it alone.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import msgspec
from bench.processes import Failed

from collector_core.book import OrderBook
from collector_core.events import Level
from collector_core.symbols import SymbolTable
from collector_exchanges.discovery import adapter as adapter_of
from collector_feed.outputs import BookDelta, BookSnapshot, Subscription
from collector_testkit.dialects import Action, Delivery, Request, load
from collector_testkit.dialects.venue import Venue

__all__ = ["BEGIN", "CHANNELS", "QUOTES", "ROUND", "Round", "Template", "name", "record"]

CHANNELS: Final = ("trade", "ticker", "book", "candle")
QUOTES: Final = {"binance": "USDT", "upbit": "KRW"}
ROUND: Final = 60_000_000
"""Microseconds of a round: whole minutes, so that candles go on as they should."""
BEGIN: Final = 1_795_305_600_000_000
"""When the recorded minute begins: any whole minute, in microseconds."""
_PAST: Final = 30_000_000
_STEP: Final = 250_000

# a time in milliseconds, Upbit's id (the millisecond times 10,000 and a count), the opening of a
# candle as text, a trade's id, and the first and last update of a delta
_PLACES: Final = re.compile(
    rb'(?<=:)(?P<time>1[78]\d{11})(?=[,}])|(?<="sequential_id":)(?P<stamp>\d{17})'
    rb'|(?<="candle_date_time_utc":")(?P<text>[^"]+)'
    rb'|(?<="t":)(?P<trade>\d+)(?=,"p")|(?<="[Uu]":)(?P<update>\d+)'
)


class Template(NamedTuple):
    """One frame of a model symbol, cut at what changes from round to round."""

    offset: int
    """Microseconds after the beginning of the round."""
    channel: str
    model: int
    pieces: tuple[bytes, ...]
    places: tuple[tuple[str, int], ...]
    """Kind and recorded value of what stands between the pieces."""

    def frame(self, times: int, trades: int, updates: int) -> bytes:
        """Return the payload, moved by whole milliseconds, trades and updates."""
        out = [self.pieces[0]]
        for (kind, value), piece in zip(self.places, self.pieces[1:], strict=True):
            if kind == "time":
                moved = b"%d" % (value + times)
            elif kind == "stamp":
                moved = b"%d" % (value + times * 10_000)
            elif kind == "trade":
                moved = b"%d" % (value + trades)
            elif kind == "update":
                moved = b"%d" % (value + updates)
            else:
                at = datetime.fromtimestamp(value, UTC) + timedelta(milliseconds=times)
                moved = at.strftime("%Y-%m-%dT%H:%M:%S").encode()
            out.append(moved)
            out.append(piece)
        return b"".join(out)


class Round(NamedTuple):
    """What is sent in a minute, by model symbols."""

    exchange: str
    templates: list[Template]
    """In order of their offsets."""
    names: list[bytes]
    """The models' names on the wire."""
    trades: list[int]
    """Trades of each model in a round, by which ids move on."""
    updates: list[int]
    """Updates of each model's book in a round."""
    books: list[tuple[int, list[Level], list[Level]]]
    """Each model's book at the beginning: last update, bids, asks; empty for whole books."""

    def moves(self, model: int, number: int, times: int) -> tuple[int, int, int]:
        """Return by what a model's templates are moved in round ``number``."""
        return times, number * self.trades[model], number * self.updates[model]

    def snapshot(self, model: int, number: int, place: int) -> bytes:
        """Return a model's book as REST tells it, before the template at ``place`` of a round."""
        last, bids, asks = self.books[model]
        book = OrderBook()
        book.replace(bids, asks)
        adapter = adapter_of(self.exchange)(_table(self.exchange, [self.names[model]]))
        for template in self.templates[:place]:
            if template.model == model and template.channel == "book":
                for delta in adapter.on_frame(template.frame(0, 0, 0), None):
                    if isinstance(delta, BookDelta):
                        book.apply(delta.bids, delta.asks)
                        last = delta.last
        shown = book.depth(5_000)
        number_now = last + number * self.updates[model]
        return msgspec.json.encode({"lastUpdateId": number_now, "bids": shown[0], "asks": shown[1]})


def name(number: int, exchange: str) -> str:
    """Return the symbol of a number: all names are of one length; models are below zero."""
    base = f"S{number:04}" if number >= 0 else f"M{-number - 1:04}"
    return f"{base}/{QUOTES[exchange]}"


def record(exchange: str, models: int, each: float, rate: float) -> Round:
    """Let a market run for a minute; return frames of which each symbol gets ``each`` a second.

    Args:
        exchange: whose frames.
        models: symbols of the market.
        each: frames a second of each symbol, all channels together.
        rate: actions a second on each symbol; has to be enough for ``each``.

    Raises:
        Failed: the market made too few frames, or a book that does not lead back to itself.
    """
    symbols = [name(-1 - number, exchange) for number in range(models)]
    venue = Venue(
        load(exchange), random.Random(11), BEGIN - _PAST, symbols=symbols, rate=rate
    )  # fmt: skip
    names = [venue.dialect.to_venue(symbol).encode() for symbol in symbols]
    adapter = adapter_of(exchange)(_table(exchange, names))
    venue.open(1, Request(venue.dialect.websocket_path))
    wanted = [
        Subscription(channel, symbol, "1m" if channel == "candle" else "")
        for symbol in symbols
        for channel in CHANNELS
    ]
    for message, _ in adapter.change([], wanted, []):
        venue.receive(1, message.text)
    venue.advance(BEGIN)
    deltas = adapter.spec.book_rule != "whole"
    books = [_book(venue, exchange, symbol) for symbol in symbols] if deltas else []
    found: list[Template] = []
    while venue.now < BEGIN + ROUND:
        # frames are stamped when they were made, as finely as the market is let go on
        actions = venue.advance(venue.now + _STEP)
        found.extend(_templates(actions, symbols, venue.now - BEGIN - _STEP))
    ends = [_book(venue, exchange, symbol) for symbol in symbols] if deltas else []
    templates = _thinned(found, exchange, round(each * models * ROUND / 1e6) - len(books))
    updates = [0] * models
    for model, (begin, end) in enumerate(zip(books, ends, strict=True)):
        templates.append(_return(exchange, names[model], model, begin, end))
        updates[model] = end[0] + 1 - begin[0]
    templates.sort(key=lambda template: template.offset)
    numbered, trades = _numbered(templates, models)
    return Round(exchange, numbered, names, trades, updates, books)


def _table(exchange: str, names: Iterable[bytes]) -> SymbolTable:
    read = adapter_of(exchange).read_symbol
    return SymbolTable((read(wire.decode()), wire.decode()) for wire in names)


def _book(venue: Venue, exchange: str, symbol: str) -> tuple[int, list[Level], list[Level]]:
    table = _table(exchange, [venue.dialect.to_venue(symbol).encode()])
    request = adapter_of(exchange)(table).book(symbol)
    # each from an address of its own: what a recording asks for is no load
    path = Request(request.path, dict(request.query), client=symbol)
    answer = request.parse(venue.request(path).body, None)
    if not isinstance(answer, BookSnapshot) or answer.last is None:
        raise Failed(f"expected a numbered book of {symbol}, was {answer!r}")
    return answer.last, answer.bids, answer.asks


def _templates(actions: list[Action], symbols: list[str], begin: int) -> list[Template]:
    """Cut what was sent in one step; the frames of a step are spread over it."""
    frames = [a for a in actions if isinstance(a, Delivery) and a.symbol]
    out = []
    for place, frame in enumerate(frames):
        offset = begin + place * _STEP // len(frames)
        pieces, places, last = [], [], 0
        for match in _PLACES.finditer(frame.payload):
            kind = match.lastgroup or ""
            text = match.group()
            pieces.append(frame.payload[last : match.start()])
            value = int(text) if kind != "text" else _second(text)
            places.append((kind, value))
            last = match.end()
        pieces.append(frame.payload[last:])
        model = symbols.index(frame.symbol)
        out.append(Template(offset, frame.channel, model, tuple(pieces), tuple(places)))
    return out


def _second(text: bytes) -> int:
    return int(datetime.fromisoformat(text.decode()).replace(tzinfo=UTC).timestamp())


def _thinned(found: list[Template], exchange: str, count: int) -> list[Template]:
    """Leave frames out, evenly, of which nothing else depends."""
    spec = adapter_of(exchange).spec
    free = {"trade", "ticker", "candle", "book"} if spec.book_rule == "whole" else {"trade"}
    fixed = sum(template.channel not in free for template in found)
    loose, wanted = len(found) - fixed, count - fixed
    if not 0 < wanted <= loose:
        raise Failed(f"expected {fixed} to {len(found)} frames of {exchange} a minute, was {count}")
    out, credit = [], 0
    for template in found:
        if template.channel in free:
            credit += wanted
            if credit < loose:
                continue
            credit -= loose
        out.append(template)
    return out


def _return(
    exchange: str,
    wire: bytes,
    model: int,
    begin: tuple[int, list[Level], list[Level]],
    end: tuple[int, list[Level], list[Level]],
) -> Template:
    """Return the delta that leads from the end of a round to its beginning."""
    if exchange != "binance":
        raise Failed(f"expected an exchange whose deltas can be written here, was {exchange}")
    sides = []
    for before, after in ((begin[1], end[1]), (begin[2], end[2])):
        wanted, there = dict(before), dict(after)
        changed = [(p, a) for p, a in wanted.items() if there.get(p) != a]
        sides.append(changed + [(p, "0.00000000") for p in there if p not in wanted])
    frame = (
        b'{"e":"depthUpdate","E":%d,"s":"%s","U":%d,"u":%d,"b":%s,"a":%s}'
        % (
            (BEGIN + ROUND) // 1000 - 1, wire, end[0] + 1, end[0] + 1,
            msgspec.json.encode(sides[0]), msgspec.json.encode(sides[1]),
        )
    )  # fmt: skip
    symbol = name(-1 - model, exchange)
    made = _templates([Delivery(frame, (1,), channel="book", symbol=symbol)], [symbol], 0)[0]
    return made._replace(offset=ROUND - 1, model=model)


def _numbered(templates: list[Template], models: int) -> tuple[list[Template], list[int]]:
    """Give the trades that are left ids without a hole; return them, and how many there are."""
    counts, out = [0] * models, []
    for template in templates:
        if template.channel == "trade":
            counts[template.model] += 1
            count = counts[template.model]
            places = tuple((k, count if k == "trade" else v) for k, v in template.places)
            template = template._replace(places=places)  # noqa: PLW2901  # the same, renumbered
        out.append(template)
    return out, counts
