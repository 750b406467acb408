"""A listener that keeps what it is told, and an exchange written with raw sockets."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from collector_runtime.transport import Listener, Transport

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Recorder(Listener):
    def __init__(self) -> None:
        self.transport: Transport | None = None
        self.frames: list[tuple[bytes, int]] = []
        self.batches = 0
        self.pongs = 0
        self.reasons: list[str] = []

    @property
    def payloads(self) -> list[bytes]:
        return [payload for payload, _ in self.frames]

    def on_open(self, transport: Transport) -> None:
        self.transport = transport

    def on_frame(self, payload: bytes, receive_time: int) -> None:
        self.frames.append((payload, receive_time))

    def batch_end(self) -> None:
        self.batches += 1

    def on_pong(self) -> None:
        self.pongs += 1

    def on_closed(self, reason: str) -> None:
        self.reasons.append(reason)


@asynccontextmanager
async def raw_server(talk: Talk) -> AsyncIterator[str]:
    """Serve each connection with ``talk`` on its bare streams; yield the URL."""
    errors: list[BaseException] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client is free to go at any time
        except Exception as error:  # noqa: BLE001  # raised again when the server ends
            errors.append(error)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    assert errors == []


async def read_head(reader: asyncio.StreamReader) -> dict[str, str]:
    """Read a request's head; return its headers by lower-case name."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    lines = head.split("\r\n")[1:-2]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def acceptance(headers: dict[str, str], extra: str = "") -> bytes:
    """Return the answer that accepts a handshake."""
    key = headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept}\r\n{extra}\r\n"
    ).encode()


async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take a handshake."""
    writer.write(acceptance(await read_head(reader)))


def frame(opcode: int, payload: bytes, *, fin: bool = True) -> bytes:
    """Return an unmasked frame as a server sends it."""
    size = len(payload)
    first = bytes([opcode | (0x80 if fin else 0)])
    if size < 126:
        return first + bytes([size]) + payload
    if size < 65536:
        return first + b"\x7e" + size.to_bytes(2) + payload
    return first + b"\x7f" + size.to_bytes(8) + payload


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read a short masked frame of a client; return opcode and payload."""
    first, second = await reader.readexactly(2)
    mask = await reader.readexactly(4)
    body = await reader.readexactly(second & 0x7F)
    return first & 0xF, bytes(b ^ mask[i % 4] for i, b in enumerate(body))
