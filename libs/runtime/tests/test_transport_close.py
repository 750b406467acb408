"""What the exchange's close says, and how much one message may be, on both transports."""

from __future__ import annotations

import asyncio
from typing import get_args

import pytest

from collector_runtime.transport import Kind, Options, connect

from .eventually import eventually
from .loopback import Recorder, accept, frame, raw_server, read_frame

QUICK = Options(close_timeout=0.2)
"""For servers here that never answer a close."""


@pytest.mark.parametrize("kind", get_args(Kind))
@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (frame(8, (4290).to_bytes(2) + b"slow down"), 4290),
        (frame(8, b""), None),
        (b"", None),
        (frame(3, b"unknown opcode"), None),
    ],
    ids=["own", "bare", "cut", "opcode"],
)
async def test_the_code_of_the_exchanges_close_is_known(
    kind: Kind, sent: bytes, expected: int | None
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer)
        await read_frame(reader)
        writer.write(sent)
        if sent:
            await reader.read()

    listener = Recorder()
    async with raw_server(talk) as url:
        transport = await connect(url, listener, QUICK, kind)
        assert transport.close_code is None
        transport.send("go")
        await eventually(lambda: listener.reasons)
        assert transport.close_code == expected


@pytest.mark.parametrize("kind", get_args(Kind))
async def test_a_whole_book_of_many_megabytes_is_one_message(kind: Kind) -> None:
    size = 20_000_000

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer)
        writer.write(frame(1, b"x" * size))
        await reader.read()

    listener = Recorder()
    async with raw_server(talk) as url:
        transport = await connect(url, listener, QUICK, kind)
        await eventually(lambda: listener.frames)
        assert [len(payload) for payload in listener.payloads] == [size]
        transport.close("enough")
        await transport.wait_closed()
