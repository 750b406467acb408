"""One connection that is recorded: a session as in the ingestor, its rows only counted."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final

import structlog

from collector_core.errors import CollectorError, FrameError, RequestError, TransportError
from collector_core.events import Clock, Event, Status
from collector_feed.budget import Budget
from collector_feed.numbering import channel_of
from collector_feed.outputs import (
    Connect,
    Disconnect,
    Fetch,
    Output,
    Ping,
    Request,
    Send,
    Undecodable,
)
from collector_feed.session import Session
from collector_runtime.clock import monotonic, wall_us
from collector_runtime.recording import Recorder, request_text
from collector_runtime.rest import RestClient
from collector_runtime.transport import Listener, Options, Transport, connect

__all__ = ["Exchange", "RecordedConnection", "Tally"]

_THROTTLED: Final = frozenset({418, 429})


class Tally:
    """What came, for the progress and the summary."""

    def __init__(self) -> None:
        self.frames = 0
        # rows that the frames would give, by channel
        self.rows: Counter[str] = Counter()
        self.undecodable = 0

    def count(self, event: Event) -> None:
        """Count a row of a channel's own type; how the stream is, the recording does not hold."""
        if not isinstance(event, Status | Clock):
            self.rows[channel_of(event)] += 1


class Exchange:
    """What all connections to an exchange share.

    Args:
        rest: makes requests.
        weight: budget of their weight.
        attempts: budget of connection attempts.
        options: how a socket is opened.
    """

    def __init__(
        self, rest: RestClient, weight: Budget, attempts: Budget, options: Options
    ) -> None:
        self.rest = rest
        self.weight = weight
        self.attempts = attempts
        self.options = options


class _Link(Listener):
    """One socket's listener; the session's next socket gets a new one."""

    def __init__(self, owner: RecordedConnection) -> None:
        self._owner: RecordedConnection | None = owner

    def detach(self) -> None:
        self._owner = None

    def on_open(self, transport: Transport) -> None:
        if self._owner is None:
            transport.close("given up while it opened")
        else:
            self._owner.opened(transport)

    def on_frame(self, payload: bytes, receive_time: int) -> None:
        if self._owner is not None:
            self._owner.frame(payload, receive_time)

    def on_pong(self) -> None:
        if self._owner is not None:
            self._owner.session.on_pong(wall_us())

    def on_closed(self, reason: str) -> None:
        if self._owner is not None:
            self._owner.closed(reason, "lost")


class RecordedConnection:
    """Drives one session and records what passes on its sockets.

    Args:
        name: under which its lines stand in the recording.
        session: the state machine.
        recorder: takes the frames, as they come and before they are decoded.
        exchange: what it shares with the others.
        tally: counts.
        on_row: is given each row that the frames give; the bus is not.
    """

    def __init__(
        self,
        name: str,
        session: Session,
        recorder: Recorder,
        exchange: Exchange,
        tally: Tally,
        on_row: Callable[[Event], None],
    ) -> None:
        self.name = name
        self.session = session
        self._recorder = recorder
        self._exchange = exchange
        self._tally = tally
        self._on_row = on_row
        self._log = structlog.get_logger("collector.record").bind(connection=name)
        self._link: _Link | None = None
        self._transport: Transport | None = None
        self._opening: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def connected(self) -> bool:
        """Whether the socket is open."""
        return self._transport is not None

    def start(self) -> None:
        """Begin to connect."""
        self._carry_out(self.session.start(monotonic()))

    def tick(self, now: float, wall: int) -> None:
        """Let time pass for the session."""
        deadline = self.session.next_deadline()
        if deadline is not None and deadline <= now:
            self._carry_out(self.session.on_time(now, wall))

    async def stop(self, reason: str) -> None:
        """End for good."""
        transport = self._transport
        self._carry_out(self.session.stop(reason))
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if transport is not None:
            await transport.wait_closed()

    # --- what the socket does ----------------------------------------------------------------

    def opened(self, transport: Transport) -> None:
        """The socket is open."""
        self._transport = transport
        wall = wall_us()
        self._recorder.mark(self.name, "opened", wall)
        self._carry_out(self.session.on_connected(monotonic(), wall))

    def frame(self, payload: bytes, receive_time: int) -> None:
        """A frame came."""
        self._recorder.frame(self.name, payload, receive_time)
        self._tally.frames += 1
        self._carry_out(self.session.on_frame(payload, receive_time))

    def closed(
        self,
        reason: str,
        cause: str,
        *,
        throttled: bool = False,
        retry_after: float | None = None,
    ) -> None:
        """The socket is gone, or never opened."""
        self._forget(reason)
        self._log.warning("disconnected", cause=cause, reason=reason)
        self._carry_out(
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

    def _carry_out(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            match output:
                case Event():
                    self._tally.count(output)
                    self._on_row(output)
                case Send():
                    self._send(output.text)
                case Ping():
                    if self._transport is not None:
                        self._transport.ping()
                case Connect():
                    self._forget("replaced")
                    self._link = _Link(self)
                    self._opening = self._spawn(self._open(output.url, self._link))
                case Disconnect():
                    self._disconnect(output.reason)
                case Fetch():
                    self._spawn(self._fetch(output))
                case Undecodable():
                    self._tally.undecodable += 1
                    self._log.warning("undecodable", error=output.error)

    def _send(self, text: str) -> None:
        if self._transport is not None:
            self._recorder.sent(self.name, text, wall_us())
            self._transport.send(text)

    def _disconnect(self, reason: str) -> None:
        transport, opening = self._transport, self._opening
        self._forget(reason)
        if transport is not None:
            transport.close(reason)
        elif opening is not None:
            opening.cancel()

    def _forget(self, reason: str) -> None:
        if self._link is not None:
            self._link.detach()
        if self._transport is not None:
            self._recorder.mark(self.name, "closed", wall_us(), reason)
        self._link = None
        self._transport = None
        self._opening = None

    async def _open(self, url: str, link: _Link) -> None:
        delay = self._exchange.attempts.ask(1, monotonic())
        if delay > 0:
            await asyncio.sleep(delay)
        try:
            await connect(url, link, self._exchange.options)
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
            answer, wall = await self._answer(fetch.request)
        except FrameError as error:
            answer, wall = RequestError(str(error)), wall_us()
        except CollectorError as error:
            answer, wall = error, wall_us()
        self._carry_out(
            self.session.on_answer(fetch.token, answer, monotonic(), wall)  # type: ignore[arg-type]  # the parser's type is the request's
        )

    async def _answer(self, request: Request[Any]) -> tuple[object, int]:
        delay = self._exchange.weight.ask(request.weight, monotonic())
        if delay > 0:
            await asyncio.sleep(delay)
        response = await self._exchange.rest.send(request)
        # no await from here to the session: the line stands where the session took it
        self._recorder.answer(
            self.name, request_text(request), response.body, response.receive_time
        )
        return request.parse(response.body, response.receive_time), response.receive_time

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"connection {self.name} failed", "exception": error}
            )
