"""A Binance that sends trades as fast as they are taken: WebSocket and REST on one loopback port.

Frames are made beforehand, so that the server costs the other core as little as it can. It speaks
just enough for the product, for cryptofeed and for a plain script: `/ws` and `/stream`, SUBSCRIBE,
`exchangeInfo`. `GET /_go?frames=N` lets N more frames go, `GET /_state` tells how far it is.

Run as a process of its own; it prints its port as one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import json
import struct
import sys

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CHUNK = 256
SYMBOLS = (
    ("BTC", "USDT", 60_000_00),
    ("ETH", "USDT", 3_000_00),
    ("SOL", "USDT", 150_00),
    ("XRP", "USDT", 2_00),
)
START_MS = 1_790_000_000_000
"""Time of the first trade; a constant, so that each run decodes the same bytes."""


def frame(payload: bytes) -> bytes:
    """Return an unmasked text frame (RFC 6455, 5.2)."""
    if len(payload) < 126:
        return bytes((0x81, len(payload))) + payload
    return b"\x81\x7e" + struct.pack(">H", len(payload)) + payload


def trade_frames(count: int, kind: str, *, combined: bool) -> list[bytes]:
    """Return trades in chunks of frames, round robin over the symbols, their ids counting up."""
    chunks, chunk = [], []
    id_name = "t" if kind == "trade" else "a"
    extra = "" if kind == "trade" else '"f":1,"l":1,'
    for i in range(count):
        base, quote, cents = SYMBOLS[i % len(SYMBOLS)]
        number = i // len(SYMBOLS) + 1
        price = cents + (i * 7919) % 997
        time = START_MS + i // 100
        text = (
            f'{{"e":"{kind}","E":{time + 2},"s":"{base}{quote}","{id_name}":{number},{extra}'
            f'"p":"{price // 100}.{price % 100:02d}000000","q":"0.{(i * 31) % 99999999 + 1:08d}",'
            f'"T":{time},"m":{"true" if i & 1 else "false"},"M":true}}'
        )
        if combined:
            text = f'{{"stream":"{(base + quote).lower()}@{kind}","data":{text}}}'
        chunk.append(frame(text.encode()))
        if len(chunk) == CHUNK:
            chunks.append(b"".join(chunk))
            chunk = []
    if chunk:
        chunks.append(b"".join(chunk))
    return chunks


def exchange_info() -> bytes:
    """Return what `GET /api/v3/exchangeInfo` answers."""
    filters = [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": "0.01",
            "maxPrice": "1000000",
            "tickSize": "0.01",
        },
        {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001"},
        {"filterType": "NOTIONAL", "minNotional": "5.0"},
    ]
    symbols = [
        {
            "symbol": base + quote,
            "status": "TRADING",
            "baseAsset": base,
            "quoteAsset": quote,
            "filters": filters,
        }
        for base, quote, _ in SYMBOLS
    ]
    return json.dumps({"symbols": symbols}).encode()


class Stream:
    """What one client has been sent and may be sent."""

    def __init__(self, chunks: list[bytes]) -> None:
        self.chunks = chunks
        self.subscribed = asyncio.Event()
        self.changed = asyncio.Event()
        # frames sent, and up to which number it may go on
        self.sent = 0
        self.allowed = 0

    def allow(self, count: int) -> None:
        """Let ``count`` more frames go; chunks go whole."""
        self.allowed += count
        self.changed.set()

    async def send(self, writer: asyncio.StreamWriter) -> None:
        """Send what is allowed, as fast as it is taken."""
        for chunk in self.chunks:
            while self.sent >= self.allowed:
                self.changed.clear()
                await self.changed.wait()
            writer.write(chunk)
            await writer.drain()
            self.sent += CHUNK


class Server:
    """Streams of trades; `/_go?frames=N` and `/_state` are about the client that came last."""

    def __init__(self, chunks: list[bytes]) -> None:
        self.chunks = chunks
        self.newest: Stream | None = None

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
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            lines = head.split("\r\n")
            target = lines[0].split(" ", 2)[1]
            pairs = [line.split(": ", 1) for line in lines[1:] if ": " in line]
            fields = {name.lower(): value for name, value in pairs}
            if "upgrade" in fields:
                await self._stream(reader, writer, target, fields["sec-websocket-key"])
                return
            body = self._answer(target)
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                % len(body)
            )
            writer.write(body)
            await writer.drain()

    def _answer(self, target: str) -> bytes:
        newest = self.newest
        if target.startswith("/api/v3/exchangeInfo"):
            return exchange_info()
        if target.startswith("/_go?frames=") and newest is not None:
            newest.allow(int(target.partition("=")[2]))
        elif target.startswith("/_state"):
            ready = newest is not None and newest.subscribed.is_set()
            return json.dumps({"ready": ready, "sent": newest.sent if newest else 0}).encode()
        elif target.startswith("/_forget"):
            self.newest = None
        return b"{}"

    async def _stream(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: str, key: str
    ) -> None:
        accept = base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()
        writer.write(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )
        stream = self.newest = Stream(self.chunks)
        if "streams=" in target:
            stream.subscribed.set()
        sending = asyncio.create_task(stream.send(writer))
        try:
            await self._listen(reader, writer, stream)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _listen(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, stream: Stream
    ) -> None:
        """Answer SUBSCRIBE messages and pings until the client leaves."""
        while True:
            first, second = await reader.readexactly(2)
            size = second & 0x7F
            if size == 126:
                size = struct.unpack(">H", await reader.readexactly(2))[0]
            mask = await reader.readexactly(4)
            body = bytes(b ^ mask[i & 3] for i, b in enumerate(await reader.readexactly(size)))
            opcode = first & 0x0F
            if opcode == 8:
                return
            if opcode == 9:
                writer.write(bytes((0x8A, len(body))) + body)
            elif opcode == 1 and b"SUBSCRIBE" in body:
                answer = {"result": None, "id": json.loads(body)["id"]}
                writer.write(frame(json.dumps(answer).encode()))
                stream.subscribed.set()


async def main() -> None:
    """Serve until the parent ends us."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--kind", default="trade")
    parser.add_argument("--combined", action="store_true")
    arguments = parser.parse_args()
    server = Server(trade_frames(arguments.count, arguments.kind, combined=arguments.combined))
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=1 << 20)
    print(json.dumps({"port": listening.sockets[0].getsockname()[1]}), flush=True)
    # the parent holds our standard input; its end is our end
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
