"""An exchange that sends a recorded minute again and again, at a steady rate (``soak_frames``).

A process of its own: WebSocket and REST on one loopback port. Subscriptions are acknowledged, the
book's REST snapshot is that of the moment, everything else of REST is the simulated exchange's.
Standard input takes ``go <second>`` (send from that second of the wall clock on); ``/_state``
answers with what was sent and by how much the sending is late.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import gc
import hashlib
import json
import random
import struct
import sys
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from bench.feed_server import GUID
from bench.soak_frames import BEGIN, ROUND, Round, Template, name, record

from collector_testkit.dialects import Reply, Request, load
from collector_testkit.dialects.venue import Venue

__all__ = ["Sender", "main"]

_TICK: Final = 0.005
_FULL: Final = 16_000_000
"""Bytes that wait for a client at which nothing more is made: it is late, and said to be."""
_MOST: Final = 100_000
"""Microseconds of the schedule that are sent at once; after a stall it takes several turns."""
_QUIET: Final = 0.000_01
"""Actions a second of the market that answers REST: it only has to be there."""
_CHANNELS: Final = {
    "trade": "trade", "ticker": "ticker", "orderbook": "book", "depth@100ms": "book",
    "kline_1m": "candle", "candle.1m": "candle",
}  # fmt: skip


class Client:
    """One WebSocket."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.streams: set[tuple[str, str]] = set()

    def read(self, text: str) -> bytes | None:
        """Take a message; return the answer, if there is one."""
        if text == "PING":
            return b'{"status":"UP"}'
        message = json.loads(text)
        if isinstance(message, list):
            # Upbit: the whole list each time
            self.streams = {
                (_CHANNELS[part["type"]], code)
                for part in message
                if "codes" in part
                for code in part["codes"]
            }
            return None
        for stream in message["params"]:
            symbol, _, kind = stream.partition("@")
            change = self.streams.add if message["method"] == "SUBSCRIBE" else self.streams.discard
            change((_CHANNELS[kind], symbol.upper()))
        return json.dumps({"result": None, "id": message["id"]}).encode()


class Sender:
    """Sends the rounds to whoever has subscribed.

    Args:
        minute: what a round holds.
        symbols: how many symbols borrow the models' frames, by turns.
        clock: wall clock in seconds.
    """

    def __init__(self, minute: Round, symbols: int, clock: Callable[[], float]) -> None:
        self.clients: list[Client] = []
        self.frames = 0
        self.snapshots = 0
        self._round = minute
        self._clock = clock
        dialect = load(minute.exchange)
        self.symbols = [name(number, minute.exchange) for number in range(symbols)]
        self._wire = [dialect.to_venue(symbol).encode() for symbol in self.symbols]
        self._model = {wire: i % len(minute.names) for i, wire in enumerate(self._wire)}
        # second of the wall clock at which the first round began, None before
        self.begin: float | None = None
        # the next template, and the round it is of
        self._place = 0
        self._number = 0
        # (channel, model) -> clients and the names of their symbols
        self._routes: dict[tuple[str, int], list[tuple[Client, list[bytes]]]] = {}
        # Upbit's frames are binary, Binance's are text
        self._opcode = 0x82 if minute.exchange == "upbit" else 0x81

    def routed(self) -> None:
        """Take note of what the clients have subscribed."""
        self._routes = {}
        for client in self.clients:
            for channel, wire in sorted(client.streams):
                model = self._model.get(wire.encode())
                if model is None:
                    continue
                route = self._routes.setdefault((channel, model), [])
                if not route or route[-1][0] is not client:
                    route.append((client, []))
                route[-1][1].append(wire.encode())

    def late(self) -> float:
        """Return by how many seconds the next frame is late; 0 before the beginning."""
        if self.begin is None:
            return 0.0
        template = self._round.templates[self._place]
        due = self.begin + (self._number * ROUND + template.offset) / 1e6
        return max(0.0, self._clock() - due)

    def send_due(self) -> None:
        """Send what is due."""
        if self.begin is None:
            return
        elapsed = int((self._clock() - self.begin) * 1e6)
        out: dict[Client, list[bytes]] = {client: [] for client in self.clients}
        templates = self._round.templates
        if any(c.writer.transport.get_write_buffer_size() > _FULL for c in self.clients):
            return
        next_one = self._number * ROUND + templates[self._place].offset
        until = min(elapsed, next_one + _MOST)
        while self._number * ROUND + templates[self._place].offset <= until:
            self._send(templates[self._place], out)
            self._place += 1
            if self._place == len(templates):
                self._place = 0
                self._number += 1
        for client, parts in out.items():
            if parts:
                client.writer.write(b"".join(parts))

    def _times(self) -> int:
        # the recorded minute becomes the minute that the round is sent in
        return int(self.begin or 0) * 1000 + (self._number * ROUND - BEGIN) // 1000

    def _send(self, template: Template, out: dict[Client, list[bytes]]) -> None:
        routes = self._routes.get((template.channel, template.model), ())
        if not routes:
            return
        payload = template.frame(*self._round.moves(template.model, self._number, self._times()))
        framed = _framed(self._opcode, payload)
        model = self._round.names[template.model]
        for client, names in routes:
            self.frames += len(names)
            out[client].extend([framed.replace(model, wire) for wire in names])

    def snapshot(self, wire: bytes) -> bytes:
        """Return the answer of REST for a symbol's book as of the last frame sent."""
        self.snapshots += 1
        return self._round.snapshot(self._model[wire], self._number, self._place)


class Server:
    """WebSocket and REST of one port."""

    def __init__(self, sender: Sender, venue: Venue) -> None:
        self._sender = sender
        self._venue = venue

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one TCP connection."""
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client is done
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            parts = urlsplit(lines[0].split(" ", 2)[1])
            pairs = [line.split(": ", 1) for line in lines[1:] if ": " in line]
            fields = {field.lower(): value for field, value in pairs}
            if "upgrade" in fields:
                await self._listen(reader, writer, fields["sec-websocket-key"])
                return
            reply = self._answer(Request(parts.path, dict(parse_qsl(parts.query))))
            head = f"HTTP/1.1 {reply.status} .\r\nContent-Length: {len(reply.body)}\r\n"
            head += "".join(f"{field}: {value}\r\n" for field, value in reply.headers)
            writer.write(head.encode() + b"Content-Type: application/json\r\n\r\n" + reply.body)
            await writer.drain()

    def _answer(self, request: Request) -> Reply:
        sender = self._sender
        if request.path == "/_state":
            state = {
                "streams": sum(len(client.streams) for client in sender.clients),
                "frames": sender.frames,
                "snapshots": sender.snapshots,
                "late": sender.late(),
                "waiting": sum(c.writer.transport.get_write_buffer_size() for c in sender.clients),
            }
            return Reply(200, json.dumps(state).encode())
        self._venue.advance(int(time.time() * 1e6))
        reply = self._venue.request(request)
        if request.path.endswith("/depth") and reply.status == 200:
            return Reply(200, sender.snapshot(request.query["symbol"].encode()), reply.headers)
        return reply

    async def _listen(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, key: str
    ) -> None:
        accept = base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()
        writer.write(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )
        client = Client(writer)
        self._sender.clients.append(client)
        try:
            while True:
                first, second = await reader.readexactly(2)
                size = second & 0x7F
                if size == 126:
                    size = struct.unpack(">H", await reader.readexactly(2))[0]
                elif size == 127:
                    size = struct.unpack(">Q", await reader.readexactly(8))[0]
                mask = await reader.readexactly(4)
                body = bytes(b ^ mask[i & 3] for i, b in enumerate(await reader.readexactly(size)))
                opcode = first & 0x0F
                if opcode == 8:
                    return
                if opcode == 9:
                    writer.write(bytes((0x8A, len(body))) + body)
                elif opcode == 1:
                    answer = client.read(body.decode())
                    if answer is not None:
                        writer.write(_framed(0x81, answer))
                    self._sender.routed()
        finally:
            self._sender.clients.remove(client)
            self._sender.routed()


def _framed(opcode: int, payload: bytes) -> bytes:
    """Return an unmasked frame (RFC 6455, 5.2)."""
    size = len(payload)
    if size < 126:
        return bytes((opcode, size)) + payload
    if size < 1 << 16:
        return bytes((opcode, 126)) + struct.pack(">H", size) + payload
    return bytes((opcode, 127)) + struct.pack(">Q", size) + payload


async def main() -> None:
    """Serve until the parent ends us."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--exchange", required=True)
    parser.add_argument("--symbols", type=int, required=True)
    parser.add_argument("--models", type=int, required=True)
    parser.add_argument("--each", type=float, required=True, help="frames/s of a symbol")
    parser.add_argument("--market", type=float, required=True, help="actions/s of a model")
    given = parser.parse_args()
    minute = record(given.exchange, given.models, given.each, given.market)
    sender = Sender(minute, given.symbols, time.time)
    venue = Venue(
        load(given.exchange), random.Random(1), int(time.time() * 1e6),
        symbols=sender.symbols, rate=_QUIET,
    )  # fmt: skip
    # nothing of the recording is garbage; a full collection over it would be a stall of its own
    gc.collect()
    gc.freeze()
    listening = await asyncio.start_server(
        Server(sender, venue).serve, "127.0.0.1", 0, limit=1 << 20
    )
    print(json.dumps({"port": listening.sockets[0].getsockname()[1]}), flush=True)
    sending = asyncio.create_task(_send(sender))
    loop = asyncio.get_running_loop()
    # the parent holds our standard input; its end is our end
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        sender.begin = float(line.split()[1])
    sending.cancel()


async def _send(sender: Sender) -> None:
    while True:
        sender.send_due()
        await asyncio.sleep(_TICK)


if __name__ == "__main__":
    asyncio.run(main())
