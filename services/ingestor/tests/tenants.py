"""A simulated exchange's REST, with another tenant behind the same address."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any, Final

from collector_core.errors import RequestError, Throttled
from collector_core.symbols import SymbolTable
from collector_exchanges.discovery import adapter
from collector_feed.outputs import Request as RestRequest
from collector_runtime.rest import Response
from collector_testkit.dialects import Request, load
from collector_testkit.dialects.venue import Venue

from .virtual_time import now

START: Final = 1_795_305_600_250_250
_ADDRESS: Final = "10.0.0.1"
_TURN: Final = 600.0


class SharedExchange:
    """Answers our requests and those of a tenant that nobody told us of.

    The tenant asks for trades, of no symbol, which is counted like any other request and quickly
    answered: as many as half of the ``limit`` in each ``seconds`` admits: evenly
    spread for ten minutes, then for ten minutes all at once at the beginning of each window, and
    so on. It never lets up.
    """

    def __init__(self, exchange: str, seed: int, limit: int, seconds: float) -> None:
        self.random = random.Random(seed)
        self.venue = Venue(load(exchange), random.Random(seed), START, rate=0.05)
        self.venue.advance(START + 10_000_000)
        self._began = now()
        self._opened = self.venue.now
        dialect = self.venue.dialect
        self.symbols = list(self.venue.market.symbols)
        self.adapter = adapter(exchange)(
            SymbolTable((s, dialect.to_venue(s)) for s in self.symbols)
        )
        trades = self.adapter.trades(self.symbols[0])
        self._theirs = Request(trades.path, client=_ADDRESS)
        self._count = int(limit / 2 / trades.weight)
        self._seconds = seconds
        # virtual time since the beginning of the tenant's next request
        self._next = 0.0
        self._sent = 0
        # answers by status
        self.ours: Counter[int] = Counter()
        self.others: Counter[int] = Counter()
        # weight of ours that was answered
        self.weighed = 0

    async def send(self, request: RestRequest[Any]) -> Response:
        """Make a request of ours."""
        await asyncio.sleep(0.02 + 0.03 * self.random.random())
        self.pass_time()
        reply = self.venue.request(Request(request.path, dict(request.query), client=_ADDRESS))
        self.ours[reply.status] += 1
        await asyncio.sleep(0.02 + 0.03 * self.random.random())
        if reply.status != 200:
            after = dict(reply.headers).get("Retry-After")
            sentence = f"expected status 200, was {reply.status}"
            if reply.status in {418, 429}:
                raise Throttled(sentence, reply.status, None if after is None else float(after))
            raise RequestError(sentence, reply.status)
        self.weighed += request.weight
        headers = {name.lower(): value for name, value in reply.headers}
        return Response(reply.body, headers, self.venue.now, "")

    def pass_time(self) -> None:
        """Let the exchange and the tenant reach the present."""
        passed = now() - self._began
        while self._next <= passed:
            self._advance(self._next)
            self.others[self.venue.request(self._theirs).status] += 1
            self._sent += 1
            if int(self._next / _TURN) % 2 == 0:
                self._next += self._seconds / self._count
            elif self._sent % self._count == 0:
                # the windows of exchanges follow the calendar
                length = round(self._seconds * 1e6)
                self._next += (length - self.venue.now % length) / 1e6
        self._advance(passed)

    def _advance(self, passed: float) -> None:
        to = self._opened + round(passed * 1e6)
        if to > self.venue.now:
            self.venue.advance(to)
