"""A proxy before a broker that lets ends of transactions come late, or twice.

It knows Kafka's framing (four bytes of length, then key, version and correlation id), and has the
broker's answers name it in place of the broker, so that all connections of a client pass it.
"""

from __future__ import annotations

import asyncio
import threading
from asyncio import Future, StreamReader, StreamWriter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from struct import Struct
from typing import NamedTuple

_LENGTH = Struct(">i")
_HEAD = Struct(">hhi")
_CORRELATION = Struct(">i")
_PORT = Struct(">i")
_NAMING = frozenset({3, 10, 60})
"""Requests whose answers name brokers: Metadata, FindCoordinator, DescribeCluster."""


class Request(NamedTuple):
    """A frame of a client."""

    key: int
    version: int
    correlation: int
    frame: bytes


class Link:
    """A client's connection and that to the broker which belongs to it."""

    def __init__(
        self,
        client: tuple[StreamReader, StreamWriter],
        broker: tuple[StreamReader, StreamWriter],
        rename: Callable[[bytes], bytes],
    ) -> None:
        self._from_client, self._to_client = client
        self._from_broker, self._to_broker = broker
        self._rename = rename
        self._naming: set[int] = set()
        self._awaited: dict[int, Future[bytes]] = {}
        self._unwanted: dict[int, Future[bytes]] = {}

    async def requests(self) -> Request | None:
        """Return the client's next frame, or None at the end of the connection."""
        frame = await _read(self._from_client)
        if frame is None:
            return None
        key, version, correlation = _HEAD.unpack_from(frame)
        request = Request(key, version, correlation, frame)
        if request.key in _NAMING:
            self._naming.add(request.correlation)
        return request

    def send(self, request: Request) -> Future[bytes]:
        """Send a frame to the broker; return its answer, which the client gets too."""
        answer: Future[bytes] = asyncio.get_running_loop().create_future()
        self._awaited[request.correlation] = answer
        self._to_broker.write(_LENGTH.pack(len(request.frame)) + request.frame)
        return answer

    def send_twice(self, request: Request) -> Future[bytes]:
        """Send a frame two times; return the second answer, which the client does not get."""
        self.send(request)
        answer: Future[bytes] = asyncio.get_running_loop().create_future()
        self._unwanted[request.correlation] = answer
        self._to_broker.write(_LENGTH.pack(len(request.frame)) + request.frame)
        return answer

    def hang_up(self) -> None:
        """End the client's connection; that to the broker stays."""
        self._to_client.close()

    async def answers(self) -> None:
        """Pass the broker's answers on, until it ends the connection."""
        while (frame := await _read(self._from_broker)) is not None:
            [correlation] = _CORRELATION.unpack_from(frame)
            first = self._awaited.pop(correlation, None)
            if first is None:
                self._unwanted.pop(correlation).set_result(frame)
                continue
            if correlation in self._naming:
                self._naming.discard(correlation)
                frame = self._rename(frame)
            first.set_result(frame)
            # whoever it was for may be gone
            with suppress(ConnectionError):
                self._to_client.write(_LENGTH.pack(len(frame)) + frame)

    def close(self) -> None:
        """End both connections."""
        self._to_client.close()
        self._to_broker.close()
        for answer in (*self._awaited.values(), *self._unwanted.values()):
            answer.cancel()


Serve = Callable[[Link], Coroutine[None, None, None]]
"""Passes a client's requests on, or does otherwise, until the connection ends."""


@contextmanager
def proxy(broker: str, serve: Serve) -> Iterator[str]:
    """Run a proxy for the length of a block; yields its address.

    Args:
        broker: its address, as it names itself.
        serve: what is done with a connection's requests.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="proxy")
    thread.start()
    relay = _Relay(broker, serve)
    try:
        yield asyncio.run_coroutine_threadsafe(relay.open(), loop).result(10)
    finally:
        asyncio.run_coroutine_threadsafe(relay.close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class _Relay:
    def __init__(self, broker: str, serve: Serve) -> None:
        host, _, port = broker.rpartition(":")
        self._host, self._port = host, int(port)
        self._serve = serve
        self._own_port = 0
        self._server: asyncio.Server
        self._links: set[asyncio.Task[None]] = set()

    async def open(self) -> str:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self._own_port = self._server.sockets[0].getsockname()[1]
        return f"{self._host}:{self._own_port}"

    async def close(self) -> None:
        self._server.close()
        for task in self._links:
            task.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)

    def _rename(self, frame: bytes) -> bytes:
        # in all versions the port follows the host, and as wide as ours
        host = self._host.encode()
        return frame.replace(host + _PORT.pack(self._port), host + _PORT.pack(self._own_port))

    async def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.ensure_future(self._pass((reader, writer)))
        self._links.add(task)
        task.add_done_callback(self._links.discard)

    async def _pass(self, client: tuple[StreamReader, StreamWriter]) -> None:
        broker = await asyncio.open_connection(self._host, self._port)
        link = Link(client, broker, self._rename)
        answering = asyncio.ensure_future(link.answers())
        try:
            await self._serve(link)
        finally:
            answering.cancel()
            link.close()


async def _read(reader: StreamReader) -> bytes | None:
    try:
        [length] = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
