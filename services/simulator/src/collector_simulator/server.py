"""The sockets of one simulated exchange: WebSocket and REST on one port."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus
from itertools import count
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import msgspec
import websockets.http11
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed

from collector_core.errors import SettingsError
from collector_runtime.clock import wall_us
from collector_simulator.connection import ClientConnection, frame
from collector_simulator.control import PREFIX, Effect, Split, control
from collector_testkit.dialects import Close, Delivery, Freeze, Reply, Request
from collector_testkit.dialects.messages import ABORT, RESET
from collector_testkit.dialects.venue import Venue

__all__ = ["ExchangeServer"]

_OPEN_SECONDS: Final = 120.0
"""Seconds for a request and its answer, the slow ones among them."""


class ExchangeServer:
    """Gives a venue its clients.

    Args:
        venue: the exchange without sockets.
        compression: take permessage-deflate from clients that offer it.
    """

    def __init__(self, venue: Venue, *, compression: bool = False) -> None:
        self.venue = venue
        self.frames = 0
        self.bytes = 0
        self._compression = compression
        self._numbers = count(1)
        self._connections: dict[int, ClientConnection] = {}
        # closing handshakes that are under way
        self._closing: set[asyncio.Task[None]] = set()
        self._server: Server | None = None
        self._address = ("", 0)

    async def start(self, host: str, port: int) -> None:
        """Listen.

        Raises:
            OSError: the address cannot be had.
        """
        dialect = self.venue.dialect
        self._server = await serve(
            self._serve,
            host,
            port,
            process_request=self._answer,
            create_connection=ClientConnection,
            compression="deflate" if self._compression else None,
            ping_interval=dialect.ping_interval,
            ping_timeout=dialect.ping_timeout,
            close_timeout=1.0,
            open_timeout=_OPEN_SECONDS,
            server_header=None,
        )
        self._address = next(iter(self._server.sockets)).getsockname()[:2]

    @property
    def urls(self) -> dict[str, str]:
        """Where clients find the exchange."""
        host, port = self._address
        path = self.venue.dialect.websocket_path
        return {
            "websocket_url": f"ws://{host}:{port}{path}",
            "rest_url": f"http://{host}:{port}",
        }

    def step(self, now: int) -> None:
        """Let the exchange reach ``now`` (microseconds) and send what follows."""
        for number, connection in self._connections.items():
            if connection.active:
                connection.active = False
                self.venue.heard(number)
        self._send(self.venue.advance(now))

    async def stop(self, patience: float) -> None:
        """Close all connections with code 1001, then reset those that do not answer.

        Args:
            patience: seconds to wait for them.
        """
        if self._server is None:
            return
        self._server.close(close_connections=True, code=1001, reason="simulator stops")
        try:
            await asyncio.wait_for(asyncio.shield(self._server.wait_closed()), patience)
        except TimeoutError:
            for connection in list(self._connections.values()):
                connection.transport.abort()

    def state(self, wall: int) -> dict[str, Any]:
        """Return what a control call tells."""
        return {
            "exchange": self.venue.dialect.name,
            "now": self.venue.now,
            "lag": (wall - self.venue.now) / 1e6,
            "rate": self.venue.market.rate,
            "symbols": list(self.venue.market.symbols),
            "still": len(self.venue.market.symbols) - len(self.venue.market.trading),
            "maintenance": self.venue.in_maintenance,
            "connections": self.venue.connections,
            "frames": self.frames,
            "bytes": self.bytes,
            "faults": [msgspec.to_builtins(fault) for fault in self.venue.faults.waiting],
        }

    # --- requests ------------------------------------------------------------------------------

    async def _answer(
        self, connection: ServerConnection, request: websockets.http11.Request
    ) -> websockets.http11.Response | None:
        asked = _request(connection, request)
        if asked.path.startswith(PREFIX):
            return _response(self._control(asked))
        if asked.headers.get("upgrade", "").lower() == "websocket":
            refused = self.venue.refuse(asked)
            if refused is None:
                return None
            if refused.status == RESET and isinstance(connection, ClientConnection):
                connection.reset()
                # what is written to a connection that was reset goes nowhere
                refused = Reply(503, b"")
            return _response(refused)
        reply = self.venue.request(asked)
        if reply.delay:
            await asyncio.sleep(reply.delay)
        return _response(reply)

    def _control(self, asked: Request) -> Reply:
        json = (("Content-Type", "application/json"),)
        try:
            answer, actions = control(self.venue, asked.path.removeprefix(PREFIX), asked.query)
        except SettingsError as error:
            return Reply(400, msgspec.json.encode({"error": str(error)}), json)
        self._send(actions)
        body = self.state(wall_us()) | answer
        return Reply(200, msgspec.json.encode(body), json)

    async def _serve(self, connection: ServerConnection) -> None:
        if not isinstance(connection, ClientConnection) or connection.request is None:
            raise TypeError(f"expected a connection of ours after its handshake, was {connection}")
        number = next(self._numbers)
        self._connections[number] = connection
        try:
            self._send(self.venue.open(number, _request(connection, connection.request)))
            # a client or a fault may end it without a close frame
            with suppress(ConnectionClosed):
                async for message in connection:
                    self._send(self.venue.receive(number, message))
        finally:
            self.venue.close(number)
            del self._connections[number]

    # --- what goes out -------------------------------------------------------------------------

    def _send(self, actions: Sequence[Effect]) -> None:
        batches: dict[int, list[tuple[bytes, Delivery]]] = {}
        for action in actions:
            if type(action) is Delivery:
                data = frame(action.payload, binary=action.binary)
                for number in action.connections:
                    batches.setdefault(number, []).append((data, action))
                continue
            # the frames before it go out before it
            self._flush(batches)
            self._act(action)
        self._flush(batches)

    def _flush(self, batches: dict[int, list[tuple[bytes, Delivery]]]) -> None:
        for number, batch in batches.items():
            connection = self._connections.get(number)
            if connection is not None:
                self.frames += len(batch)
                self.bytes += sum([len(data) for data, _ in batch])
                connection.write(batch)
        batches.clear()

    def _act(self, action: Effect) -> None:
        match action:
            case Close(connection=number, code=code, reason=reason):
                connection = self._connections.get(number)
                if connection is None:
                    return
                if code == ABORT:
                    connection.reset()
                    return
                task = asyncio.create_task(connection.close(code, reason))
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)
            case Freeze(connection=number, frozen=frozen):
                connection = self._connections.get(number)
                if connection is not None:
                    connection.freeze(frozen=frozen)
            case Split(connection=aim, size=size, duration=seconds):
                for number, connection in self._connections.items():
                    if aim in {None, number}:
                        connection.split(size)
                        if seconds:
                            asyncio.get_running_loop().call_later(seconds, connection.split, 0)
            case Delivery():
                self._send([action])


def _request(connection: ServerConnection, request: websockets.http11.Request) -> Request:
    parts = urlsplit(request.path)
    address = connection.remote_address
    return Request(
        path=parts.path,
        query=dict(parse_qsl(parts.query, keep_blank_values=True)),
        headers={name.lower(): value for name, value in request.headers.raw_items()},
        client=str(address[0]) if address else "",
    )


def _response(reply: Reply) -> websockets.http11.Response:
    headers = Headers()
    for name, value in reply.headers:
        headers[name] = value
    headers["Content-Length"] = str(len(reply.body))
    headers["Connection"] = "close"
    known = {status.value: status.phrase for status in HTTPStatus}
    phrase = known.get(reply.status, "Error")
    return websockets.http11.Response(reply.status, phrase, headers, reply.body)
