"""cryptofeed with its own Kafka backend, as its documentation shows it, on our server."""

from __future__ import annotations

import sys

from cryptofeed import FeedHandler
from cryptofeed.backends.kafka import TradeKafka
from cryptofeed.connection import RestEndpoint, Routes, WebsocketEndpoint
from cryptofeed.defines import TRADES
from cryptofeed.exchanges import Binance


def main(port: int, bootstrap: str) -> None:
    """Run until ended."""
    base = f"127.0.0.1:{port}"
    Binance.websocket_endpoints = [WebsocketEndpoint(f"ws://{base}")]
    Binance.rest_endpoints = [
        RestEndpoint(
            f"http://{base}",
            routes=Routes("/api/v3/exchangeInfo", l2book="/api/v3/depth?symbol={}&limit={}"),
        )
    ]
    handler = FeedHandler(
        config={"log": {"filename": "/dev/null", "level": "ERROR"}, "uvloop": True}
    )
    handler.add_feed(
        Binance(
            symbols=["BTC-USDT", "ETH-USDT", "SOL-USDT", "XRP-USDT"],
            channels=[TRADES],
            callbacks={TRADES: TradeKafka(bootstrap_servers=bootstrap)},
        )
    )
    handler.run()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
