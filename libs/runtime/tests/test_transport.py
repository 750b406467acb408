"""Both transports keep one contract, against real servers on loopback."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve

from collector_runtime.transport import Kind, Options, connect

from .eventually import eventually
from .loopback import Recorder, accept, acceptance, frame, raw_server, read_frame, read_head

KINDS: tuple[Kind, ...] = ("picows", "websockets")


QUICK = Options(close_timeout=0.2)
"""For servers here that never answer a close."""


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


def url_of(server: Server) -> str:
    return f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


@asynccontextmanager
async def echo() -> AsyncIterator[str]:
    async def talk(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    async with serve(talk, "127.0.0.1", 0) as server:
        yield url_of(server)


async def test_a_message_goes_out_and_its_echo_comes_back_as_bytes(kind: Kind) -> None:
    listener = Recorder()
    async with echo() as url:
        before = time.time_ns() // 1000
        transport = await connect(url, listener, QUICK, kind)
        transport.send("héllo")
        await eventually(lambda: listener.frames)
        assert listener.payloads == ["héllo".encode()]
        assert isinstance(listener.payloads[0], bytes)
        assert before <= listener.frames[0][1] <= time.time_ns() // 1000
        await eventually(lambda: listener.batches)
        assert listener.transport is transport
        transport.close("enough")
        assert await transport.wait_closed() == "enough"
        assert listener.reasons == ["enough"]


async def test_messages_keep_their_order(kind: Kind) -> None:
    listener = Recorder()
    async with echo() as url:
        transport = await connect(url, listener, QUICK, kind)
        for number in range(500):
            transport.send(str(number))
        await eventually(lambda: len(listener.frames) == 500)
        transport.close("enough")
        await transport.wait_closed()
    assert listener.payloads == [str(number).encode() for number in range(500)]


async def test_a_batch_ends_once_for_frames_that_came_together(kind: Kind) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer)
        await reader.readexactly(1)
        writer.write(frame(1, b"a") + frame(1, b"b") + frame(1, b"c") + frame(9, b"last"))
        await reader.read()

    listener = Recorder()
    async with raw_server(talk) as url:
        transport = await connect(url, listener, QUICK, kind)
        transport.send("go")
        await eventually(lambda: listener.batches)
        assert listener.payloads == [b"a", b"b", b"c"]
        assert listener.batches == 1
        transport.close("enough")
        await transport.wait_closed()


async def test_frames_in_the_same_packet_as_the_handshake_are_delivered(kind: Kind) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(acceptance(await read_head(reader)) + frame(1, b"early"))
        await reader.read()

    listener = Recorder()
    async with raw_server(talk) as url:
        transport = await connect(url, listener, QUICK, kind)
        await eventually(lambda: listener.frames)
        assert listener.payloads == [b"early"]
        transport.close("enough")
        await transport.wait_closed()


async def test_fragments_are_put_together_around_control_frames(kind: Kind) -> None:
    answered: list[tuple[int, bytes]] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer)
        writer.write(frame(1, b"one ", fin=False) + frame(9, b"alive?"))
        writer.write(frame(0, b"two ", fin=False) + frame(0, b"three") + frame(2, b"\x00"))
        answered.append(await read_frame(reader))
        await reader.read()

    listener = Recorder()
    async with raw_server(talk) as url:
        transport = await connect(url, listener, QUICK, kind)
        await eventually(lambda: len(listener.frames) == 2)
        assert listener.payloads == [b"one two three", b"\x00"]
        await eventually(lambda: answered)
        assert answered == [(10, b"alive?")]
        transport.close("enough")
        await transport.wait_closed()


async def test_an_answered_ping_is_told(kind: Kind) -> None:
    listener = Recorder()
    async with echo() as url:
        transport = await connect(url, listener, QUICK, kind)
        transport.ping()
        await eventually(lambda: listener.pongs)
        assert listener.pongs == 1
        transport.close("enough")
        await transport.wait_closed()


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (frame(8, (1001).to_bytes(2) + b"going away"), "closed by the exchange: 1001 going away"),
        (frame(8, (4001).to_bytes(2) + b"kicked"), "closed by the exchange: 4001 kicked"),
        (frame(8, b""), "closed by the exchange: 1005"),
        (b"", "connection lost without a close frame"),
        (frame(0, b"lost part"), "protocol error: 1002"),
        (frame(1, b"a", fin=False) + frame(1, b"b"), "protocol error: 1002"),
        (frame(3, b"unknown opcode"), "protocol error: 1002"),
        (frame(1, b"x" * 70_000), "protocol error: 1009"),
        (frame(1, b"x" * 40_000, fin=False) + frame(0, b"x" * 40_000), "protocol error: 1009"),
    ],
    ids=["away", "own", "bare", "cut", "orphan", "nested", "opcode", "huge", "huge-parts"],
)
async def test_the_end_has_a_reason(kind: Kind, sent: bytes, expected: str) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer)
        writer.write(frame(1, b"fine"))
        await read_frame(reader)
        writer.write(sent)
        if sent:
            await reader.read()

    listener = Recorder()
    async with raw_server(talk) as url:
        options = Options(max_frame_bytes=65_536, close_timeout=0.2)
        transport = await connect(url, listener, options, kind)
        await eventually(lambda: listener.frames)
        transport.send("go on")
        reason = await asyncio.wait_for(transport.wait_closed(), 5)
    assert reason.startswith(expected)
    assert listener.reasons == [reason]
    assert listener.payloads == [b"fine"]


async def test_a_half_closed_socket_is_an_end(kind: Kind) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer)
        writer.write_eof()
        await reader.read()

    listener = Recorder()
    async with raw_server(talk) as url:
        transport = await connect(url, listener, QUICK, kind)
        reason = await asyncio.wait_for(transport.wait_closed(), 5)
    assert reason == "connection lost without a close frame"


async def test_a_reset_socket_is_an_end(kind: Kind) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer)
        await writer.drain()
        raw: socket.socket = writer.get_extra_info("socket")
        # linger of 0 s: the kernel answers with RST instead of FIN
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        writer.transport.abort()

    listener = Recorder()
    async with raw_server(talk) as url:
        transport = await connect(url, listener, QUICK, kind)
        reason = await asyncio.wait_for(transport.wait_closed(), 5)
    assert reason == "connection lost without a close frame"


async def test_close_does_not_wait_for_a_server_that_never_answers(kind: Kind) -> None:
    release = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer)
        await release.wait()

    listener = Recorder()
    async with raw_server(talk) as url:
        transport = await connect(url, listener, Options(close_timeout=0.1), kind)
        transport.pause_reading()
        transport.close("enough")
        transport.close("twice")
        transport.send("too late")
        transport.ping()
        assert await asyncio.wait_for(transport.wait_closed(), 5) == "enough"
        assert listener.reasons == ["enough"]
        release.set()


async def test_no_frame_is_delivered_after_close(kind: Kind) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer)
        writer.write(frame(1, b"a") + frame(1, b"b") + frame(0, b"c"))
        await reader.read()

    class Hasty(Recorder):
        def on_frame(self, payload: bytes, receive_time: int) -> None:
            super().on_frame(payload, receive_time)
            assert self.transport is not None
            self.transport.close("first is enough")

    listener = Hasty()
    async with raw_server(talk) as url:
        transport = await connect(url, listener, Options(close_timeout=0.2), kind)
        assert await transport.wait_closed() == "first is enough"
    assert listener.payloads == [b"a"]


@pytest.mark.parametrize("where", ["on_open", "on_frame", "batch_end", "on_pong", "on_closed"])
async def test_an_exception_of_the_listener_reaches_the_loop(kind: Kind, where: str) -> None:
    caught: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: caught.append(context))
    error = ValueError("a bug")

    def fail(*_: object) -> None:
        raise error

    listener = Recorder()
    setattr(listener, where, fail)
    async with echo() as url:
        transport = await connect(url, listener, Options(close_timeout=0.2), kind)
        transport.send("hello")
        transport.ping()
        if where == "on_closed":
            transport.close("enough")
        reason = await asyncio.wait_for(transport.wait_closed(), 5)
        await eventually(lambda: caught)
    assert [context["exception"] for context in caught] == [error]
    assert reason == ("enough" if where == "on_closed" else f"listener failed: {error!r}")


async def pause(kind: Kind, url: str, options: Options, sent: Callable[[], int]) -> None:
    """Prove that a paused reader takes no bytes: the sender gets stuck, and goes on later."""
    listener = Recorder()
    transport = await connect(url, listener, options, kind)
    await eventually(lambda: listener.frames)
    transport.pause_reading()
    transport.pause_reading()
    held = -1
    # the sender is stuck when a whole turn of waiting moved nothing
    while held != sent():
        held = sent()
        await asyncio.sleep(0.2)
    taken = len(listener.frames)
    await asyncio.sleep(0.1)
    assert sent() == held
    assert len(listener.frames) == taken
    # what is between: socket buffers and one read buffer, not what the sender would like
    assert held - taken * 10_000 < 16_000_000
    transport.resume_reading()
    transport.resume_reading()
    await eventually(lambda: sent() > held + 1_000_000)
    assert len(listener.frames) > taken
    transport.close("enough")
    await asyncio.wait_for(transport.wait_closed(), 5)


def flood(counter: list[int]) -> Callable[[ServerConnection], Any]:
    async def talk(connection: ServerConnection) -> None:
        while True:
            await connection.send("x" * 10_000)
            counter[0] += 10_000

    return talk


async def test_a_pause_holds_the_server_back(kind: Kind) -> None:
    counter = [0]
    async with serve(flood(counter), "127.0.0.1", 0, compression=None) as server:
        await pause(kind, url_of(server), Options(), lambda: counter[0])


async def test_a_pause_out_of_a_frame_holds_the_server_back(kind: Kind) -> None:
    counter = [0]

    class Slow(Recorder):
        def on_frame(self, payload: bytes, receive_time: int) -> None:
            super().on_frame(payload, receive_time)
            assert self.transport is not None
            self.transport.pause_reading()

    listener = Slow()
    async with serve(flood(counter), "127.0.0.1", 0, compression=None) as server:
        transport = await connect(url_of(server), listener, kind=kind)
        held = -1
        while held != counter[0]:
            held = counter[0]
            await asyncio.sleep(0.2)
        taken = len(listener.frames)
        # what was read from the socket already, at most
        assert 1 <= taken < 100
        transport.resume_reading()
        await eventually(lambda: len(listener.frames) > taken)
        transport.close("enough")
        await asyncio.wait_for(transport.wait_closed(), 5)
