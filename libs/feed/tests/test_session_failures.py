"""A session whose exchange fails it, in each of the ways that exchanges know."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

import msgspec
import pytest

from collector_core.errors import Throttled
from collector_core.events import Status
from collector_exchanges.binance.adapter import BinanceAdapter
from collector_exchanges.binance.spec import SPEC
from collector_feed.options import SessionOptions
from collector_feed.outputs import Connect, Disconnect, Fetch, Ping, Send, Subscription
from collector_feed.session import Phase
from collector_feed.spec import Rate, Spec

from .scripted import (
    BTC,
    ETH,
    Exchange,
    acknowledge,
    book,
    books,
    never,
    table,
    trades,
    unavailable,
)


def live(*subscriptions: Subscription, options: SessionOptions | None = None) -> Exchange:
    exchange = Exchange(options=options)
    exchange.start(*(subscriptions or trades(BTC, ETH)))
    exchange.run(0.5)
    return exchange


# --- losing the connection -------------------------------------------------------------------


def test_a_lost_connection_is_said_and_everything_is_asked_for_again() -> None:
    exchange = live(*trades(BTC), *books(ETH))
    exchange.trade(BTC, 1)
    exchange.forget()
    exchange.closed("reset by peer")
    assert exchange.session.phase is Phase.WAITING
    exchange.run(5.0)
    assert exchange.session.losses == {"lost": 1}
    assert exchange.messages() == [["btcusdt@trade", "ethusdt@depth@100ms"]]
    assert exchange.rows(BTC) == ["disconnected", "subscribed"]
    assert exchange.of(Status)[0].reason == "reset by peer"
    assert exchange.rows(ETH, "book") == [
        *("disconnected", "subscribed", "resyncing", "synced", "snapshot 100")
    ]
    exchange.trade(BTC, 4)
    assert exchange.rows(BTC)[2:] == ["gap", "4"]


def test_a_loss_before_the_acknowledgement_is_no_disconnect_of_a_stream() -> None:
    exchange = Exchange()
    exchange.acknowledges = never
    exchange.start(*trades(BTC))
    exchange.run(0.5)
    exchange.closed()
    assert exchange.states() == []
    exchange.acknowledges = acknowledge
    exchange.run(5.0)
    assert exchange.states() == ["subscribed"]


def test_what_flows_needs_no_acknowledgement() -> None:
    exchange = Exchange()
    exchange.acknowledges = never
    exchange.start(*trades(BTC, ETH))
    exchange.run(11.0)
    # asked twice by now; the first data after that tells as much as an answer
    exchange.trade(BTC, 1)
    assert exchange.rows(BTC) == ["subscribed", "1"]
    exchange.run(60.0)
    assert exchange.states(ETH) == ["rejected"]
    assert exchange.rows(BTC)[:2] == ["subscribed", "1"]
    assert "rejected" not in exchange.states(BTC)


def test_nothing_follows_a_rejection() -> None:
    exchange = Exchange()
    exchange.acknowledges = never
    exchange.start(*trades(BTC), *books(BTC))
    exchange.run(60.0)
    assert exchange.states() == ["rejected", "rejected"]
    exchange.trade(BTC, 1)
    exchange.diff(BTC, 1, 2)
    assert (exchange.rows(BTC), exchange.rows(BTC, "book")) == (["rejected"], ["rejected"])


def test_attempts_back_off_endlessly_and_start_anew_after_a_good_while() -> None:
    exchange = Exchange()
    exchange.accepts = False
    exchange.start(*trades(BTC))
    exchange.run(3_600.0)
    times = exchange.times_of(Connect)
    pauses = [later - first for first, later in pairwise(times)]
    assert len(times) > 200
    assert max(pauses) <= 30.0 + exchange.latency + 1e-6
    assert max(pauses) > 20.0
    assert exchange.session._reconnection._backoff.attempts > 200
    exchange.accepts = True
    exchange.run(30.0 + 1.0)
    assert exchange.session.phase is Phase.LIVE
    # a connection that dies young is no success yet
    exchange.closed()
    assert exchange.session._reconnection._backoff.attempts > 200
    exchange.run(31.0)
    for ident in range(65):
        exchange.run(1.0)
        exchange.trade(BTC, ident + 1)
    exchange.closed()
    assert exchange.session._reconnection._backoff.attempts == 1


def test_a_throttled_handshake_waits_as_long_as_it_was_told() -> None:
    exchange = Exchange()
    exchange.accepts = False
    exchange.start(*trades(BTC))
    exchange.run(0.005)
    exchange.forget()
    exchange._later.clear()
    exchange.accepts = True
    exchange.closed("HTTP 429", cause="throttled", throttled=True, retry_after=120.0)
    since = exchange.time.monotonic
    exchange.run(200.0)
    assert exchange.times_of(Connect) == [since + 120.0]
    assert exchange.session.losses == {"throttled": 1}


def test_an_attempt_that_waits_its_turn_is_not_given_up() -> None:
    exchange = Exchange(options=SessionOptions(connect_timeout=15.0))
    exchange.latency = 1_000.0
    exchange.start(*trades(BTC))
    exchange.session.on_attempt(None)
    exchange.run(600.0)
    assert exchange.session.losses == {}
    since = exchange.time.monotonic
    exchange.session.on_attempt(since)
    exchange.run(15.0)
    assert exchange.times_of(Disconnect) == [since + 15.0]
    assert exchange.session.losses == {"connect timeout": 1}


def test_a_connect_that_takes_too_long_is_given_up() -> None:
    exchange = Exchange(options=SessionOptions(connect_timeout=15.0))
    exchange.latency = 1_000.0
    exchange.start(*trades(BTC))
    since = exchange.time.monotonic
    exchange.run(15.0)
    assert exchange.times_of(Disconnect) == [since + 15.0]
    assert exchange.session.losses == {"connect timeout": 1}
    exchange.run(1.0)
    assert len(exchange.of(Connect)) == 2


def test_a_silent_socket_is_asked_and_then_given_up() -> None:
    exchange = live()
    exchange.answers_pings = False
    since = exchange.time.monotonic
    exchange.forget()
    exchange.run(60.0)
    given_up = exchange.times_of(Disconnect)[0] - since
    # 25 s of silence are normal and 10 s more are not
    assert 34.0 <= given_up <= 36.0
    assert len([at for at in exchange.times_of(Ping) if at - since < given_up]) >= 30
    assert exchange.states(BTC)[:3] == ["stale", "disconnected", "subscribed"]
    assert exchange.session.losses["silent"] >= 1


def test_a_socket_that_answers_but_brings_no_data_is_given_up() -> None:
    exchange = live(options=SessionOptions(data_timeout=40.0))
    exchange.forget()
    exchange.run(45.0)
    assert exchange.states(BTC) == ["stale", "disconnected", "subscribed"]
    assert exchange.of(Status)[0].reason == "no data"
    assert exchange.session.losses == {"no data": 1}


def test_pings_keep_to_the_limit_of_messages() -> None:
    class Slow(BinanceAdapter):
        spec: ClassVar[Spec] = msgspec.structs.replace(SPEC, messages=Rate(1, 7.0))

    exchange = Exchange(Slow(table()))
    exchange.start(*trades(BTC))
    exchange.run(60.0)
    times = exchange.times_of(Send, Ping)
    assert len(times) >= 8
    assert all(later - first >= 7.0 for first, later in pairwise(times))


def test_a_planned_close_is_a_reconnect_of_its_own_cause() -> None:
    exchange = live()
    exchange.frame('{"e":"serverShutdown","E":1700000000000}')
    exchange.forget()
    exchange.run(1.0)
    # a successor is wanted; until there is one the connection is used to its end
    assert exchange.session.rotation_due(exchange.time.monotonic)
    exchange.closed()
    exchange.run(5.0)
    assert exchange.session.losses == {"notice": 1}
    assert not exchange.session.rotation_due(exchange.time.monotonic)
    assert exchange.states(BTC) == ["disconnected", "subscribed"]


# --- REST ------------------------------------------------------------------------------------


def test_a_snapshot_that_fails_is_said_and_tried_until_it_comes() -> None:
    exchange = Exchange()
    exchange.snapshot = unavailable
    exchange.start(*books(BTC), *trades(ETH))
    exchange.run(60.0)
    fetches = exchange.times_of(Fetch)
    assert 4 <= len(fetches) <= 40
    assert exchange.rows(BTC, "book")[:3] == ["subscribed", "resyncing", "resyncing"]
    # the socket goes on meanwhile
    exchange.trade(ETH, 1)
    assert "1" in exchange.rows(ETH)
    exchange.snapshot = lambda symbol: book(symbol, 100)
    exchange.run(30.0)
    assert exchange.rows(BTC, "book")[-1].startswith("snapshot")
    assert "synced" in exchange.rows(BTC, "book")
    assert len(exchange.of(Fetch)) == len(fetches) + 1


def test_a_throttled_snapshot_waits_as_long_as_it_was_told() -> None:
    exchange = Exchange()
    exchange.snapshot = lambda _: Throttled("HTTP 429", 429, retry_after=45.0)
    exchange.start(*books(BTC))
    exchange.run(100.0)
    first, second, third = exchange.times_of(Fetch)
    assert second - first >= 45.0
    assert third - second >= 45.0


def test_an_answer_to_a_lost_connection_is_nobodys() -> None:
    exchange = live(*books(BTC))
    exchange.diff(BTC, 105, 105)
    exchange.closed()
    exchange.forget()
    exchange.run(0.02)
    assert "synced" not in exchange.states()
    exchange.run(5.0)
    assert exchange.states(BTC) == ["subscribed", "resyncing", "synced"]


def test_deltas_wait_for_a_slow_snapshot() -> None:
    exchange = Exchange()
    exchange.start(*books(BTC))
    exchange.run(0.025)
    exchange.latency = 3.0
    exchange.run(0.01)
    for number in range(98, 103):
        exchange.diff(BTC, number, number)
    exchange.run(5.0)
    assert exchange.rows(BTC, "book") == [
        *("subscribed", "resyncing", "synced", "snapshot 100", "delta 101", "delta 102")
    ]


def test_the_harness_notices_a_busy_session(monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = live()
    monkeypatch.setattr(exchange.session, "next_deadline", lambda: exchange.time.monotonic)
    with pytest.raises(AssertionError, match="busy loop"):
        exchange.run(1.0)
