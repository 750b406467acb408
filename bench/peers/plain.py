"""The plain script that people write: websockets, json, aiokafka.

The last argument says how rows are sent: ``send`` does not await each delivery, ``await`` does.
"""

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


async def main(url: str, bootstrap: str, prefix: str, how: str) -> None:
    """Send trades to Kafka until ended."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, compression_type="lz4", linger_ms=5
    )
    await producer.start()
    send = producer.send_and_wait if how == "await" else producer.send
    async with websockets.connect(url, compression=None, max_queue=1024) as socket:
        names = [f"{symbol.lower()}@trade" for symbol in SYMBOLS]
        await socket.send(json.dumps({"method": "SUBSCRIBE", "params": names, "id": 1}))
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
            await send(
                f"{prefix}.trade.binance.{symbol}",
                json.dumps(row).encode(),
                key=f"binance|{row['symbol']}".encode(),
            )


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5]))
