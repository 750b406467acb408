"""The hot path: picows, which calls us for each frame without a task or a queue between."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from time import time_ns as _now
from typing import Final

import picows
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport
from python_socks import ProxyError

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

_TEXT: Final = WSMsgType.TEXT
_BINARY: Final = WSMsgType.BINARY
_CONTINUATION: Final = WSMsgType.CONTINUATION
_PING: Final = WSMsgType.PING
_PONG: Final = WSMsgType.PONG
_CLOSE: Final = WSMsgType.CLOSE
_NO_STATUS: Final = 1005
"""Stands for a close frame without a code (RFC 6455, 7.4.1)."""
_MAX_REASON_BYTES: Final = 123
_RECEIVE_BUFFER: Final = 512 * 1024
"""Bytes that the kernel is asked to hold unread (it takes twice as many, its own needs included).

picows reads what is there in one go and doubles its buffer for it, for good. Left to itself the
kernel holds up to 32 MB after a stall: seconds of frames in one turn of the event loop, in which
nothing else of the process happens. Measured: 57,000 frames in one turn, with this 8,000.
"""


async def connect(url: str, listener: Listener, options: Options) -> Transport:
    """Open a connection with picows.

    Raises:
        TransportError: no connection within the timeout, or the handshake was refused.
    """
    bridge = _Bridge(listener, options)
    try:
        async with asyncio.timeout(options.handshake_timeout):
            transport, _ = await picows.ws_connect(
                lambda: bridge,
                url,
                ssl_context=options.ssl,
                websocket_handshake_timeout=options.handshake_timeout,
                # we answer pings ourselves: picows would swallow such a frame's last_in_buffer
                enable_auto_pong=False,
                max_frame_size=options.max_frame_bytes,
                extra_headers=options.headers,
                proxy=options.proxy,
            )
    except picows.WSHandshakeError as error:
        response = error.response
        if response is None:
            raise TransportError(f"expected a WebSocket at {url}, was {describe(error)}") from error
        wait = retry_after(response.headers.get("Retry-After"), wall_us())
        raise TransportError(
            f"expected HTTP status 101 from {url}, was {int(response.status)}",
            int(response.status),
            wait,
        ) from error
    except TimeoutError as error:
        raise TransportError(
            f"expected {url} to answer within {options.handshake_timeout:g} s, was silent"
        ) from error
    except (OSError, ssl.SSLError, ProxyError, picows.WSError, ValueError) as error:
        raise TransportError(f"expected a WebSocket at {url}, was {describe(error)}") from error
    # picows resolves the handshake without an error when the socket closes in the middle of it
    if transport is None or transport.response is None:
        raise TransportError(f"expected an answer to the handshake from {url}, was a closed socket")
    if bridge.refusal is not None:
        raise TransportError(f"expected a WebSocket at {url}, was {bridge.refusal}")
    return bridge


class _Bridge(WSListener):
    """Both picows' listener and our transport, so that a frame passes one call only."""

    def __init__(self, listener: Listener, options: Options) -> None:
        self._listener = listener
        self._on_frame = listener.on_frame
        self._options = options
        self._ws: WSTransport
        # what is wrong with the server's handshake, though picows took it
        self.refusal: str | None = None
        # receive time of the frames of the present read; 0 between two reads
        self._read_at = 0
        # start of a fragmented message
        self._fragments: bytearray | None = None
        # why the connection ends, by the first who knew
        self._reason: str | None = None
        self._closing = False
        self._close_code: int | None = None
        # cuts the socket when a close takes too long
        self._cut: asyncio.TimerHandle | None = None
        self._closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    # --- what picows calls -----------------------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._ws = transport
        # picows reports a breach of the protocol here as well; unread, it would be an error of
        # its own when it is collected
        self._watch = asyncio.get_running_loop().create_task(self._see_off(transport))
        if "Sec-WebSocket-Extensions" in transport.response.headers:
            self.refusal = "an extension that was not offered"
            self._fail(WSCloseCode.MANDATORY_EXTENSION, self.refusal)
            return
        plain = transport.underlying_transport.get_extra_info("socket")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        try:
            self._listener.on_open(self)
        except Exception as error:  # noqa: BLE001  # handed to the loop, not swallowed
            self._crash(error)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        try:
            if kind is _TEXT and frame.fin and self._fragments is None:
                # frames after a breach of the protocol are not to be trusted
                if not transport.is_close_frame_sent:
                    at = self._read_at
                    if at == 0:
                        # one stamp for all frames of a read: they arrived together
                        at = self._read_at = _now() // 1000
                    # bytes: measured faster than a memoryview, and safe to keep
                    self._on_frame(frame.get_payload_as_bytes(), at)
            else:
                self._on_other(frame, kind)
            if frame.last_in_buffer:
                self._read_at = 0
                self._listener.batch_end()
        except Exception as error:  # noqa: BLE001  # handed to the loop, not swallowed
            self._crash(error)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        reason = self._reason
        if reason is None:
            handshake = transport.close_handshake
            sent = None if handshake is None else handshake.sent
            if sent is None:
                reason = "connection lost without a close frame"
            else:
                reason = f"protocol error: {sent.code.value} {sent.reason}".rstrip()
        self._closing = True
        if self._cut is not None:
            self._cut.cancel()
        self._closed.set_result(reason)
        if self.refusal is not None:
            return
        try:
            self._listener.on_closed(reason)
        except Exception as error:  # noqa: BLE001  # handed to the loop, not swallowed
            report_failure(error, "listener failed in on_closed")

    def pause_writing(self) -> None:
        """What we send is bounded by the caller; nothing to hold back."""

    def resume_writing(self) -> None:
        """See pause_writing."""

    async def _see_off(self, transport: WSTransport) -> None:
        with suppress(picows.WSProtocolError):
            await transport.wait_disconnected()

    # --- our transport -----------------------------------------------------------------------

    def send(self, text: str) -> None:
        if not self._closing:
            self._ws.send(_TEXT, text)

    def ping(self) -> None:
        if not self._closing:
            self._ws.send_ping()

    def pause_reading(self) -> None:
        socket = self._ws.underlying_transport
        if not self._closing and socket.is_reading():
            socket.pause_reading()

    def resume_reading(self) -> None:
        socket = self._ws.underlying_transport
        if not self._closing and not socket.is_reading():
            socket.resume_reading()

    def close(self, reason: str) -> None:
        self._end(WSCloseCode.OK, reason, reason)

    @property
    def close_code(self) -> int | None:
        return self._close_code

    async def wait_closed(self) -> str:
        return await asyncio.shield(self._closed)

    # --- the rest of the protocol ------------------------------------------------------------

    def _on_other(self, frame: WSFrame, kind: WSMsgType) -> None:
        if self._closing or self._ws.is_close_frame_sent:
            return
        if kind is _PING:
            self._ws.send_pong(frame.get_payload_as_bytes())
        elif kind is _PONG:
            self._listener.on_pong()
        elif kind is _CLOSE:
            # read here: picows has no member for the codes that applications choose
            payload = frame.get_payload_as_bytes()
            code = int.from_bytes(payload[:2]) if payload else _NO_STATUS
            self._close_code = code if payload else None
            text = payload[2:].decode(errors="replace")
            self._end(WSCloseCode.OK, f"closed by the exchange: {code} {text}".rstrip(), "")
        else:
            self._on_part(frame, kind)

    def _on_part(self, frame: WSFrame, kind: WSMsgType) -> None:
        if (kind is _CONTINUATION) != (self._fragments is not None):
            self._fail(
                WSCloseCode.PROTOCOL_ERROR,
                "a message began inside another, or went on without a beginning",
            )
            return
        if self._fragments is None:
            if frame.fin:
                self._on_frame(frame.get_payload_as_bytes(), _now() // 1000)
            else:
                self._fragments = bytearray(frame.get_payload_as_bytes())
            return
        self._fragments += frame.get_payload_as_bytes()
        size = len(self._fragments)
        if size > self._options.max_frame_bytes:
            self._fragments = None
            limit = self._options.max_frame_bytes
            self._fail(
                WSCloseCode.MESSAGE_TOO_BIG, f"expected at most {limit} bytes a message, was {size}"
            )
        elif frame.fin:
            whole = bytes(self._fragments)
            self._fragments = None
            self._on_frame(whole, _now() // 1000)

    def _fail(self, code: WSCloseCode, reason: str) -> None:
        self._end(code, f"protocol error: {code.value} {reason}", reason)

    def _crash(self, error: BaseException) -> None:
        report_failure(error, "listener failed")
        self._end(WSCloseCode.INTERNAL_ERROR, f"listener failed: {error!r}", "")

    def _end(self, code: WSCloseCode, reason: str, told: str) -> None:
        """Send a close frame once, and cut the socket if the other side takes too long."""
        if self._closing:
            return
        self._closing = True
        self._reason = reason
        short = told.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
        self._ws.send_close(code, short)
        self._ws.disconnect()
        self._cut = asyncio.get_running_loop().call_later(
            self._options.close_timeout,
            lambda: self._ws.disconnect(graceful=False),
        )
