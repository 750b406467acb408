"""One WebSocket of a client, written to without waiting."""

from __future__ import annotations

import socket
import struct
from typing import Final

from websockets.asyncio.server import ServerConnection
from websockets.protocol import State

from collector_testkit.dialects import Delivery

__all__ = ["MAX_UNSENT", "ClientConnection", "frame"]

MAX_UNSENT: Final = 64 * 1024 * 1024
"""Bytes that may wait for a slow client; with more it is cut, as exchanges do."""
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
_TEXT: Final = 0x81
_BINARY: Final = 0x82


def frame(payload: bytes, *, binary: bool) -> bytes:
    """Return a whole unmasked frame of a server (RFC 6455, section 5.2).

    Made once for all connections that get it, which websockets itself cannot.
    """
    size = len(payload)
    first = _BINARY if binary else _TEXT
    if size < 126:
        return bytes((first, size)) + payload
    if size < 65536:
        return struct.pack("!BBH", first, 126, size) + payload
    return struct.pack("!BBQ", first, 127, size) + payload


class ClientConnection(ServerConnection):
    """A connection that can be frozen, reset, split into small segments, written in batches."""

    frozen = False
    # set when bytes came since the venue was told so
    active = False
    # bytes of a TCP segment; 0 as many as there are
    _piece = 0
    # what waits for its segment; None when nothing does
    _unsent: bytearray | None = None
    # set when the stream is to be ended behind it
    _ends = False

    def data_received(self, data: bytes) -> None:
        """Note that the client is not idle, then go on as usual."""
        self.active = True
        super().data_received(data)

    def send_data(self) -> None:
        """Send what the protocol has to say, such as a pong, unless frozen."""
        if self.frozen:
            return
        if not self._piece and self._unsent is None:
            super().send_data()
            return
        for data in self.protocol.data_to_send():
            if data:
                self._put(data)
            else:
                self._ends = True
                self._put(b"")

    def write(self, batch: list[tuple[bytes, Delivery]]) -> None:
        """Send frames; on a connection that is frozen or no longer open they are lost.

        Args:
            batch: each delivery and its frame.
        """
        if self.frozen or self.protocol.state is not State.OPEN:
            return
        if self.protocol.extensions:
            for _, delivery in batch:
                if delivery.binary:
                    self.protocol.send_binary(delivery.payload)
                else:
                    self.protocol.send_text(delivery.payload)
            self.send_data()
        else:
            self._put(b"".join([data for data, _ in batch]))
        if self.transport.get_write_buffer_size() + len(self._unsent or b"") > MAX_UNSENT:
            self.reset()

    def freeze(self, *, frozen: bool) -> None:
        """Stop reading and writing, or go on. A frozen connection is not ended for its silence."""
        if frozen == self.frozen or self.transport.is_closing():
            return
        self.frozen = frozen
        if frozen:
            self.transport.pause_reading()
            if self.keepalive_task is not None:
                self.keepalive_task.cancel()
        else:
            self.transport.resume_reading()
            self.start_keepalive()
            self.send_data()

    def split(self, size: int) -> None:
        """Send what follows in TCP segments of ``size`` bytes, or (0) as it comes again."""
        self._piece = size

    def reset(self) -> None:
        """End the TCP connection at once; the client sees a reset."""
        raw = self.transport.get_extra_info("socket")
        if raw is not None and not self.transport.is_closing():
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.transport.abort()

    def _put(self, data: bytes) -> None:
        if self._unsent is not None:
            self._unsent += data
        elif self._piece:
            self._unsent = bytearray(data)
            self.loop.call_soon(self._send_piece)
        else:
            self.transport.write(data)

    def _send_piece(self) -> None:
        unsent = self._unsent
        if unsent is None or self.transport.is_closing():
            self._unsent = None
            return
        # one write an iteration of the loop, on a socket without Nagle's delay, is one segment
        size = self._piece or len(unsent)
        self.transport.write(bytes(unsent[:size]))
        del unsent[:size]
        if unsent:
            self.loop.call_soon(self._send_piece)
            return
        self._unsent = None
        if self._ends and self.transport.can_write_eof():
            self.transport.write_eof()
