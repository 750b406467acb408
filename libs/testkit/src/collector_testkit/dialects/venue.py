"""A whole simulated exchange without its sockets: market, dialect, faults and truth. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence

from collector_core.errors import SettingsError
from collector_testkit.dialects.dialect import Dialect, Limits
from collector_testkit.dialects.messages import ABORT, Action, Close, Freeze, Reply, Request
from collector_testkit.faults import Fault, Faults
from collector_testkit.market import Market, Trade
from collector_testkit.truth import TruthRecord

__all__ = ["Venue"]


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
    """

    def __init__(
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
    ) -> None:
        listings = [dialect.listing(s) for s in (symbols or dialect.symbols)]
        if len({listing.symbol for listing in listings}) != len(listings):
            raise SettingsError(f"expected each symbol once, was {list(symbols or ())}")
        self.market = Market(
            listings, random.Random(generator.getrandbits(64)), start, rate, taker_share
        )
        self.dialect = dialect(self.market, limits)
        self.faults = Faults(dialect.name, random.Random(generator.getrandbits(64)))
        self._truth = truth
        # open connections, in the order of opening
        self._connections: dict[int, None] = {}

    @property
    def now(self) -> int:
        """Time that the exchange has reached."""
        return self.market.now

    @property
    def connections(self) -> list[int]:
        """Open connections, oldest first."""
        return list(self._connections)

    def advance(self, to: int) -> list[Action]:
        """Let the time pass up to ``to``; return what goes out, in order."""
        actions: list[Action] = []
        facts: list[TruthRecord] = []
        dialect = self.dialect
        while True:
            due = [dialect.next_deadline(), self.faults.next_start()]
            stop = min([to, *(time for time in due if time is not None)])
            stop = max(stop, self.market.now)
            made: list[Action] = []
            for events in self.market.steps(stop):
                if self._truth is not None:
                    facts += [dialect.fact(e) for e in events if isinstance(e, Trade)]
                made += dialect.publish(events)
            made += dialect.on_time(stop)
            if made:
                actions += self._pass(made, stop)
            for fault in self.faults.starting(stop):
                actions += self.start(fault)
            if stop >= to:
                break
        if self._truth is not None and facts:
            self._truth(facts)
        return actions

    def refuse(self, request: Request) -> Reply | None:
        """Return why a WebSocket is refused, or None to let it open."""
        reply = self.dialect.handshake(request, self.now)
        if reply is None:
            reply = self.faults.answer(Reply(101, b""), "handshake", self.dialect.refusal, self.now)
            self._note()
        return None if reply.status == 101 else reply

    def open(self, connection: int, request: Request) -> list[Action]:
        """Take a new connection under a number that no other one has."""
        self._connections[connection] = None
        return self._pass(self.dialect.opened(connection, request, self.now), self.now)

    def receive(self, connection: int, message: str | bytes) -> list[Action]:
        """Take a message of a client; one of a connection that ended is ignored."""
        if connection not in self._connections:
            return []
        return self._pass(self.dialect.received(connection, message, self.now), self.now)

    def heard(self, connection: int) -> None:
        """Be told that bytes came from a client, pings among them."""
        if connection in self._connections:
            self.dialect.heard(connection, self.now)

    def close(self, connection: int) -> None:
        """Forget a connection; one that is forgotten already is ignored."""
        if connection in self._connections:
            del self._connections[connection]
            self.dialect.closed(connection)

    def request(self, request: Request) -> Reply:
        """Answer a REST request."""
        reply = self.dialect.request(request, self.now)
        reply = self.faults.answer(reply, "rest", self.dialect.refusal, self.now)
        self._note()
        return reply

    def start(self, fault: Fault) -> list[Action]:
        """Do a fault, or let it wait for what it is to hit; return what goes out at once.

        Raises:
            SettingsError: its symbol is not traded, or its connection is not open.
        """
        if fault.symbol and fault.symbol not in self.market.symbols:
            raise SettingsError(f"expected a symbol of this exchange, was {fault.symbol!r}")
        if fault.connection is not None and fault.connection not in self._connections:
            raise SettingsError(f"expected an open connection, was {fault.connection}")
        aim = tuple(c for c in self._connections if fault.connection in {None, c})
        actions: list[Action] = []
        match fault.kind:
            case "cut":
                actions += [Close(connection, ABORT) for connection in aim]
            case "freeze":
                actions += self._freeze(fault, aim)
            case "planned_close":
                actions += self._planned_close(fault, aim)
            case _:
                self.faults.start(fault, self.now)
                self._note()
                return []
        self.faults.record(fault, self.now, aim, f"{fault.duration or fault.delay} s")
        self._note()
        self._forget(actions)
        return actions

    def clear_faults(self) -> list[Action]:
        """End all faults that wait; return the frames that they held back."""
        return list(self.faults.clear())

    def _freeze(self, fault: Fault, aim: tuple[int, ...]) -> list[Action]:
        if fault.duration:
            end = self.now + int(fault.duration * 1e6)
            self.dialect.at(end, lambda _: [Freeze(c, frozen=False) for c in aim])
        return [Freeze(connection, frozen=True) for connection in aim]

    def _planned_close(self, fault: Fault, aim: tuple[int, ...]) -> list[Action]:
        reason = "planned close"
        end = self.now + int(fault.delay * 1e6)
        self.dialect.at(end, lambda _: [Close(c, 1001, reason) for c in aim])
        return [
            type(notice)(
                notice.payload, tuple(c for c in notice.connections if c in aim), notice.binary
            )
            for notice in self.dialect.notice(self.now)
            if set(notice.connections) & set(aim)
        ]

    def _pass(self, actions: list[Action], now: int) -> list[Action]:
        passed = self.faults.frames(actions, now)
        self._note()
        self._forget(passed)
        return passed

    def _forget(self, actions: list[Action]) -> None:
        for action in actions:
            if type(action) is Close:
                self.close(action.connection)

    def _note(self) -> None:
        records = self.faults.take_records()
        if records and self._truth is not None:
            self._truth(records)
