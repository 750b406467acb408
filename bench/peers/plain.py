"""The plain script that people write: websockets, json, aiokafka, not awaiting each send."""

from __future__ import annotations

import asyncio
import json
import sys

import websockets
from aiokafka import AIOKafkaProducer

SYMBOLS = {
    "BTCUSDT": "BTC-USDT",
    "ETHUSDT": "ETH-USDT",
    "SOLUSDT": "SOL-USDT",
    "XRPUSDT": "XRP-USDT",
}


async def main(url: str, bootstrap: str, prefix: str, count: int) -> None:
    """Send ``count`` trades to Kafka and say so."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, compression_type="lz4", linger_ms=5
    )
    await producer.start()
    async with websockets.connect(url, compression=None, max_queue=1024) as socket:
        names = [f"{symbol.lower()}@trade" for symbol in SYMBOLS]
        await socket.send(json.dumps({"method": "SUBSCRIBE", "params": names, "id": 1}))
        seen, last = 0, None
        async for text in socket:
            trade = json.loads(text)
            if trade.get("e") != "trade":
                continue
            symbol = SYMBOLS[trade["s"]]
            row = {
                "type": "trade",
                "exchange": "binance",
                "symbol": symbol.replace("-", "/"),
                "exchange_time": trade["T"] * 1000,
                "id": str(trade["t"]),
                "price": trade["p"],
                "amount": trade["q"],
                "side": "sell" if trade["m"] else "buy",
            }
            last = await producer.send(
                f"{prefix}.trade.binance.{symbol}",
                json.dumps(row).encode(),
                key=f"binance|{row['symbol']}".encode(),
            )
            seen += 1
            if seen == count:
                break
    await last
    await producer.flush()
    print("done", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
