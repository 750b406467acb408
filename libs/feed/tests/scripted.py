"""A scripted exchange and the loop that drives a session against it, on a manual clock.

The loop calls ``on_time`` at the very float that ``next_deadline`` names, and fails if a session
asks for the same instant again and again: that is a busy loop in production.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from itertools import count
from typing import TypeVar

from msgspec.structs import replace

from collector_core.errors import CollectorError, RequestError
from collector_core.events import Book, Clock, Event, Level, Status, Trade
from collector_core.symbols import SymbolTable
from collector_exchanges.binance import ADAPTER
from collector_feed.adapter import Adapter
from collector_feed.options import SessionOptions
from collector_feed.outputs import (
    BookSnapshot,
    Connect,
    Disconnect,
    Fetch,
    Output,
    Page,
    Ping,
    Send,
    Subscription,
)
from collector_feed.recent_trades import TradeSeed
from collector_feed.session import Session
from collector_testkit.manual_clock import ManualClock

Kind = TypeVar("Kind")
BTC, ETH, XRP = "BTC/USDT", "ETH/USDT", "XRP/USDT"
_AGAIN = 3
"""Calls of on_time that one instant may need."""


def venue(symbol: str) -> str:
    return symbol.replace("/", "")


def table(more: Iterable[str] = ()) -> SymbolTable:
    return SymbolTable((symbol, venue(symbol)) for symbol in (BTC, ETH, XRP, *more))


class Exchange:
    """One session, what it was told and what it said."""

    def __init__(
        self,
        adapter: Adapter | None = None,
        options: SessionOptions | None = None,
        seeds: dict[str, TradeSeed] | None = None,
        seed: int = 1,
        *,
        history: bool = False,
    ) -> None:
        self.time = ManualClock()
        self.session = Session(
            adapter or ADAPTER(table()),
            "wss://exchange/ws",
            random.Random(seed).random,
            seeds,
            replace(options or SessionOptions(), backfill=history),
        )
        # every trade there was, delivered or not
        self.history: list[Trade] = []
        self.trades_fail = False
        # everything that the session gave out, with the monotonic time
        self.log: list[tuple[float, Output]] = []
        # how the exchange behaves; tests change these at will
        self.accepts = True
        self.acknowledges: Callable[[dict[str, object]], str | None] = acknowledge
        self.answers_pings = True
        self.snapshot: Callable[[str], BookSnapshot | CollectorError] = lambda symbol: book(
            symbol, 100
        )
        self.latency = 0.01
        # what happens later: (monotonic time, order, what)
        self._later: list[tuple[float, int, Callable[[], object]]] = []
        self._order = count()
        # raised with each socket: what was under way on an older one is lost
        self._socket = 0

    # --- driving ---------------------------------------------------------------------------

    def start(self, *subscriptions: Subscription) -> None:
        self.carry(self.session.subscribe(subscriptions, self.time.monotonic))
        self.carry(self.session.start(self.time.monotonic))

    def run(self, seconds: float) -> None:
        """Let time pass, calling on_time at each deadline exactly."""
        end = self.time.monotonic + seconds
        instant, again = -1.0, 0
        while True:
            deadline = self.session.next_deadline()
            planned = self._later[0][0] if self._later else end
            at = min(end, planned, end if deadline is None else deadline)
            if at > self.time.monotonic:
                self.time.advance_to(at)
            if self._later and planned <= self.time.monotonic:
                heappop(self._later)[2]()
            elif deadline is not None and deadline <= self.time.monotonic:
                again = again + 1 if instant == self.time.monotonic else 1
                instant = self.time.monotonic
                assert again <= _AGAIN, f"busy loop: deadline {deadline} is not worked off"
                self.carry(self.session.on_time(self.time.monotonic, self.time.wall))
            elif at >= end:
                return

    def carry(self, outputs: Iterable[Output]) -> None:
        """Do what the session asks for, as the exchange and the driver would."""
        for output in outputs:
            self.log.append((self.time.monotonic, output))
            match output:
                case Connect():
                    self.after(self.latency, self._connect)
                case Disconnect():
                    self._socket += 1
                case Send():
                    reply = self.acknowledges(json.loads(output.text))
                    if reply is not None:
                        self.on_socket(lambda text=reply: self.frame(text))
                case Ping() if self.answers_pings:
                    self.on_socket(lambda: self.session.on_pong(self.time.wall))
                case Fetch():
                    self.after(self.latency, lambda fetch=output: self._answer(fetch))

    def after(self, seconds: float, what: Callable[[], object]) -> None:
        heappush(self._later, (self.time.monotonic + seconds, next(self._order), what))

    def on_socket(self, what: Callable[[], object]) -> None:
        """Do something over the present socket, unless it is gone by then."""
        socket = self._socket
        self.after(self.latency, lambda: what() if socket == self._socket else None)

    def _connect(self) -> None:
        if self.accepts:
            self._socket += 1
            self.carry(self.session.on_connected(self.time.monotonic, self.time.wall))
        else:
            self.closed("refused")

    def _answer(self, fetch: Fetch) -> None:
        names = dict(fetch.request.query)
        symbol = names["symbol"].removesuffix("USDT") + "/USDT"
        answer: BookSnapshot | Page[Trade] | CollectorError = self.snapshot(symbol)
        if fetch.request.path.endswith("rades"):
            answer = self._past(symbol, int(names.get("fromId", 0)))
        self.carry(self.session.on_answer(fetch.token, answer, self.time.monotonic, self.time.wall))

    def _past(self, symbol: str, first: int) -> Page[Trade] | CollectorError:
        if self.trades_fail:
            return RequestError("expected an answer, was silent")
        return Page([t for t in self.history if t.symbol == symbol and int(t.id or 0) >= first])

    # --- what the exchange does ------------------------------------------------------------

    def frame(self, text: str) -> list[Output]:
        rows = self.session.on_frame(text.encode(), self.time.wall)
        self.carry(rows)
        return rows

    def missed(self, symbol: str, ident: int, age: float = 0.0) -> int:
        """Let a trade happen that is not sent; return its time in milliseconds."""
        at = self.time.wall // 1000 - round(age * 1000)
        self.history.append(
            Trade("binance", symbol, at * 1000, None, 0, 0, str(ident), "10.5", "1", "sell")
        )
        return at

    def trade(self, symbol: str, ident: int, age: float = 0.0) -> list[Output]:
        at = self.missed(symbol, ident, age)
        return self.frame(
            f'{{"e":"trade","E":{at},"s":"{venue(symbol)}","t":{ident},"p":"10.5","q":"1",'
            f'"T":{at},"m":true}}'
        )

    def diff(self, symbol: str, first: int, last: int) -> list[Output]:
        return self.frame(
            f'{{"e":"depthUpdate","E":{self.time.wall // 1000},"s":"{venue(symbol)}",'
            f'"U":{first},"u":{last},"b":[["9.5","{last}"]],"a":[]}}'
        )

    def closed(self, reason: str = "gone", **how: object) -> None:
        self._socket += 1
        self.carry(
            self.session.on_closed(reason, self.time.monotonic, self.time.wall, **how)  # type: ignore[arg-type]  # keywords of on_closed
        )

    # --- what the session said -------------------------------------------------------------

    def of(self, kind: type[Kind]) -> list[Kind]:
        return [output for _, output in self.log if isinstance(output, kind)]

    def times_of(self, *kinds: type) -> list[float]:
        return [at for at, output in self.log if isinstance(output, kinds)]

    def messages(self, method: str = "SUBSCRIBE") -> list[list[str]]:
        found = [json.loads(send.text) for send in self.of(Send)]
        return [message["params"] for message in found if message["method"] == method]

    def states(self, symbol: str | None = None, channel: str | None = None) -> list[str]:
        return [
            row.state
            for row in self.of(Status)
            if symbol in {None, row.symbol} and channel in {None, row.channel}
        ]

    def rows(self, symbol: str, channel: str = "trade") -> list[str]:
        """Return a topic's rows in short: ids, states, seconds of clock rows, book sequences."""
        found = []
        for output in self.of(Event):
            if output.symbol != symbol:
                continue
            match output:
                case Status() if output.channel == channel:
                    found.append(output.state)
                case Trade() if channel == "trade":
                    found.append(f"{output.id}b" if output.backfilled else str(output.id))
                case Clock() if channel == "trade":
                    found.append("clock")
                case Book() if channel == "book":
                    found.append(f"{output.kind} {output.venue_sequence}")
        return found

    def forget(self) -> None:
        self.log.clear()


def acknowledge(message: dict[str, object]) -> str | None:
    """Take whatever is asked for."""
    return json.dumps({"result": None, "id": message["id"]})


def never(_message: dict[str, object]) -> str | None:
    """Say nothing."""
    return None


def book(symbol: str, last: int) -> BookSnapshot:
    bids: list[Level] = [("10", "1"), ("9", "1")]
    asks: list[Level] = [("11", "1")]
    return BookSnapshot(symbol, None, last, bids, asks)


def unavailable(_symbol: str) -> CollectorError:
    return RequestError("expected an answer, was HTTP 503", 503)


def trades(*symbols: str) -> list[Subscription]:
    return [Subscription("trade", symbol) for symbol in symbols]


def books(*symbols: str) -> list[Subscription]:
    return [Subscription("book", symbol) for symbol in symbols]
