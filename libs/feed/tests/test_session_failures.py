"""A session whose exchange fails it, in each of the ways that exchanges know."""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import ClassVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector_core.errors import Throttled
from collector_core.events import Status
from collector_exchanges.binance.adapter import BinanceAdapter
from collector_exchanges.binance.spec import SPEC
from collector_feed.options import SessionOptions
from collector_feed.outputs import Connect, Disconnect, Fetch, Ping, Send, Subscription
from collector_feed.session import Phase
from collector_feed.spec import KeepAlive, Rate, Spec

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
    assert exchange.session._backoff.attempts > 200
    exchange.accepts = True
    exchange.run(30.0 + 1.0)
    assert exchange.session.phase is Phase.LIVE
    # a connection that dies young is no success yet
    exchange.closed()
    assert exchange.session._backoff.attempts > 200
    exchange.run(31.0)
    for ident in range(65):
        exchange.run(1.0)
        exchange.trade(BTC, ident + 1)
    exchange.closed()
    assert exchange.session._backoff.attempts == 1


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
    exchange.run(5.0)
    assert exchange.session.losses == {"notice": 1}
    assert len(exchange.of(Disconnect)) == 1
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


# --- other kinds of exchanges ----------------------------------------------------------------


class Silent(BinanceAdapter):
    """An exchange that acknowledges nothing: the first data says that it took a subscription."""

    spec: ClassVar[Spec] = msgspec.structs.replace(SPEC, acknowledges=False)


def test_without_acknowledgements_the_first_data_confirms_and_stands_below() -> None:
    exchange = Exchange(Silent(table()))
    exchange.acknowledges = never
    exchange.start(*trades(BTC, ETH), *books(BTC))
    exchange.run(1.0)
    exchange.trade(BTC, 1)
    assert exchange.rows(BTC) == ["subscribed", "1"]
    assert exchange.rows(ETH) == []
    exchange.trade(BTC, 2)
    exchange.trade(ETH, 5)
    assert exchange.rows(BTC) == ["subscribed", "1", "2"]
    assert exchange.rows(ETH) == ["subscribed", "5"]


def test_without_acknowledgements_a_stream_without_data_is_asked_for_again() -> None:
    exchange = Exchange(Silent(table()))
    exchange.acknowledges = never
    exchange.start(*trades(BTC, ETH))
    exchange.run(1.0)
    exchange.trade(BTC, 1)
    exchange.run(40.0)
    assert exchange.messages() == [["btcusdt@trade", "ethusdt@trade"]] + [["ethusdt@trade"]] * 2
    # nothing was refused: it may just be quiet, so it is said and stays wanted
    assert exchange.rows(ETH) == ["stale"]
    exchange.trade(ETH, 7)
    assert exchange.rows(ETH) == ["stale", "subscribed", "7"]


def test_a_double_after_a_reconnect_proves_its_subscription() -> None:
    exchange = Exchange(Silent(table()))
    exchange.acknowledges = never
    exchange.start(*trades(BTC))
    exchange.run(1.0)
    exchange.trade(BTC, 1)
    exchange.closed()
    exchange.run(5.0)
    # the exchange sends the last trade again, as some do on each subscription
    exchange.trade(BTC, 1, age=5.0)
    exchange.run(40.0)
    assert exchange.states(BTC) == ["subscribed", "disconnected", "subscribed"]
    assert exchange.rows(BTC).count("1") == 1
    assert exchange.messages() == [["btcusdt@trade"]] * 2


class Replacing(Silent):
    """An exchange whose every message replaces the list of what it sends."""

    def change(
        self,
        held: Collection[Subscription],
        add: Sequence[Subscription],
        remove: Sequence[Subscription],
    ) -> list[tuple[Send, tuple[Subscription, ...]]]:
        kept = [s for s in dict.fromkeys((*held, *add)) if s not in remove]
        message = super().change((), kept, ())[0][0]
        return [(message, tuple(add))]


def test_streams_asked_for_again_at_once_do_not_replace_each_other() -> None:
    exchange = Exchange(Replacing(table()))
    exchange.acknowledges = never
    exchange.start(*trades(BTC))
    # the second stream comes when the first has been asked for twice: different attempts meet
    exchange.run(10.1)
    exchange.carry(exchange.session.subscribe(trades(ETH), exchange.time.monotonic))
    exchange.run(30.0)
    both = {"btcusdt@trade", "ethusdt@trade"}
    assert [set(names) for names in exchange.messages()][2:] == [both] * 4


class WithLogin(BinanceAdapter):
    """An exchange that wants a login before anything, and a text to stay awake."""

    spec: ClassVar[Spec] = msgspec.structs.replace(
        SPEC, keep_alive=KeepAlive(interval=20.0, timeout=10.0, text='{"method":"PING","id":0}')
    )

    def login(self) -> Send | None:
        return Send('{"method":"LOGIN","params":["key"],"id":900}', 900)


def test_a_login_comes_first_and_subscriptions_wait_for_its_answer() -> None:
    exchange = Exchange(WithLogin(table()))
    exchange.acknowledges = never
    exchange.start(*trades(BTC))
    exchange.run(0.5)
    assert exchange.session.phase is Phase.LOGIN
    assert [json.loads(send.text)["method"] for send in exchange.of(Send)] == ["LOGIN"]
    exchange.acknowledges = acknowledge
    exchange.frame('{"result":null,"id":900}')
    exchange.run(1.5)
    assert exchange.session.phase is Phase.LIVE
    assert exchange.rows(BTC) == ["subscribed"]


def test_the_text_that_keeps_a_connection_alive_is_sent_in_each_interval() -> None:
    exchange = Exchange(WithLogin(table()))
    exchange.start(*trades(BTC))
    exchange.run(90.0)
    sent = [at for at, out in exchange.log if isinstance(out, Send) and "PING" in out.text]
    assert len(sent) == 4
    assert all(20.0 <= later - first < 20.1 for first, later in pairwise(sent))


# --- everything at once ----------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_deadlines_make_progress_and_rows_stay_honest_whatever_happens(seed: int) -> None:
    """Ten minutes of faults: the loop itself fails on a busy session (see scripted)."""
    draw = random.Random(seed)
    exchange = Exchange(seed=seed)
    exchange.start(*trades(BTC, ETH), *books(BTC, ETH))
    ids = {BTC: 1, ETH: 1}
    numbers = {BTC: 100, ETH: 100}
    for _ in range(300):
        exchange.run(draw.choice([0.0, 0.001, 0.3, 1.0, 4.0]))
        exchange.answers_pings = draw.random() < 0.9
        exchange.accepts = draw.random() < 0.8
        exchange.acknowledges = acknowledge if draw.random() < 0.9 else never
        exchange.snapshot = (
            unavailable
            if draw.random() < 0.3
            else lambda symbol: book(symbol, numbers[symbol] - draw.randrange(3))
        )
        symbol = draw.choice([BTC, ETH])
        ids[symbol] += draw.choice([1, 1, 1, 1, 2, 5])
        numbers[symbol] += draw.choice([1, 1, 1, 3])
        if exchange.session.phase is Phase.LIVE:
            if draw.random() < 0.05:
                exchange.closed()
            elif draw.random() < 0.5:
                exchange.trade(symbol, ids[symbol])
            else:
                exchange.diff(symbol, numbers[symbol], numbers[symbol])
    for symbol in (BTC, ETH):
        _trades_are_whole(exchange.rows(symbol))
        _book_is_whole(exchange.rows(symbol, "book"))


def _trades_are_whole(rows: list[str]) -> None:
    last, explained = None, True
    for row in rows:
        if row.isdecimal():
            assert last is None or explained or int(row) == last + 1
            last, explained = int(row), False
        elif row == "gap":
            explained = True
        elif row == "disconnected":
            explained = False


def _book_is_whole(rows: list[str]) -> None:
    synced, last = False, 0
    for row in rows:
        kind, _, number = row.partition(" ")
        if kind == "synced":
            synced = True
        elif kind in {"disconnected", "resyncing", "gap", "book_invalid"}:
            synced = False
        elif kind == "snapshot":
            assert synced
            last = int(number)
        elif kind == "delta":
            assert synced
            assert int(number) == last + 1
            last = int(number)


def test_the_harness_notices_a_busy_session(monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = live()
    monkeypatch.setattr(exchange.session, "next_deadline", lambda: exchange.time.monotonic)
    with pytest.raises(AssertionError, match="busy loop"):
        exchange.run(1.0)
