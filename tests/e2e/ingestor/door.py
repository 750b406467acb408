"""A port in front of a simulated exchange that can be wrong in the ways that a real one can."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias

from collector_runtime.kafka.ports import LOOPBACK, free_ports

__all__ = ["Door", "Mode"]

Mode: TypeAlias = Literal["good", "untrusted", "plain", "silent", "reset", "refused"]
"""TLS and the exchange behind it; TLS that nobody trusts; a server without TLS; a port that takes
connections and says nothing, that resets them, and one that nobody listens on."""
_PIECE = 65536
_RESET = struct.pack("ii", 1, 0)


class Door:
    """A server on a thread of its own; a context manager.

    Args:
        port: of the exchange on loopback.
        trusted: certificate that the client takes.
        untrusted: one that it does not.
        mode: how it behaves at first.
    """

    def __init__(
        self, port: int, trusted: ssl.SSLContext, untrusted: ssl.SSLContext, mode: Mode
    ) -> None:
        self.port = free_ports()[0]
        self._behind = port
        self._contexts = {"good": trusted, "untrusted": untrusted}
        self._mode: Mode = mode
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="door")

    def turn(self, mode: Mode) -> None:
        """Behave otherwise from the next connection on."""
        self._run(self._turn(mode))

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._turn(self._mode))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _turn(self, mode: Mode) -> None:
        self._mode = mode
        if mode == "refused" and self._server is not None:
            self._server.close()
            self._server = None
        elif mode != "refused" and self._server is None:
            self._server = await asyncio.start_server(self._accept, LOOPBACK, self.port)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            await self._serve(reader, writer)
        except (OSError, ssl.SSLError):
            # the client went away, as it should from most of these
            return
        finally:
            self._serving.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mode = self._mode
        if mode == "reset":
            raw: socket.socket = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()
        elif mode == "silent":
            await reader.read()
        elif mode == "plain":
            await reader.read(_PIECE)
            writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
        else:
            await writer.start_tls(self._contexts[mode])
            from_exchange, to_exchange = await asyncio.open_connection(LOOPBACK, self._behind)
            both = (_pipe(reader, to_exchange), _pipe(from_exchange, writer))
            await asyncio.gather(*both)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(_PIECE):
            writer.write(piece)
            await writer.drain()
    finally:
        with suppress(OSError):
            writer.close()
