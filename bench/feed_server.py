"""A Binance that sends trades as fast as they are taken: WebSocket and REST on one loopback port.

Frames are made beforehand, so that the server costs the other core as little as it can. It speaks
just enough for the product, for cryptofeed and for a plain script: `/ws` and `/stream`, SUBSCRIBE,
`exchangeInfo`. Sending begins with `GET /_go`; `GET /_state` tells how far it is.

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


def frame(payload: bytes) -> bytes:
    """Return an unmasked text frame (RFC 6455, 5.2)."""
    if len(payload) < 126:
        return bytes((0x81, len(payload))) + payload
    return b"\x81\x7e" + struct.pack(">H", len(payload)) + payload


def trade_frames(count: int, kind: str, combined: bool) -> list[bytes]:
    """Return ``count`` trades in chunks of frames, round robin over the symbols, ids counting up."""
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


class Server:
    """One stream of trades for whoever subscribes first after `/_go`."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.go = asyncio.Event()
        self.subscribed = asyncio.Event()
        self.sent = 0
        self.frames: dict[tuple[str, bool], list[bytes]] = {}

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
            target = head.split(" ", 2)[1]
            fields = dict(
                line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line
            )
            if "upgrade" in fields:
                key = next(
                    line.split(": ", 1)[1]
                    for line in head.split("\r\n")
                    if line.lower().startswith("sec-websocket-key")
                )
                await self._stream(reader, writer, target, key)
                return
            body = b"{}"
            if target.startswith("/api/v3/exchangeInfo"):
                body = exchange_info()
            elif target.startswith("/_go"):
                await self.subscribed.wait()
                self.go.set()
            elif target.startswith("/_state"):
                body = json.dumps({"sent": self.sent, "ready": self.subscribed.is_set()}).encode()
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                % len(body)
            )
            writer.write(body)
            await writer.drain()

    async def _stream(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: str, key: str
    ) -> None:
        accept = base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()
        writer.write(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )
        combined = target.startswith("/stream")
        kind = "aggTrade" if "aggtrade" in target.lower() else "trade"
        chunks = self.frames.get((kind, combined))
        if chunks is None:
            chunks = self.frames[kind, combined] = trade_frames(self.count, kind, combined)
        listening = asyncio.create_task(self._listen(reader, writer))
        if "streams=" in target:
            self.subscribed.set()
        await self.go.wait()
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
            self.sent += CHUNK
        await listening

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
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
                self.subscribed.set()


async def main() -> None:
    """Serve until the parent ends us."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--kind", default="trade")
    parser.add_argument("--combined", action="store_true")
    arguments = parser.parse_args()
    server = Server(arguments.count)
    key = (arguments.kind, arguments.combined)
    server.frames[key] = trade_frames(arguments.count, *key)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=1 << 20)
    print(json.dumps({"port": listening.sockets[0].getsockname()[1]}), flush=True)
    # the parent holds our standard input; its end is our end
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
