"""One connection made real: the session decides, this carries out.

The way of a frame is `_Link.on_frame` → session → `Publisher.publish`, on the event loop, with no
task, no await and no log line on it. What is left over is the few outputs that `carry_out` knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

import structlog

from collector_core.codec import encode
from collector_core.errors import CollectorError, FrameError, RequestError, TransportError
from collector_core.events import Event
from collector_core.records import DeadLetter
from collector_feed.outputs import (
    Connect,
    Disconnect,
    Fetch,
    Output,
    Ping,
    Send,
    Subscription,
    Undecodable,
)
from collector_feed.session import Phase, Session
from collector_feed.succession import Step, Succession
from collector_ingestor.fetcher import Fetcher
from collector_ingestor.gate import Gate
from collector_ingestor.incidents import Incidents
from collector_ingestor.tallies import SAMPLE, Counters, Tally, now_ns
from collector_runtime.clock import monotonic, wall_us
from collector_runtime.kafka.publisher import HIGH_WATER, Publisher
from collector_runtime.transport import Kind, Listener, Options, Transport, connect

__all__ = ["Connection"]

_ACTIONS: Final = frozenset({Connect, Disconnect, Send, Ping, Fetch, Undecodable})
_THROTTLED: Final = frozenset({418, 429})


class _Link(Listener):
    """One socket's listener; a session that reconnects gets a new one, and the old falls silent."""

    def __init__(self, owner: Connection) -> None:
        self._owner: Connection | None = owner
        self._take = owner.witness.take
        self._publish = owner.witness.publish
        self._counters = owner.counters
        self._by_kind = owner.counters.by_kind
        # receive time of the last frame, and where it counts
        self._last = 0
        self._tally = Tally()
        # frames until one is timed
        self._left = SAMPLE

    def detach(self) -> None:
        """The session is done with this socket."""
        self._owner = None

    def on_open(self, transport: Transport) -> None:
        if self._owner is None:
            transport.close("given up while it opened")
        else:
            self._owner.opened(self, transport)

    def on_frame(self, payload: bytes, receive_time: int) -> None:
        owner = self._owner
        if owner is None:
            return
        self._last = receive_time
        self._left -= 1
        outputs = self._take(payload, receive_time) if self._left else self._timed(payload)
        try:
            tally = self._by_kind[type(outputs[0])]
        except (IndexError, KeyError):
            tally = self._counters.of(outputs)
        self._tally = tally
        tally.frames += 1
        tally.bytes += len(payload)
        for output in outputs:
            if type(output) in _ACTIONS:
                owner.carry_out((output,))
            else:
                self._publish(output)  # type: ignore[arg-type]  # what is no action is an event

    def _timed(self, payload: bytes) -> list[Output]:
        self._left = SAMPLE
        began = now_ns()
        outputs = self._take(payload, self._last)
        self._counters.of(outputs).parse.observe((now_ns() - began) // 1000)
        return outputs

    def batch_end(self) -> None:
        if self._owner is not None:
            self._tally.latency.observe(wall_us() - self._last)
            self._owner.batch_end()

    def on_pong(self) -> None:
        if self._owner is not None:
            self._owner.session.on_pong(wall_us())

    def on_closed(self, reason: str) -> None:
        if self._owner is not None:
            self._owner.dropped(reason)


class Connection:
    """Drives one session.

    Args:
        name: for logs, metrics and dead letters.
        session: the state machine.
        publisher: takes the rows.
        fetcher: makes REST requests.
        attempts: the exchange's breakers and budget of connection attempts.
        options: how the socket is opened.
        transport: which WebSocket library; None leaves the choice.
        dead_letters: topic of frames that cannot be read.
        incidents: makes what keeps the frames around incidents.
    """

    def __init__(  # noqa: PLR0913, PLR0917  # each is one thing of the pool
        self,
        name: str,
        session: Session,
        publisher: Publisher,
        fetcher: Fetcher,
        attempts: Gate,
        options: Options,
        dead_letters: str,
        incidents: Incidents,
        transport: Kind | None = None,
    ) -> None:
        self.name = name
        self.session = session
        self.publisher = publisher
        self.witness = incidents.witness(name, session, publisher.publish)
        # of the connection that this one replaces, where there is one, to count on
        self.counters = Counters()
        self.succession = Succession()
        # the connection that is about to replace this one, while there is one
        self.successor: Connection | None = None
        self._fetcher = fetcher
        self._attempts = attempts
        self._options = options
        self._kind: Kind | None = transport
        self._dead_letters = dead_letters
        self._exchange = session.adapter.spec.exchange
        self._log = structlog.get_logger("collector.connection").bind(
            exchange=self._exchange, connection=name
        )
        self._link: _Link | None = None
        self._transport: Transport | None = None
        self._paused = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._opening: asyncio.Task[None] | None = None

    # --- what the ingestor does --------------------------------------------------------------

    def start(self) -> None:
        """Begin to connect."""
        self.carry_out(self.session.start(monotonic()))

    def subscribe(self, subscriptions: Iterable[Subscription]) -> None:
        """Want more streams."""
        wanted = [*subscriptions]
        for connection in self._both():
            connection.carry_out(connection.session.subscribe(wanted, monotonic()))

    def unsubscribe(self, subscriptions: Iterable[Subscription], reason: str | None) -> None:
        """Want streams no longer; without a reason they end in silence."""
        gone = [*subscriptions]
        for connection in self._both():
            connection.carry_out(connection.session.unsubscribe(gone, monotonic(), reason))

    def _both(self) -> list[Connection]:
        return [self] if self.successor is None else [self, self.successor]

    def tick(self, now: float, wall: int) -> None:
        """Let time pass for the session."""
        for connection in self._both():
            deadline = connection.session.next_deadline()
            if deadline is not None and deadline <= now:
                connection.carry_out(connection.session.on_time(now, wall))

    def succeed(
        self, make: Callable[[Connection], Connection], now: float, wall: int
    ) -> Connection:
        """Do what the replacement of this connection asks for; return the one that publishes.

        ``make`` makes the successor, whose session is one.
        """
        match self.succession.look(self.session, now):
            case Step.BEGIN:
                self._log.info("rotating")
                self.successor = make(self)
                self.successor.subscribe(self.session.streams.wanted())
                self.successor.start()
                self.succession.begun(self.successor.session, now)
            case Step.TAKE_OVER if self.successor is not None:
                new, self.successor = self.successor, None
                new.carry_out(new.session.take_over(self.session, "rotated", now, wall))
                self.retire("rotated")
                self.succession.ended(new.session, now, done=True)
                new.succession = self.succession
                self._log.info("rotated")
                return new
            case Step.ABANDON if self.successor is not None:
                self._log.warning("rotation_abandoned")
                self.successor.retire("rotation given up")
                self.successor = None
                self.succession.ended(self.session, now, done=False)
        return self

    def retire(self, reason: str) -> None:
        """Close the socket without a word in the streams, which go on elsewhere."""
        self.carry_out(self.session.retire(reason))
        self.witness.end()

    def resume(self) -> None:
        """Read on after a pause."""
        if self.successor is not None:
            self.successor.resume()
        if self._paused:
            self._paused = False
            if self._transport is not None:
                self._transport.resume_reading()
            self._log.info("reading_resumed", backlog=self.publisher.backlog())

    @property
    def connected(self) -> bool:
        """Whether the socket is open."""
        return self._transport is not None

    @property
    def wanted(self) -> bool:
        """Whether something needs the socket; candles over REST do not."""
        return self.session.phase is not Phase.IDLE

    async def stop(self, reason: str) -> None:
        """End for good: say so in every stream, close the socket, end what is under way."""
        if self.successor is not None:
            self.successor.retire(reason)
            await self.successor.settle()
        transport = self._transport
        self.carry_out(self.session.stop(reason))
        await self.settle()
        self.witness.end()
        if transport is not None:
            await transport.wait_closed()

    async def settle(self) -> None:
        """End what is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- what the socket does ----------------------------------------------------------------

    def opened(self, link: _Link, transport: Transport) -> None:
        """The socket is open."""
        if link is not self._link:
            transport.close("replaced")
            return
        self._transport = transport
        self.witness.opened()
        self._log.info("connected")
        if self._paused:
            transport.pause_reading()
        self.carry_out(self.session.on_connected(monotonic(), wall_us()))

    def batch_end(self) -> None:
        """The socket's buffer was drained: take delivery reports, pause if Kafka lags."""
        self.publisher.poll()
        if not self._paused and self.publisher.backlog() > HIGH_WATER and self._transport:
            self._paused = True
            self.counters.pauses += 1
            self._transport.pause_reading()
            self._log.warning("reading_paused", backlog=self.publisher.backlog())

    def dropped(self, reason: str) -> None:
        """The open socket is gone."""
        code = None if self._transport is None else self._transport.close_code
        throttled = code in self.session.adapter.spec.throttled_closes
        self.closed(reason, "throttled" if throttled else "lost", throttled=throttled)

    def closed(
        self, reason: str, cause: str, *, throttled: bool = False, retry_after: float | None = None
    ) -> None:
        """The socket is gone, or never opened."""
        self._forget(reason)
        self._log.warning("disconnected", cause=cause, reason=reason)
        now, wall = monotonic(), wall_us()
        self.carry_out(
            self.session.on_closed(
                reason, now, wall, cause=cause, throttled=throttled, retry_after=retry_after
            )
        )

    # --- what the session wants --------------------------------------------------------------

    def carry_out(self, outputs: Iterable[Output]) -> None:
        """Do what the session asks for, in order."""
        for output in outputs:
            match output:
                case Event():
                    self.witness.publish(output)
                case Send():
                    if self._transport is not None:
                        self._transport.send(output.text)
                        self.witness.sent(output.text)
                case Ping():
                    if self._transport is not None:
                        self._transport.ping()
                case Connect():
                    self._forget("another one is opened")
                    self._link = _Link(self)
                    self._opening = self._spawn(self._open(output.url, self._link))
                case Disconnect():
                    self._disconnect(output.reason)
                case Fetch():
                    self._spawn(self._fetch(output))
                case Undecodable():
                    self._bury(output)

    def _disconnect(self, reason: str) -> None:
        self._log.warning("disconnecting", reason=reason)
        transport, opening = self._transport, self._opening
        self._forget(reason)
        if transport is not None:
            transport.close(reason)
        elif opening is not None:
            opening.cancel()

    def _forget(self, reason: str) -> None:
        self.witness.closed(reason)
        if self._link is not None:
            self._link.detach()
        self._link = None
        self._transport = None
        self._opening = None

    async def _open(self, url: str, link: _Link) -> None:
        # without the query, which names streams; another path may be another server
        endpoint = url.partition("?")[0]
        try:
            self.session.on_attempt(None)
            await self._attempts.through(endpoint, lambda: self._attempt(url, link))
        except TransportError as error:
            if link is self._link:
                self.closed(
                    str(error),
                    "refused" if error.status is None else f"handshake {error.status}",
                    throttled=error.status in _THROTTLED,
                    retry_after=error.retry_after,
                )

    async def _attempt(self, url: str, link: _Link) -> None:
        self.session.on_attempt(monotonic())
        await connect(url, link, self._options, self._kind)

    async def _fetch(self, fetch: Fetch) -> None:
        answer: object
        try:
            answer = await self._fetcher.fetch(fetch.request, fetch.priority)
        except FrameError as error:
            answer = RequestError(str(error))
        except CollectorError as error:
            answer = error
        self.carry_out(
            self.session.on_answer(fetch.token, answer, monotonic(), wall_us())  # type: ignore[arg-type]  # the parser's type is the request's
        )

    def _bury(self, output: Undecodable) -> None:
        self.counters.undecodable += 1
        self._log.warning("undecodable", error=output.error)
        letter = DeadLetter(
            self._exchange, self.name, output.receive_time, output.error, output.frame
        )
        key = f"{self._exchange}|{self.name}|{output.receive_time}"
        self.publisher.record(self._dead_letters, key, encode(letter))

    def _spawn(self, work: object) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)  # type: ignore[arg-type]  # a coroutine of None
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # a failure that no branch above expected must end the process, not vanish
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"connection {self.name} failed", "exception": error}
            )
