"""A stream that falls silent: noticed by its own quiet times, asked about, healed."""

from __future__ import annotations

import pytest

from collector_core.events import Status
from collector_feed.options import SessionOptions
from collector_feed.outputs import Disconnect, Subscription

from .scripted import BTC, ETH, Exchange, never


def learned(*, history: bool = True) -> Exchange:
    """Return a session whose two symbols traded each second for a while."""
    exchange = Exchange(history=history, options=SessionOptions(quiet_floor=20.0))
    exchange.start(Subscription("trade", BTC), Subscription("trade", ETH))
    exchange.run(1.0)
    for ident in range(1, 60):
        exchange.trade(BTC, ident)
        exchange.trade(ETH, ident)
        exchange.run(1.0)
    exchange.forget()
    return exchange


def flow(exchange: Exchange, seconds: int, first: int, *, missed: bool = False) -> None:
    """Let ETH trade each second while BTC is silent; ``missed`` if BTC trades all the same."""
    for ident in range(first, first + seconds):
        exchange.trade(ETH, ident)
        if missed:
            exchange.missed(BTC, ident)
        exchange.run(1.0)


def test_a_quiet_market_is_asked_about_and_left_in_peace() -> None:
    exchange = learned()
    flow(exchange, 100, 60)
    assert exchange.states(BTC).count("stale") >= 1
    assert exchange.states(ETH) == []
    # subscribed anew, alone; the history shows that nothing happened
    assert exchange.messages() == [["btcusdt@trade"]] * exchange.states(BTC).count("stale")
    assert exchange.of(Disconnect) == []
    assert "gap" not in exchange.rows(BTC)
    # its clock goes on
    assert exchange.rows(BTC)[-1] == "clock"
    # it has shown a longer quiet time: the next one has to be longer still
    before = exchange.states(BTC).count("stale")
    flow(exchange, 60, 160)
    assert exchange.states(BTC).count("stale") == before


def test_a_connection_that_is_deaf_to_a_stream_is_opened_anew() -> None:
    exchange = learned()
    flow(exchange, 60, 60, missed=True)
    assert exchange.session.streams.quiet.deaf == 1
    assert [d.reason for d in exchange.of(Disconnect)] == ["deaf to a stream"]
    exchange.run(5.0)
    rows = [row for row in exchange.rows(BTC) if row != "clock"]
    # what it never brought was fetched, in order and without a hole, up to the last look
    fetched = [int(row[:-1]) for row in rows if row.endswith("b")]
    assert fetched == list(range(60, 60 + len(fetched)))
    assert len(fetched) >= 37
    assert exchange.session.losses == {"deaf to a stream": 1}


def test_a_deaf_stream_promises_nothing() -> None:
    exchange = learned()
    flow(exchange, 60, 60, missed=True)
    rows = exchange.rows(BTC)
    # the history went on: what comes after its last trade is not known, and no clock row says so
    filled = rows.index("backfilled")
    assert "clock" not in rows[filled : rows.index("disconnected")]


def test_a_stream_that_nobody_confirmed_is_not_asked_about() -> None:
    exchange = learned()
    exchange.acknowledges = never
    exchange.closed()
    exchange.run(5.0)
    exchange.forget()
    flow(exchange, 20, 60, missed=True)
    # ETH is proven by its trades; of BTC nobody knows whether it is sent at all
    assert [row for row in exchange.rows(BTC) if row not in {"stale", "rejected"}] == []


def test_a_stream_that_comes_back_by_itself_is_stale_no_longer() -> None:
    exchange = learned()
    flow(exchange, 22, 60)
    assert exchange.states(BTC)[:1] == ["stale"]
    exchange.trade(BTC, 60)
    exchange.run(2.0)
    assert exchange.session.streams.quiet.stale() == 0
    flow(exchange, 30, 82)
    assert exchange.of(Disconnect) == []


@pytest.mark.parametrize("seconds", [5, 15])
def test_silence_within_the_usual_is_not_stale(seconds: int) -> None:
    exchange = learned()
    flow(exchange, seconds, 60)
    assert exchange.states() == []


def test_a_stream_that_has_shown_too_little_is_not_judged() -> None:
    exchange = Exchange(options=SessionOptions(quiet_floor=20.0))
    exchange.start(Subscription("trade", BTC), Subscription("trade", ETH))
    exchange.run(1.0)
    exchange.trade(BTC, 1)
    flow(exchange, 100, 1)
    assert [row.state for row in exchange.of(Status)] == ["subscribed", "subscribed"]
