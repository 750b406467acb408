"""Which transport compresses, and when."""

from __future__ import annotations

import asyncio

import pytest
from websockets.asyncio.server import ServerConnection, serve

from collector_core.errors import TransportError
from collector_runtime.transport import Kind, Options, choose, connect

from .eventually import eventually
from .loopback import Recorder, acceptance, raw_server, read_head
from .test_transport import kind, url_of

__all__ = ["kind"]


def test_picows_is_chosen_unless_compression_is_wanted() -> None:
    assert choose(Options()) == "picows"
    assert choose(Options(compression=True)) == "websockets"


async def test_compression_is_negotiated_where_it_is_wanted() -> None:
    agreed: list[str] = []

    async def talk(connection: ServerConnection) -> None:
        assert connection.response is not None
        agreed.append(connection.response.headers.get("Sec-WebSocket-Extensions", ""))
        await connection.send("x" * 5_000)
        await connection.wait_closed()

    listener = Recorder()
    async with serve(talk, "127.0.0.1", 0) as server:
        transport = await connect(url_of(server), listener, Options(compression=True))
        await eventually(lambda: listener.frames)
        transport.close("enough")
        await transport.wait_closed()
    assert agreed[0].startswith("permessage-deflate")
    assert listener.payloads == [b"x" * 5_000]


async def test_an_extension_that_was_not_offered_is_refused(kind: Kind) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        headers = await read_head(reader)
        writer.write(acceptance(headers, "Sec-WebSocket-Extensions: permessage-deflate\r\n"))
        await reader.read()

    listener = Recorder()
    async with raw_server(talk) as url:
        with pytest.raises(TransportError, match="extension"):
            await connect(url, listener, kind=kind)
    assert listener.frames == []
