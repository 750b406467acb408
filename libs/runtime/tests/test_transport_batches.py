"""How much one turn of the event loop takes from a socket."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest

from collector_runtime.transport import Kind, Options, connect

from .eventually import eventually
from .loopback import Recorder, acceptance, frame

QUICK = Options(close_timeout=0.2)


def _flood(listening: socket.socket, stalled: threading.Event, total: int) -> None:
    """Take a handshake and send ``total`` bytes; say when the client has no more room."""
    connection, _ = listening.accept()
    with connection:
        head = connection.recv(65536).decode()
        lines = (line.partition(": ") for line in head.split("\r\n")[1:-2])
        connection.sendall(acceptance({name.lower(): value for name, _, value in lines}))
        connection.settimeout(0.05)
        part = memoryview(frame(1, b"x" * 1000) * 250)
        sent = 0
        while sent < total:
            try:
                sent += connection.send(part[sent % len(part) :])
            except TimeoutError:
                stalled.set()
        stalled.set()
        connection.settimeout(10)
        # the close frame of the client
        connection.recv(65536)


@pytest.mark.parametrize("kind", ["picows", "websockets"])
async def test_a_reader_that_fell_behind_still_reads_in_small_batches(kind: Kind) -> None:
    stalled = threading.Event()
    total = 128 * 1004 * 250

    class Slow(Recorder):
        def __init__(self) -> None:
            super().__init__()
            self.largest = 0
            self.size = 0

        def on_frame(self, payload: bytes, receive_time: int) -> None:
            if not self.size and self.batches < 10:
                # the room that the kernel has, and each time makes more of, is full at every read
                assert stalled.wait(30)
                stalled.clear()
            super().on_frame(payload, receive_time)
            self.size += len(payload)

        def batch_end(self) -> None:
            super().batch_end()
            self.largest = max(self.largest, self.size)
            self.size = 0

    listener = Slow()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        flooding = asyncio.create_task(asyncio.to_thread(_flood, listening, stalled, total))
        url = f"ws://127.0.0.1:{listening.getsockname()[1]}/"
        transport = await connect(url, listener, QUICK, kind)
        await eventually(lambda: len(listener.frames) == total // 1004)
        transport.close("enough")
        await flooding
        await transport.wait_closed()
    assert listener.largest <= 2 * 1024 * 1024
