"""A venue with one client, its faults and its truth, for the tests of faults on both exchanges."""

from __future__ import annotations

import json
import random

import pytest

from collector_testkit.dialects import Action, Delivery, Request, load
from collector_testkit.dialects.dialect import Limits
from collector_testkit.dialects.venue import Venue
from collector_testkit.faults import Fault
from collector_testkit.truth import TruthFault, TruthRecord

START = 1_795_305_600_250_250
SECOND = 1_000_000
NAMES = ("binance", "upbit")
SYMBOL = {"binance": "BTC/USDT", "upbit": "BTC/KRW"}
SUBSCRIBE: dict[str, object] = {
    "binance": {
        "method": "SUBSCRIBE",
        "params": ["btcusdt@trade", "btcusdt@depth@100ms", "ethusdt@trade"],
        "id": 1,
    },
    "upbit": [
        {"ticket": "a"},
        {"type": "trade", "codes": ["KRW-BTC", "KRW-ETH"], "is_only_realtime": True},
        {"type": "orderbook", "codes": ["KRW-BTC"], "is_only_realtime": True},
    ],
}
ASK: dict[str, object] = {
    "binance": {"method": "LIST_SUBSCRIPTIONS", "id": 7},
    "upbit": [{"ticket": "b"}, {"method": "LIST_SUBSCRIPTIONS"}],
}
BOOK = {
    "binance": Request("/api/v3/depth", {"symbol": "BTCUSDT"}),
    "upbit": Request("/v1/orderbook", {"markets": "KRW-BTC"}),
}
both = pytest.mark.parametrize("name", NAMES)


class Run:
    """A venue with its truth, and one connection that subscribed."""

    def __init__(self, name: str, limits: Limits | None = None, rate: float = 100.0) -> None:
        self.truth: list[TruthRecord] = []
        self.venue = Venue(
            load(name),
            random.Random(5),
            START,
            symbols=[SYMBOL[name], SYMBOL[name].replace("BTC", "ETH")],
            rate=rate,
            limits=limits,
            truth=self.truth.extend,
        )
        self.name = name
        self.path = Request(self.venue.dialect.websocket_path)
        self.advance(5)

    def join(self, connection: int = 1) -> list[Action]:
        self.venue.open(connection, self.path)
        return self.say(SUBSCRIBE[self.name], connection)

    def say(self, message: object, connection: int = 1) -> list[Action]:
        return self.venue.receive(connection, json.dumps(message))

    def advance(self, seconds: float) -> list[Action]:
        return self.venue.advance(self.venue.now + int(seconds * SECOND))

    def faults(self) -> list[TruthFault]:
        return [record for record in self.truth if isinstance(record, TruthFault)]


def joined(name: str, fault: Fault | None = None) -> Run:
    run = Run(name)
    run.join()
    if fault is not None:
        run.venue.start(fault)
    return run


def payloads(actions: list[Action], channel: str | None = None) -> list[bytes]:
    return [
        action.payload
        for action in actions
        if isinstance(action, Delivery) and channel in {None, action.channel}
    ]


def plain(name: str, seconds: float = 2) -> list[bytes]:
    return payloads(joined(name).advance(seconds))
