"""cryptofeed with its own Kafka backend, as its documentation shows it, on our server.

Its writer awaits each send; its trades come from Binance's aggTrade streams. It insists on TLS;
our server has none, for nobody, so the address is changed below its check.
"""

from __future__ import annotations

import sys
from typing import Any

from cryptofeed import FeedHandler, connection  # type: ignore[import-not-found]  # in its own environment
from cryptofeed.backends.kafka import TradeKafka  # type: ignore[import-not-found]  # in its own environment
from cryptofeed.connection import RestEndpoint, Routes, WebsocketEndpoint  # type: ignore[import-not-found]  # in its own environment
from cryptofeed.defines import TRADES  # type: ignore[import-not-found]  # in its own environment
from cryptofeed.exchanges import Binance  # type: ignore[import-not-found]  # in its own environment


def main(port: int, bootstrap: str, key: str) -> None:
    """Run until ended; the topics are ``<key>-BINANCE-<BASE>-<QUOTE>``."""
    base = f"127.0.0.1:{port}"
    Binance.websocket_endpoints = [WebsocketEndpoint(f"wss://{base}")]
    connect = connection.connect

    def without_tls(address: str, **options: Any) -> Any:  # noqa: ANN401  # cryptofeed has no types
        return connect(address.replace("wss://", "ws://", 1), **options)

    connection.connect = without_tls
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
            callbacks={TRADES: TradeKafka(key=key, bootstrap_servers=bootstrap)},
        )
    )
    handler.run()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
