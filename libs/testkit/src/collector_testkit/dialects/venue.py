"""A whole simulated exchange without its sockets: market, dialect, faults and truth. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from collector_core.errors import SettingsError
from collector_testkit.dialects.archive import Archive
from collector_testkit.dialects.carried import Carried
from collector_testkit.dialects.dialect import Dialect, Limits
from collector_testkit.dialects.gate import Gate
from collector_testkit.dialects.messages import Action, Close, Delivery, Reply, Request
from collector_testkit.dialects.outages import Outages
from collector_testkit.dialects.sleepers import Sleepers
from collector_testkit.faults import CONNECTIONS, Fault, Faults
from collector_testkit.market import Market, Trade
from collector_testkit.truth import TruthRecord

__all__ = ["Venue", "Watcher"]


class Watcher(Protocol):
    """Who is shown what the exchange tells, with books and tapes as they are at that moment."""

    def sent(self, actions: Sequence[Action], passed: Sequence[Action]) -> None:
        """See what goes out, before the faults and after them."""

    def answered(self, request: Request, reply: Reply) -> None:
        """See an answer of REST, before the faults."""


class Venue:
    """One exchange that a test or a shell drives by the time it passes.

    The frames depend on the seed, the start and what the clients do when, never on how the time
    is cut into calls of ``advance``.

    Args:
        dialect: the exchange's protocol.
        symbols: symbols in our spelling; None for the dialect's own.
        generator: source of randomness of the market and of the faults.
        start: time at which the market opens, in microseconds since the epoch.
        rate: actions a second on each symbol.
        taker_share: share of the actions that take.
        limits: limits that differ from the exchange's own.
        truth: is given the truth records before the frames that tell of them are returned.
        still: symbols that are listed too; each begins to trade when a client's message or the
            path of its connection names it. Before, REST shows a book that does not move.
        orders: resting orders that each side of a book has room for; None for the listings' own.
    """

    def __init__(  # noqa: PLR0913 - what a simulation sets is all here, by name
        self,
        dialect: type[Dialect],
        generator: random.Random,
        start: int,
        *,
        symbols: Sequence[str] | None = None,
        rate: float = 50.0,
        taker_share: float = 0.25,
        limits: Limits | None = None,
        truth: Callable[[Iterable[TruthRecord]], None] | None = None,
        still: Sequence[str] = (),
        orders: int | None = None,
    ) -> None:
        names = [*(symbols or dialect.symbols), *still]
        if len(set(names)) != len(names):
            raise SettingsError(f"expected each symbol once, was {names}")
        listings = [dialect.listing(symbol) for symbol in names]
        if orders is not None:
            listings = [replace(listing, orders=orders) for listing in listings]
        first = len(names) - len(still)
        self.market = Market(
            listings[:first],
            random.Random(generator.getrandbits(64)),
            start,
            rate,
            taker_share,
            listings[first:],
        )
        self.dialect = dialect(self.market, limits)
        self.faults = Faults(
            dialect.name,
            random.Random(generator.getrandbits(64)),
            carried=Carried(self.dialect, self.market),
            unknown=self.dialect.unknown,
        )
        self._truth = truth
        # for tests that compare a client's view with the exchange's
        self.watcher: Watcher | None = None
        self._gate = Gate(self.dialect)
        self._archive = Archive()
        self._sleepers = Sleepers(dialect.to_venue)
        for symbol in still:
            self._sleepers.add(symbol)
        # open connections, in the order of opening
        self._connections: dict[int, None] = {}
        self._outages = Outages(self.dialect, self._read)

    @property
    def now(self) -> int:
        """Time that the exchange has reached."""
        return self.market.now

    @property
    def connections(self) -> list[int]:
        """Open connections, oldest first."""
        return list(self._connections)

    @property
    def in_maintenance(self) -> bool:
        """Whether the exchange serves nobody."""
        return self._outages.maintenance

    def advance(self, to: int) -> list[Action]:
        """Let the time pass up to ``to``; return what goes out, in order."""
        actions: list[Action] = []
        facts: list[TruthRecord] = []
        dialect = self.dialect
        while True:
            due = [dialect.next_deadline(), self.faults.next_start()]
            stop = min([to, *(time for time in due if time is not None)])
            stop = max(stop, self.market.now)
            for events in self.market.steps(stop):
                if self._truth is not None:
                    facts += [dialect.fact(e) for e in events if isinstance(e, Trade)]
                made = dialect.publish(events)
                if made:
                    # of their own time, so that faults end alike however the time is cut
                    actions += self._pass(made, events[-1].time)
            made = dialect.on_time(stop)
            if made:
                actions += self._pass(made, stop)
            for fault in self.faults.starting(stop):
                actions += self._do(fault)
            if stop >= to:
                break
        if self._truth is not None and facts:
            self._truth(facts)
        return actions

    # --- clients -------------------------------------------------------------------------------

    def refuse(self, request: Request) -> Reply | None:
        """Return why a WebSocket is refused, or None to let it open.

        The status ``RESET`` stands for a connection that is reset without an answer.
        """
        reply: Reply | None
        wait = self._gate.attempt(request.client, self.now)
        if self.in_maintenance:
            reply = self.dialect.refusal(503, None)
        elif wait is not None:
            reply = self.dialect.refusal(429, wait)
        else:
            reply = self.dialect.handshake(request, self.now)
        if reply is None:
            reply = self.faults.answer(Reply(101, b""), "handshake", self.dialect.refusal, self.now)
            self._note()
        return None if reply.status == 101 else reply

    def open(self, connection: int, request: Request) -> list[Action]:
        """Take a new connection under a number that no other one has."""
        self._connections[connection] = None
        self._gate.opened(connection, request.client)
        self._wake(" ".join((request.path, *request.query.values())))
        return self._pass(self.dialect.opened(connection, request, self.now), self.now)

    def receive(self, connection: int, message: str | bytes) -> list[Action]:
        """Take a message of a client; one of a connection that ended is ignored."""
        if connection not in self._connections or self._outages.unread(connection, message):
            return []
        return self._pass(self._read(connection, message), self.now)

    def heard(self, connection: int) -> None:
        """Be told that bytes came from a client, pings among them."""
        if connection in self._connections:
            self.dialect.heard(connection, self.now)

    def close(self, connection: int) -> None:
        """Forget a connection; one that is forgotten already is ignored."""
        if connection in self._connections:
            del self._connections[connection]
            self._outages.forget(connection)
            self._gate.closed(connection)
            self.dialect.closed(connection)

    def request(self, request: Request) -> Reply:
        """Answer a REST request."""
        now = self.now
        if self.in_maintenance:
            return self.dialect.refusal(503, None)
        reply = self.dialect.request(request, now)
        if reply.status == 200 and reply.channel == "book":
            self._archive.keep(request, reply.body, now)
        if self.watcher is not None:
            self.watcher.answered(request, reply)
        reply = self.faults.answer(
            reply,
            "rest",
            self.dialect.refusal,
            now,
            lambda age: self._archive.before(request, now - int(age * 1e6)),
        )
        self._note()
        return reply

    # --- listings ------------------------------------------------------------------------------

    def list_symbol(self, symbol: str, *, still: bool = False) -> list[Action]:
        """List a symbol while the exchange runs; return what goes out.

        Raises:
            SettingsError: there is no market in its quote currency, or the dialect takes none.
            SymbolError: it is not our spelling, or the symbol is listed already.
        """
        self.market.add(self.dialect.listing(symbol), still=still)
        try:
            told = self.dialect.listed(symbol)
        except SettingsError:
            self.market.remove(symbol)
            raise
        if still:
            self._sleepers.add(symbol)
        return self._pass(told, self.now)

    def delist_symbol(self, symbol: str) -> list[Action]:
        """Delist a symbol: its streams end; return what goes out.

        Raises:
            SettingsError: the dialect drops none.
            SymbolError: it is not listed.
        """
        still = symbol not in self.market.trading
        self.market.remove(symbol)
        try:
            told = self.dialect.delisted(symbol)
        except SettingsError:
            self.market.add(self.dialect.listing(symbol), still=still)
            raise
        self._sleepers.discard(symbol)
        return self._pass(told, self.now)

    # --- faults --------------------------------------------------------------------------------

    def start(self, fault: Fault) -> list[Action]:
        """Do a fault, or let it wait for what it is to hit; return what goes out at once.

        Raises:
            SettingsError: its symbol is not traded, or its connection is not open.
        """
        if fault.symbol and fault.symbol not in self.market.symbols:
            raise SettingsError(f"expected a symbol of this exchange, was {fault.symbol!r}")
        if fault.connection is not None and fault.connection not in self._connections:
            raise SettingsError(f"expected an open connection, was {fault.connection}")
        return self._do(fault)

    def note(self, kind: str, connections: tuple[int, ...], detail: str) -> None:
        """Note for the truth log a fault that the shell does by itself."""
        self.faults.record(kind, self.now, connections, detail)
        self._note()

    def clear_faults(self) -> list[Action]:
        """End all faults that wait or last; return the frames that they held back."""
        held = list(self.faults.clear())
        return [*self._pass(self._outages.clear(), self.now), *held]

    def _do(self, fault: Fault) -> list[Action]:
        aim = tuple(c for c in self._connections if fault.connection in {None, c})
        if fault.kind == "sequence_reset":
            actions = self.dialect.restart_sequences(self.now)
        elif fault.kind in CONNECTIONS:
            actions = self._outages.do(fault, aim, self.now)
        else:
            self.faults.start(fault, self.now)
            self._note()
            return []
        self.faults.record(fault.kind, self.now, aim, f"{fault.duration or fault.delay} s")
        actions = self._pass(actions, self.now)
        if fault.kind == "half_open":
            for connection in aim:
                self.close(connection)
        return actions

    # --- messages of clients ---------------------------------------------------------------------

    def _wake(self, text: str) -> None:
        for symbol in self._sleepers.named(text):
            self._sleepers.discard(symbol)
            self.market.wake(symbol)

    def _read(self, connection: int, message: str | bytes) -> list[Action]:
        self._wake(message if isinstance(message, str) else message.decode("utf-8", "replace"))
        rejecting = self.faults.rejecting(connection, self.now)
        if rejecting is not None:
            answer = self.dialect.reject(connection, message, self.now)
            if answer is not None:
                self.faults.rejected(rejecting, connection, answer, self.now)
                return answer
        answered = self.dialect.received(connection, message, self.now)
        return self._acknowledged(connection, message, answered)

    def _acknowledged(
        self, connection: int, message: str | bytes, answered: list[Action]
    ) -> list[Action]:
        """Return an answer after the faults of acknowledgements; the late ones come by timer."""
        out: list[Action] = []
        for action in answered:
            late: float | None = 0.0
            if (
                isinstance(action, Delivery)
                and not action.channel
                and self.dialect.acknowledges(message, action)
            ):
                late = self.faults.acknowledgement(action, self.now)
            if late is None:
                continue
            if late:
                self._send_late(connection, action, late)
            else:
                out.append(action)
        return out

    def _send_late(self, connection: int, action: Action, seconds: float) -> None:
        def send(_now: int) -> list[Action]:
            return [action] if connection in self._connections else []

        self.dialect.at(self.now + int(seconds * 1e6), send)

    # --- what goes out ---------------------------------------------------------------------------

    def _pass(self, actions: list[Action], now: int) -> list[Action]:
        passed = self.faults.frames(actions, now)
        if self.watcher is not None:
            self.watcher.sent(actions, passed)
        passed = self._outages.delivered(passed, lambda frame: self.faults.lose(frame, now))
        self._note()
        for action in passed:
            if type(action) is Close:
                self.close(action.connection)
        return passed

    def _note(self) -> None:
        records = self.faults.take_records()
        if records and self._truth is not None:
            self._truth(records)
