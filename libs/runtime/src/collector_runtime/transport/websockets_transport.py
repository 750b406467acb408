"""The second transport: websockets, for compression and for servers that picows cannot talk to.

A task takes messages and calls the listener. While reading is paused it takes none; then the
library's own queue fills (16 messages) and it stops reading from the socket.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Coroutine
from typing import Any, Final

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidProxyStatus,
    InvalidStatus,
    InvalidURI,
)
from websockets.protocol import State

from collector_core.errors import TransportError
from collector_runtime.clock import wall_us
from collector_runtime.retry_after import retry_after
from collector_runtime.transport.interface import (
    Listener,
    Options,
    Transport,
    describe,
    report_failure,
)

__all__ = ["connect"]

_LOGGER: Final = logging.getLogger("websockets.client")
_MAX_REASON_BYTES: Final = 123
_NO_STATUS: Final = 1005
"""Stands for a close frame without a code (RFC 6455, 7.4.1)."""


async def connect(url: str, listener: Listener, options: Options) -> Transport:
    """Open a connection with websockets.

    Raises:
        TransportError: no connection within the timeout, or the handshake was refused.
    """
    tls: dict[str, Any] = {"ssl": options.ssl} if options.ssl and url.startswith("wss:") else {}
    try:
        connection = await open_websocket(
            url,
            compression="deflate" if options.compression else None,
            additional_headers=options.headers,
            user_agent_header=None,
            proxy=options.proxy,
            open_timeout=options.handshake_timeout,
            # the session decides when to ask for a sign of life
            ping_interval=None,
            close_timeout=options.close_timeout,
            max_size=options.max_frame_bytes,
            create_connection=_Socket,
            logger=_LOGGER,
            **tls,
        )
    except InvalidStatus as error:
        status = error.response.status_code
        wait = retry_after(error.response.headers.get("Retry-After"), wall_us())
        raise TransportError(
            f"expected HTTP status 101 from {url}, was {status}", status, wait
        ) from error
    except InvalidProxyStatus as error:
        raise TransportError(f"expected the proxy to reach {url}, was {error}") from error
    except TimeoutError as error:
        raise TransportError(
            f"expected {url} to answer within {options.handshake_timeout:g} s, was silent"
        ) from error
    except (OSError, ssl.SSLError, InvalidHandshake, InvalidURI, EOFError, ValueError) as error:
        raise TransportError(f"expected a WebSocket at {url}, was {describe(error)}") from error
    return _Connection(connection, listener, options)


class _Socket(ClientConnection):
    """The library's connection, which waits without end for a server to close the socket.

    RFC 6455 (7.1.1) lets the server close first; one that sent its close frame and then does
    nothing would keep us reading for ever.
    """

    _cut: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._cut is None and self.state is not State.OPEN and self.response is not None:
            self._cut = self.loop.call_later(self.close_timeout or 0.0, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._cut is not None:
            self._cut.cancel()
        super().connection_lost(exc)


class _Connection:
    def __init__(self, connection: ClientConnection, listener: Listener, options: Options) -> None:
        self._connection = connection
        self._listener = listener
        self._options = options
        self._loop = asyncio.get_running_loop()
        self._readable = asyncio.Event()
        self._readable.set()
        # why the connection ends, if we know it before the library does
        self._reason: str | None = None
        self._batch_open = False
        # tasks that send; kept so that none is collected while it runs
        self._sending: set[asyncio.Task[None]] = set()
        self._closed: asyncio.Future[str] = self._loop.create_future()
        try:
            listener.on_open(self)
        except Exception as error:  # noqa: BLE001  # handed to the loop, not swallowed
            self._crash(error)
        self._reader = self._loop.create_task(self._read(), name="websockets-reader")

    def send(self, text: str) -> None:
        if self._reason is None:
            self._spawn(self._send(text))

    def ping(self) -> None:
        if self._reason is None:
            self._spawn(self._ping())

    def pause_reading(self) -> None:
        self._readable.clear()

    def resume_reading(self) -> None:
        self._readable.set()

    def close(self, reason: str) -> None:
        self._end(1000, reason, reason)

    @property
    def close_code(self) -> int | None:
        received = self._connection.protocol.close_rcvd
        return None if received is None or received.code == _NO_STATUS else received.code

    async def wait_closed(self) -> str:
        return await asyncio.shield(self._closed)

    def _ending(self) -> bool:
        return self._reason is not None

    async def _read(self) -> None:
        connection = self._connection
        try:
            while not self._ending():
                if not self._readable.is_set():
                    await self._readable.wait()
                payload = await connection.recv(decode=False)
                if self._ending():
                    break
                self._listener.on_frame(payload, wall_us())
                if not self._batch_open:
                    # recv does not yield while messages are queued, so this runs after the last
                    self._batch_open = True
                    self._loop.call_soon(self._end_batch)
        except ConnectionClosed as error:
            if self._reason is None:
                self._reason = _reason_of(error)
        except Exception as error:  # noqa: BLE001  # handed to the loop, not swallowed
            self._crash(error)
        await connection.wait_closed()
        for task in self._sending:
            task.cancel()
        reason = self._reason or "connection lost without a close frame"
        self._closed.set_result(reason)
        try:
            self._listener.on_closed(reason)
        except Exception as error:  # noqa: BLE001  # handed to the loop, not swallowed
            report_failure(error, "listener failed in on_closed")

    def _end_batch(self) -> None:
        self._batch_open = False
        try:
            self._listener.batch_end()
        except Exception as error:  # noqa: BLE001  # handed to the loop, not swallowed
            self._crash(error)

    async def _send(self, text: str) -> None:
        await self._connection.send(text)

    async def _ping(self) -> None:
        answered = await self._connection.ping()
        await answered
        self._listener.on_pong()

    def _spawn(self, coroutine: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(coroutine)
        self._sending.add(task)
        task.add_done_callback(self._sent)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        # a connection that closed meanwhile is told by the reader
        if error is not None and not isinstance(error, ConnectionClosed):
            self._crash(error)

    def _crash(self, error: BaseException) -> None:
        report_failure(error, "listener failed")
        self._end(1011, f"listener failed: {error!r}", "")

    def _end(self, code: int, reason: str, told: str) -> None:
        if self._reason is not None:
            return
        self._reason = reason
        self._readable.set()
        short = told.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
        self._spawn(self._connection.close(code, short))


def _reason_of(error: ConnectionClosed) -> str:
    if error.rcvd is not None and (error.sent is None or error.rcvd_then_sent):
        return f"closed by the exchange: {error.rcvd.code} {error.rcvd.reason}".rstrip()
    if error.sent is not None:
        return f"protocol error: {error.sent.code} {error.sent.reason}".rstrip()
    return "connection lost without a close frame"
