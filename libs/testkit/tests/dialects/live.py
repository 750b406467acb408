"""A rig with what every exchange's sessions are compared with: the truth and the engine's books."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from collector_core.book import OrderBook
from collector_core.events import Book, Candle, Level, Status, Ticker, Trade
from collector_core.numbers import exact
from collector_feed.outputs import Disconnect, Page, Send, Subscription, Undecodable
from collector_feed.outputs import Request as RestRequest
from collector_feed.session import Session
from collector_testkit.dialects import Request
from collector_testkit.dialects.dialect import Levels
from collector_testkit.faults import Fault
from collector_testkit.market.listing import SCALE
from collector_testkit.rig import Rig
from collector_testkit.truth import TruthFault, TruthTrade

SECOND = 1_000_000
MINUTE = 60 * SECOND


class Live(Rig):
    """An exchange, its sessions, and everything that either said.

    Args:
        exchange: which one.
        channels: of each symbol; None for all that are pushed.
        more: symbols that sessions want and the exchange does not have, to its spelling.
        options: as of ``Rig``.
    """

    def __init__(
        self,
        exchange: str,
        channels: Sequence[str] | None = None,
        *,
        more: dict[str, str] | None = None,
        rate: float = 30.0,
        **options: Any,  # noqa: ANN401  # the rig's own
    ) -> None:
        super().__init__(exchange, 7, channels=(), rate=rate, **options)
        pushed = [name for name, channel in self.spec.channels.items() if channel.stream]
        intervals = self.spec.channels["candle"].intervals
        self.interval = "1m" if "1m" in intervals else next(iter(intervals), "")
        self.channels = list(pushed if channels is None else channels)
        self.more = dict(more or {})
        for symbol, theirs in self.more.items():
            self._table.add(symbol, theirs)
        self.wanted = [
            self.stream(channel, symbol)
            for symbol in (*self.symbols, *self.more)
            for channel in self.channels
        ]
        self.asked = self.adapter(self._table)

    @property
    def spec(self) -> Any:  # noqa: ANN401  # a Spec
        return self.adapter.spec

    @property
    def session(self) -> Session:
        """The session of an exchange that needs one alone."""
        (link,) = self.links
        return link.session

    def stream(self, channel: str, symbol: str) -> Subscription:
        return Subscription(channel, symbol, self.interval if channel == "candle" else "")

    # --- what happens --------------------------------------------------------------------------

    def begin(self) -> None:
        """Start, and run until every stream flows that can."""
        self.start()
        self.run(12)
        flowing = self.states()
        for channel in self.channels:
            assert flowing[channel, "subscribed"] == len(self.symbols), channel

    def forget_statuses(self) -> None:
        """Forget what was said of the streams so far."""
        self.rows = [row for row in self.rows if not isinstance(row, Status)]

    def settle(self) -> None:
        """Let the market stand still until everything that was sent has arrived."""
        self.venue.market.set_rate(0.0)
        self.run(3)

    def fault(self, kind: Any, seconds: float = 0.0, **aim: Any) -> None:  # noqa: ANN401  # a FaultKind
        """Do a fault, and let time pass."""
        self.act(self.venue.start(Fault(kind, **aim)))
        self.run(seconds)

    def subscribe(self, *wanted: Subscription) -> None:
        link = self.links[0]
        self.carry(link, link.session.subscribe(wanted, self.time.monotonic))

    def unsubscribe(self, *wanted: Subscription) -> None:
        link = self.links[0]
        self.carry(link, link.session.unsubscribe(wanted, self.time.monotonic))

    def ask(self, request: RestRequest[Any]) -> Any:  # noqa: ANN401  # of whatever is asked
        reply = self.venue.request(Request(request.path, dict(request.query)))
        assert reply.status == 200, reply.body
        return request.parse(reply.body, self.time.wall)

    def pages(self, request: RestRequest[Page[Any]]) -> list[Any]:
        """Return all rows of a history in order, each once: pages may overlap."""
        rows: dict[str, Any] = {}
        more: RestRequest[Page[Any]] | None = request
        while more is not None:
            page = self.ask(more)
            rows.update((row.id, row) for row in page.rows)
            more = page.more
        return sorted(rows.values(), key=lambda row: row.exchange_time)

    # --- what was said -------------------------------------------------------------------------

    def states(self) -> Counter[tuple[str, str]]:
        return Counter((row.channel, row.state) for row in self.of(Status))

    def said(self, *states: str) -> list[Status]:
        return [row for row in self.of(Status) if row.state in states]

    def sent(self) -> list[Any]:
        """Messages of the sessions: read, where they are JSON."""
        texts = [send.text for send in self.of(Send)]
        return [json.loads(text) if text[:1] in "[{" else text for text in texts]

    def assert_calm(self) -> None:
        """Nothing was unreadable, and no connection was left."""
        assert [*self.of(Undecodable), *self.of(Disconnect)] == []

    # --- compared with the exchange --------------------------------------------------------------

    def assert_trades(self) -> None:
        """From the first row on, each trade is one row, in order, with its digits."""
        for symbol in self.symbols:
            rows = [told(row) for row in self.of(Trade, symbol)]
            facts = [told(fact) for fact in self.trades(symbol)]
            assert rows, symbol
            assert rows == facts[facts.index(rows[0]) :], symbol

    def assert_no_trade_twice(self) -> None:
        """Each trade since the first row is one row at most; one that is none is in a gap row."""
        for symbol in self.symbols:
            rows = [content(row) for row in self.of(Trade, symbol)]
            facts = [content(fact) for fact in self.trades(symbol)]
            missing = Counter(facts[facts.index(rows[0]) :])
            missing.subtract(rows)
            assert min(missing.values()) >= 0, symbol
            gaps = [r for r in self.said("gap") if (r.symbol, r.channel) == (symbol, "trade")]
            assert gaps or not max(missing.values()), symbol

    def books(self) -> dict[str, tuple[Levels, Levels]]:
        """Books of the exchange by symbol, as deep as they are subscribed."""
        depth = self.spec.book_depth
        return {s: self.venue.dialect.shown(s, depth) for s in self.symbols}

    def assert_books(self) -> None:
        """What a reader of the rows holds, and what sessions hold, is the exchange's book."""
        kept = {s: stream for link in self.links for s, stream in link.session.pipeline.books()}
        for symbol, shown in self.books().items():
            reader = OrderBook()
            for row in self.of(Book, symbol):
                if row.kind == "snapshot":
                    assert not row.truncated
                    reader.replace(row.bids, row.asks)
                else:
                    reader.apply(row.bids, row.asks)
            assert units(reader.depth(10_000)) == shown, symbol
            if self.spec.book_rule != "whole":
                assert kept[symbol].state == "live"
                assert units(kept[symbol].book.depth(10_000)) == shown, symbol

    def assert_tickers(self) -> None:
        """The last ticker has the last trade's price and the sum of the day."""
        for symbol in self.symbols:
            ticker, own = self.of(Ticker, symbol)[-1], self.venue.market.symbols[symbol]
            day = own.tape.day(self.venue.now)
            assert day is not None
            assert Decimal(ticker.last or 0) == own.tape.newest(1)[0].price * Decimal(
                own.listing.tick
            )
            assert Decimal(ticker.volume or 0) == day.volume * Decimal(own.listing.step)

    def assert_fold(self, row: Candle) -> None:
        """A candle is the fold of the trades that were in it."""
        inside = [
            fact
            for fact in self.trades(row.symbol)
            if row.open_time <= fact.exchange_time < row.close_time
        ]
        prices = [Decimal(fact.price) for fact in inside]
        found = [Decimal(number) for number in (row.open, row.high, row.low, row.close)]
        assert found == [prices[0], max(prices), min(prices), prices[-1]]
        assert Decimal(row.volume) == sum(Decimal(fact.amount) for fact in inside)
        assert row.trade_count in {None, len(inside)}

    def struck(self) -> Counter[str]:
        """How often a fault of each kind was done."""
        return Counter(record.kind for record in self.truth if isinstance(record, TruthFault))


@lru_cache(maxsize=1 << 16)
def _units(text: str) -> int:
    return SCALE.units(exact(text))


def units(book: Iterable[Sequence[Level]]) -> tuple[Levels, Levels]:
    """Return bids and asks in units of 10**-8."""
    bids, asks = ([(_units(price), _units(amount)) for price, amount in side] for side in book)
    return bids, asks


def told(trade: Trade | TruthTrade) -> tuple[object, ...]:
    """Return what is told of a trade, with its digits."""
    return trade.id, trade.price, trade.amount, trade.side, trade.exchange_time


def content(trade: Trade | TruthTrade) -> tuple[object, ...]:
    """Return what REST and the stream say alike of a trade; some cut its time to milliseconds."""
    time = (trade.exchange_time or 0) // 1000
    return time, Decimal(trade.price), Decimal(trade.amount), trade.side
