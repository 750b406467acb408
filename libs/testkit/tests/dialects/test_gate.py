"""Limits of handshakes and of open connections, by client address."""

from __future__ import annotations

import random

import pytest

from collector_testkit.dialects import Request, load
from collector_testkit.dialects.dialect import Limits
from collector_testkit.dialects.venue import Venue

START = 1_795_305_600_250_250
SECOND = 1_000_000


def venue(name: str, limits: Limits | None = None) -> Venue:
    return Venue(load(name), random.Random(5), START, rate=0.0, limits=limits)


def status(made: Venue, client: str = "127.0.0.1") -> int:
    refused = made.refuse(Request(made.dialect.websocket_path, client=client))
    return 101 if refused is None else refused.status


@pytest.mark.parametrize("name", ["binance", "upbit"])
def test_handshakes_of_an_address_are_limited(name: str) -> None:
    made = venue(name, Limits(attempts=(3, 10.0)))
    assert [status(made) for _ in range(5)] == [101, 101, 101, 429, 429]
    assert status(made, "127.0.0.2") == 101
    made.advance(START + 9 * SECOND)
    # the refused ones count as well: the three newest attempts are of now and of 9 s ago
    assert status(made) == 429
    made.advance(START + 18 * SECOND)
    assert [status(made) for _ in range(3)] == [101, 101, 429]


def test_the_wait_is_said_where_the_exchange_says_it() -> None:
    made = venue("binance", Limits(attempts=(1, 10.0)))
    assert status(made) == 101
    made.advance(START + 4 * SECOND)
    refused = made.refuse(Request("/ws"))
    assert refused is not None
    assert ("Retry-After", "10") in refused.headers


def test_the_exchange_has_a_limit_of_its_own() -> None:
    made = venue("binance")
    assert [status(made) for _ in range(301)] == [101] * 300 + [429]
    made = venue("upbit")
    assert [status(made) for _ in range(6)] == [101] * 5 + [429]


def test_open_connections_of_an_address_are_limited() -> None:
    made = venue("binance", Limits(connections=2))
    for number, client in ((1, "a"), (2, "a"), (3, "b")):
        assert status(made, client) == 101
        made.open(number, Request("/ws", client=client))
    assert status(made, "a") == 429
    assert status(made, "b") == 101
    made.close(1)
    made.close(1)
    assert status(made, "a") == 101
