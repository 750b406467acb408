"""A simulator in the loop of a test, and what tests say to it."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from collector_runtime.clock import wall_us
from collector_simulator.settings import SimulatorSettings
from collector_simulator.simulator import Simulator

DEADLINE = 60.0
"""Seconds after which a test gives up waiting; nothing is concluded from less."""
TRADES = json.dumps({"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 1})


class Running:
    """A simulator in this loop, and calls to it."""

    def __init__(self, simulator: Simulator, urls: dict[str, dict[str, str]]) -> None:
        self.simulator = simulator
        self.urls = urls

    def socket(self, exchange: str = "binance", **options: Any) -> Any:  # noqa: ANN401  # connect's own type
        address = self.urls[exchange]["websocket_url"]
        # a client whose queue is full does not read the close frame: it need not wait for it long
        return connect(address, compression=None, **({"close_timeout": 1.0} | options))

    async def get(self, path: str, exchange: str = "binance") -> tuple[int, dict[str, str], Any]:
        return await asyncio.to_thread(fetch, self.urls[exchange]["rest_url"] + path)

    async def control(self, call: str, exchange: str = "binance") -> Any:  # noqa: ANN401  # JSON
        status, _, body = await self.get(f"/_control/{call}", exchange)
        assert status == 200, body
        return body


def fetch(url: str) -> tuple[int, dict[str, str], Any]:
    try:
        with urllib.request.urlopen(url, timeout=DEADLINE) as answer:
            return answer.status, dict(answer.headers), json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), json.loads(error.read() or b"null")


@asynccontextmanager
async def running(**settings: Any) -> AsyncIterator[Running]:  # noqa: ANN401  # settings of any type
    options = {"simulator_rate": 200.0, "simulator_preroll": 20.0} | settings
    simulator = Simulator(SimulatorSettings.load(**options), wall_us())
    urls = await simulator.start()
    stop = asyncio.Event()
    loop = asyncio.create_task(simulator.run(stop))
    try:
        yield Running(simulator, urls)
    finally:
        stop.set()
        await loop
        await simulator.stop()


async def receive(socket: ClientConnection) -> Any:  # noqa: ANN401  # JSON
    async with asyncio.timeout(DEADLINE):
        return json.loads(await socket.recv())


async def trade_ids(socket: ClientConnection, count: int) -> list[int]:
    ids: list[int] = []
    while len(ids) < count:
        frame = await receive(socket)
        if frame.get("e") == "trade":
            ids.append(frame["t"])
    return ids
