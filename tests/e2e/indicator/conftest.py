from __future__ import annotations

from collections.abc import Callable

import pytest

from collector_core.topics import Layout
from collector_testkit.broker import Broker

from .bus import Bus

MakeBus = Callable[..., Bus]


@pytest.fixture
def make_bus(broker: Broker, prefix: str) -> MakeBus:
    """Return how to make an installation; each has a prefix of its own."""
    made = 0

    def make(layout: Layout = "symbol", **options: str) -> Bus:
        nonlocal made
        made += 1
        return Bus(broker.bootstrap_servers, f"{prefix}-{made}", layout, options)

    return make
