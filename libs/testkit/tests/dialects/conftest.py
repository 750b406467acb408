"""Desks of both exchanges, and readers of what they send."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from collector_testkit.dialects import Action, Close, Delivery, load
from collector_testkit.dialects.desk import Desk
from collector_testkit.market import Listing


@pytest.fixture
def binance() -> Callable[..., Desk]:
    listing = Listing("BTC/USDT", "84250.00", "0.01", "0.00001", "0.05", "5.00", orders=0)
    return lambda limits=None: Desk(load("binance"), listing, limits)


@pytest.fixture
def upbit() -> Callable[..., Desk]:
    listing = Listing("BTC/KRW", "116539000", "1000", "0.00000001", "0.02", "5000", orders=0)
    return lambda limits=None: Desk(load("upbit"), listing, limits)


@pytest.fixture
def texts() -> Callable[[list[Action]], list[str]]:
    """Return the payloads of deliveries; nothing else may be among them."""

    def read(actions: list[Action]) -> list[str]:
        payloads = []
        for action in actions:
            assert isinstance(action, Delivery)
            payloads.append(action.payload.decode())
        return payloads

    return read


@pytest.fixture
def closes() -> Callable[[list[Action]], list[tuple[int, int]]]:
    """Return connection and code of each close."""
    return lambda actions: [(a.connection, a.code) for a in actions if isinstance(a, Close)]
