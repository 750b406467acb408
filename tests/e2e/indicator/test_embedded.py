"""The broker that `make run` brings along: the same rows while nobody dies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from collector_core.errors import BrokerError
from collector_runtime.kafka.embedded import EmbeddedBroker, find_binary

from .bus import Bus, eventually
from .scenario import OPTIONS, SYMBOLS, complete, feed, markets_of, open_all

pytestmark = pytest.mark.e2e


@pytest.fixture
def embedded() -> Iterator[EmbeddedBroker]:
    try:
        find_binary()
    except BrokerError as reason:
        pytest.skip(str(reason))
    with EmbeddedBroker() as broker:
        yield broker


def test_the_demo_s_broker(embedded: EmbeddedBroker) -> None:
    bus = Bus(embedded.bootstrap_servers, "demo", options=OPTIONS)
    open_all(bus, SYMBOLS)
    markets = markets_of(SYMBOLS)
    with bus.process() as first:
        eventually(first.ready, 60, "readiness")
        feed(bus, markets, 300)
        complete(bus, SYMBOLS)
        first.end()
    feed(bus, markets, 300)
    with bus.process() as second:
        complete(bus, SYMBOLS)
        second.end()
