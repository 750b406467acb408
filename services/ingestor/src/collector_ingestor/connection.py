"""One connection made real: the session decides, this carries out.

The way of a frame is `_Link.on_frame` → session → `Publisher.publish`, on the event loop, with no
task, no await and no log line on it. What is left over, sockets to open and requests to make, are
the few outputs that `carry_out` knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

import structlog

from collector_core.codec import encode
from collector_core.errors import CollectorError, FrameError, RequestError, TransportError
from collector_core.events import Event
from collector_core.records import DeadLetter
from collector_feed.budget import Budget
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
from collector_feed.session import Session
from collector_ingestor.fetcher import Fetcher
from collector_runtime.clock import monotonic, wall_us
from collector_runtime.kafka.publisher import HIGH_WATER, Publisher
from collector_runtime.metrics import Latency
from collector_runtime.transport import Kind, Listener, Options, Transport, connect

__all__ = ["Connection", "Counters"]

_ACTIONS: Final = frozenset({Connect, Disconnect, Send, Ping, Fetch, Undecodable})
_THROTTLED: Final = frozenset({418, 429})


class Counters:
    """What one connection has seen, as plain numbers; metrics read them when they are scraped."""

    __slots__ = ("bytes", "frames", "latency", "pauses", "undecodable")

    def __init__(self) -> None:
        self.frames = 0
        self.bytes = 0
        self.undecodable = 0
        # times that reading was paused for a slow broker
        self.pauses = 0
        # from receive to produce of the last frame of each batch that the socket held
        self.latency = Latency()


class _Link(Listener):
    """One socket's listener; a session that reconnects gets a new one, and the old falls silent."""

    def __init__(self, owner: Connection) -> None:
        self._owner: Connection | None = owner
        self._take = owner.session.on_frame
        self._publish = owner.publisher.publish
        self._counters = owner.counters
        # receive time of the last frame
        self._last = 0

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
        counters = self._counters
        counters.frames += 1
        counters.bytes += len(payload)
        self._last = receive_time
        for output in self._take(payload, receive_time):
            if type(output) in _ACTIONS:
                owner.carry_out((output,))
            else:
                self._publish(output)  # type: ignore[arg-type]  # what is no action is an event

    def batch_end(self) -> None:
        if self._owner is not None:
            self._counters.latency.observe(wall_us() - self._last)
            self._owner.batch_end()

    def on_pong(self) -> None:
        if self._owner is not None:
            self._owner.session.on_pong(wall_us())

    def on_closed(self, reason: str) -> None:
        if self._owner is not None:
            self._owner.closed(reason, "lost")


class Connection:
    """Drives one session.

    Args:
        name: for logs, metrics and dead letters.
        session: the state machine.
        publisher: takes the rows.
        fetcher: makes REST requests.
        attempts: the exchange's budget of connection attempts.
        options: how the socket is opened.
        transport: which WebSocket library; None leaves the choice.
        dead_letters: topic of frames that cannot be read.
    """

    def __init__(
        self,
        name: str,
        session: Session,
        publisher: Publisher,
        fetcher: Fetcher,
        attempts: Budget,
        options: Options,
        dead_letters: str,
        transport: Kind | None = None,
    ) -> None:
        self.name = name
        self.session = session
        self.publisher = publisher
        self.counters = Counters()
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
        self.carry_out(self.session.subscribe(subscriptions, monotonic()))

    def unsubscribe(self, subscriptions: Iterable[Subscription]) -> None:
        """Want streams no longer."""
        self.carry_out(self.session.unsubscribe(subscriptions, monotonic()))

    def tick(self, now: float, wall: int) -> None:
        """Let time pass for the session."""
        deadline = self.session.next_deadline()
        if deadline is not None and deadline <= now:
            self.carry_out(self.session.on_time(now, wall))

    def resume(self) -> None:
        """Read on after a pause."""
        if self._paused:
            self._paused = False
            if self._transport is not None:
                self._transport.resume_reading()
            self._log.info("reading_resumed", backlog=self.publisher.backlog())

    @property
    def connected(self) -> bool:
        """Whether the socket is open."""
        return self._transport is not None

    async def stop(self, reason: str) -> None:
        """End for good: say so in every stream, close the socket, end what is under way."""
        transport = self._transport
        self.carry_out(self.session.stop(reason))
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if transport is not None:
            await transport.wait_closed()

    # --- what the socket does ----------------------------------------------------------------

    def opened(self, link: _Link, transport: Transport) -> None:
        """The socket is open."""
        if link is not self._link:
            transport.close("replaced")
            return
        self._transport = transport
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

    def closed(
        self,
        reason: str,
        cause: str,
        *,
        throttled: bool = False,
        retry_after: float | None = None,
    ) -> None:
        """The socket is gone, or never opened."""
        self._forget()
        self._log.warning("disconnected", cause=cause, reason=reason)
        self.carry_out(
            self.session.on_closed(
                reason,
                monotonic(),
                wall_us(),
                cause=cause,
                throttled=throttled,
                retry_after=retry_after,
            )
        )

    # --- what the session wants --------------------------------------------------------------

    def carry_out(self, outputs: Iterable[Output]) -> None:
        """Do what the session asks for, in order."""
        for output in outputs:
            match output:
                case Event():
                    self.publisher.publish(output)
                case Send():
                    if self._transport is not None:
                        self._transport.send(output.text)
                case Ping():
                    if self._transport is not None:
                        self._transport.ping()
                case Connect():
                    self._forget()
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
        self._forget()
        if transport is not None:
            transport.close(reason)
        elif opening is not None:
            opening.cancel()

    def _forget(self) -> None:
        if self._link is not None:
            self._link.detach()
        self._link = None
        self._transport = None
        self._opening = None

    async def _open(self, url: str, link: _Link) -> None:
        delay = self._attempts.ask(1, monotonic())
        if delay > 0:
            await asyncio.sleep(delay)
        try:
            await connect(url, link, self._options, self._kind)
        except TransportError as error:
            if link is self._link:
                self.closed(
                    str(error),
                    "refused" if error.status is None else f"handshake {error.status}",
                    throttled=error.status in _THROTTLED,
                    retry_after=error.retry_after,
                )

    async def _fetch(self, fetch: Fetch) -> None:
        answer: object
        try:
            answer = await self._fetcher.fetch(fetch.request)
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
