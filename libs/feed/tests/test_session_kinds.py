"""The session with exchanges of other kinds: no acknowledgements, a login, replaced lists."""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import ClassVar

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from collector_exchanges.binance.adapter import BinanceAdapter
from collector_exchanges.binance.spec import SPEC
from collector_feed.outputs import Send, Subscription
from collector_feed.session import Phase
from collector_feed.spec import KeepAlive, Spec

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
