"""An ingestor's sessions against a simulated exchange, in memory, on a clock set by hand.

Everything that happens follows from the seed: the market, the faults, the delays of frames and
answers, the jitter of backoffs. So a schedule of faults that breaks something breaks it again.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
from itertools import count
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, urlsplit

from collector_core.errors import CollectorError, FrameError, RequestError, Throttled
from collector_core.events import Event
from collector_core.symbols import SymbolTable
from collector_exchanges.discovery import adapter as adapter_of
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
from collector_feed.outputs import Request as RestRequest
from collector_feed.recent_trades import TradeSeed
from collector_feed.session import Session
from collector_feed.sharding import Sharding
from collector_feed.succession import Step, Succession
from collector_testkit.dialects import Action, Close, Delivery, Freeze, Request, load
from collector_testkit.dialects.dialect import Limits
from collector_testkit.dialects.venue import Venue
from collector_testkit.manual_clock import ManualClock
from collector_testkit.truth import TruthRecord, TruthTrade

__all__ = ["START", "Link", "Rig"]

START: Final = 1_795_305_600_250_250
_STEP: Final = 25_000
"""Microseconds."""
_ADDRESS: Final = "10.0.0.1"
_THROTTLED: Final = frozenset({418, 429})
Kind = TypeVar("Kind")


class Link:
    """One session and the socket it has."""

    def __init__(self, session: Session, wanted: list[Subscription], path: str) -> None:
        self.session = session
        self.wanted = wanted
        self.path = path
        self.succession = Succession()
        # the link of the successor, while there is one
        self.next: Link | None = None
        # number of the open or opening socket, None without one
        self.socket: int | None = None
        self.open = False
        self.frozen = False
        # frames of the exchange that were not delivered, with the time at which they arrive
        self.arriving: deque[tuple[float, bytes]] = deque()
        # when the last of our messages arrives; they keep their order too
        self.reaches = 0.0


class Rig:
    """Drives sessions and venue by turns.

    Args:
        exchange: which one.
        seed: of everything random.
        symbols: symbols in our spelling; None for the dialect's own.
        channels: channels of each symbol.
        intervals: of the candles.
        options: of the sessions.
        limits: limits that differ from the exchange's own.
        rate: actions a second on each symbol.
        orders: resting orders a side of a book; None for the listings' own.
        latency: longest delay of a frame, in seconds; frames of a socket keep their order.
    """

    def __init__(  # noqa: PLR0913  # what a schedule may set
        self,
        exchange: str,
        seed: int,
        *,
        symbols: Sequence[str] | None = None,
        channels: Sequence[str] = ("trade", "book"),
        intervals: Sequence[str] = (),
        options: SessionOptions | None = None,
        limits: Limits | None = None,
        rate: float = 20.0,
        orders: int | None = None,
        latency: float = 0.03,
    ) -> None:
        self.random = random.Random(seed)
        self.truth: list[TruthRecord] = []
        self.venue = Venue(
            load(exchange),
            random.Random(self.random.getrandbits(64)),
            START,
            symbols=symbols,
            rate=rate,
            limits=limits,
            truth=self.truth.extend,
            orders=orders,
        )
        # a while of market before, so that there are books and trades
        self.venue.advance(START + 10_000_000)
        self.time = ManualClock(wall=self.venue.now)
        # wall clock of the exchange less ours, moved by a jump of ours
        self._behind = 0
        self.adapter = adapter_of(exchange)
        dialect = self.venue.dialect
        self.symbols = list(self.venue.market.symbols)
        self._table = SymbolTable((s, dialect.to_venue(s)) for s in self.symbols)
        self._options = options or SessionOptions()
        self._latency = latency
        self.links: list[Link] = []
        self.rows: list[Event] = []
        self.outputs: list[Output] = []
        self.seeds: dict[str, TradeSeed] = {}
        self.candle_seeds: dict[tuple[str, str], int] = {}
        # is shown each frame as it reaches a session
        self.heard: Callable[[bytes], None] = lambda _: None
        self._sockets = count(1)
        # what happens later: (monotonic time, order, what, its arguments)
        self._later: list[tuple[float, int, Any, tuple[Any, ...]]] = []
        self._order = count()
        self.wanted = [
            Subscription(channel, symbol, interval)
            for symbol in self.symbols
            for channel in channels
            for interval in (intervals if channel == "candle" else ("",))
        ]

    # --- driving -----------------------------------------------------------------------------

    def start(self) -> None:
        """Make the sessions, let them subscribe and connect."""
        sharding = Sharding.of(self.adapter.spec)
        for number, wanted in sharding.add(self.wanted).items():
            self.links.append(self._link(wanted, sharding.path(number)))

    def _link(self, wanted: list[Subscription], path: str, *, successor: bool = False) -> Link:
        session = Session(
            self.adapter(self._table),
            f"ws://exchange{self.venue.dialect.websocket_path}",
            self.random.random,
            self.seeds,
            self._options,
            path=path,
            candle_seeds=self.candle_seeds,
            successor=successor,
        )
        link = Link(session, wanted, path)
        self.carry(link, session.subscribe(wanted, self.time.monotonic))
        self.carry(link, session.start(self.time.monotonic))
        return link

    def all_links(self) -> list[Link]:
        """Return the links that publish, and the successors that do not yet."""
        return [one for link in self.links for one in (link, link.next) if one is not None]

    def run(self, seconds: float) -> None:
        """Let time pass in small steps."""
        left = round(seconds * 1e6)
        while left > 0:
            # whole microseconds, so that both clocks go by the same
            step = min(_STEP, left)
            left -= step
            self.time.advance(step / 1e6)
            self.act(self.venue.advance(self.venue.now + step))
            self._arrive()
            while self._later and self._later[0][0] <= self.time.monotonic:
                _, _, what, arguments = heappop(self._later)
                what(*arguments)
            for link in self.all_links():
                deadline = link.session.next_deadline()
                if deadline is not None and deadline <= self.time.monotonic:
                    self.carry(link, link.session.on_time(self.time.monotonic, self.time.wall))
            for link in list(self.links):
                self._succeed(link)

    def _succeed(self, link: Link) -> None:
        now, old, succession = self.time.monotonic, link.session, link.succession
        match succession.look(old, now):
            case Step.BEGIN:
                link.next = self._link(old.streams.wanted(), link.path, successor=True)
                succession.begun(link.next.session, now)
            case Step.TAKE_OVER if link.next is not None:
                self.links[self.links.index(link)] = link.next
                self.carry(link.next, link.next.session.take_over(old, "age", now, self.time.wall))
                self.carry(link, old.retire("rotated"))
                succession.ended(link.next.session, now, done=True)
                link.next.succession, link.next = succession, None
            case Step.ABANDON if link.next is not None:
                self.carry(link.next, link.next.session.retire("given up"))
                succession.ended(old, now, done=False)
                link.next = None

    def stop(self) -> None:
        """End every session."""
        for link in self.links:
            if link.next is not None:
                self.carry(link.next, link.next.session.retire("given up"))
            self.carry(link, link.session.stop("shutdown"))

    # --- what the sessions want ----------------------------------------------------------------

    def carry(self, link: Link, outputs: Iterable[Output]) -> None:
        """Do what a session asks for, as its driver would."""
        for output in outputs:
            match output:
                case Event():
                    self.rows.append(output)
                    continue
                case Connect():
                    link.socket = next(self._sockets)
                    self._after(self._delay(), self._connect, link, link.socket, output.url)
                case Disconnect():
                    self._leave(link)
                case Send() if link.open and link.socket is not None:
                    self._say(link, self._receive, link.socket, output.text)
                case Ping() if link.open and link.socket is not None:
                    self._say(link, self._ping, link, link.socket)
                case Fetch():
                    self._after(self._delay(), self._ask, link, output)
            self.outputs.append(output)

    def _connect(self, link: Link, socket: int, url: str) -> None:
        if link.socket != socket:
            return
        parts = urlsplit(url)
        request = Request(parts.path, dict(parse_qsl(parts.query)), client=_ADDRESS)
        refused = self.venue.refuse(request)
        if refused is not None:
            link.socket = None
            after = dict(refused.headers).get("Retry-After")
            self.carry(
                link,
                link.session.on_closed(
                    f"handshake {refused.status}",
                    self.time.monotonic,
                    self.time.wall,
                    cause=f"handshake {refused.status}",
                    throttled=refused.status in _THROTTLED,
                    retry_after=None if after is None else float(after),
                ),
            )
            return
        link.open = True
        link.frozen = False
        link.arriving.clear()
        self.act(self.venue.open(socket, request))
        self.carry(link, link.session.on_connected(self.time.monotonic, self.time.wall))

    def _receive(self, socket: int, text: str) -> None:
        self.act(self.venue.receive(socket, text))

    def _ping(self, link: Link, socket: int) -> None:
        if link.socket == socket and not link.frozen:
            self.venue.heard(socket)
            # what was sent before the answer arrives before it
            at = max(self.time.monotonic, link.arriving[-1][0] if link.arriving else 0.0)
            self._after(at - self.time.monotonic, self._pong, link, socket)

    def _pong(self, link: Link, socket: int) -> None:
        if link.socket == socket:
            self._arrive()
            link.session.on_pong(self.time.wall)

    def _ask(self, link: Link, fetch: Fetch) -> None:
        request = fetch.request
        reply = self.venue.request(Request(request.path, dict(request.query), client=_ADDRESS))
        answer: BookSnapshot | Page[Any] | CollectorError
        if reply.status == 200:
            answer = self._parsed(request, reply.body)
        else:
            sentence = f"expected status 200, was {reply.status}"
            after = dict(reply.headers).get("Retry-After")
            answer = (
                Throttled(sentence, reply.status, None if after is None else float(after))
                if reply.status in _THROTTLED
                else RequestError(sentence, reply.status)
            )
        delay = self._delay() + reply.delay
        self._after(delay, self._answered, link, fetch.token, answer)

    def _parsed(
        self, request: RestRequest[Any], body: bytes
    ) -> BookSnapshot | Page[Any] | CollectorError:
        try:
            parsed: BookSnapshot | Page[Any] = request.parse(body, self.time.wall)
        except FrameError as error:
            return RequestError(str(error))
        except CollectorError as error:
            return error
        return parsed

    def _answered(
        self, link: Link, token: int, answer: BookSnapshot | Page[Any] | CollectorError
    ) -> None:
        self.carry(link, link.session.on_answer(token, answer, self.time.monotonic, self.time.wall))

    def _leave(self, link: Link) -> None:
        if link.socket is not None:
            self.venue.close(link.socket)
        link.socket = None
        link.open = False
        link.arriving.clear()

    # --- what the exchange does ------------------------------------------------------------------

    def act(self, actions: Iterable[Action]) -> None:
        """Let what the exchange sends or does reach the sessions in a while."""
        by_socket = {link.socket: link for link in self.all_links() if link.open}
        for action in actions:
            match action:
                case Delivery():
                    for socket in action.connections:
                        link = by_socket.get(socket)
                        if link is not None:
                            earliest = link.arriving[-1][0] if link.arriving else 0.0
                            at = max(earliest, self.time.monotonic + self._delay())
                            link.arriving.append((at, action.payload))
                case Close():
                    link = by_socket.get(action.connection)
                    if link is not None:
                        self._closed(link, f"closed with code {action.code}: {action.reason}")
                case Freeze():
                    link = by_socket.get(action.connection)
                    if link is not None:
                        link.frozen = action.frozen

    def _closed(self, link: Link, reason: str) -> None:
        # frames that were sent before the close arrive before it
        for _, payload in link.arriving:
            self._hear(link, payload)
        self._leave(link)
        self.carry(
            link, link.session.on_closed(reason, self.time.monotonic, self.time.wall, cause="lost")
        )

    def _arrive(self) -> None:
        for link in self.all_links():
            while link.open and link.arriving and link.arriving[0][0] <= self.time.monotonic:
                self._hear(link, link.arriving.popleft()[1])

    def _hear(self, link: Link, payload: bytes) -> None:
        self.heard(payload)
        self.carry(link, link.session.on_frame(payload, self.time.wall))

    # --- what came of it ---------------------------------------------------------------------

    def of(self, kind: type[Kind], symbol: str | None = None) -> list[Kind]:
        """Return the rows and outputs of a type, those of one symbol alone if it is named."""
        found = [item for item in (*self.rows, *self.outputs) if isinstance(item, kind)]
        return [item for item in found if symbol in {None, getattr(item, "symbol", None)}]

    def trades(self, symbol: str) -> list[TruthTrade]:
        """Return what was traded, in order."""
        return [r for r in self.truth if isinstance(r, TruthTrade) and r.symbol == symbol]

    def _say(self, link: Link, what: Callable[..., None], *arguments: object) -> None:
        now = self.time.monotonic
        link.reaches = max(link.reaches, now + self._delay())
        self._after(link.reaches - now, what, *arguments)

    def _delay(self) -> float:
        return self.random.random() * self._latency

    def _after(self, seconds: float, what: Callable[..., None], *arguments: object) -> None:
        heappush(self._later, (self.time.monotonic + seconds, next(self._order), what, arguments))
