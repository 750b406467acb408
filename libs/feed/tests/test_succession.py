"""When a successor takes over, and when it is given up."""

from __future__ import annotations

import json

import pytest

from collector_exchanges.binance import ADAPTER
from collector_feed.options import SessionOptions
from collector_feed.outputs import Ping, Send
from collector_feed.session import Phase, Session
from collector_feed.succession import Step, Succession

from .scripted import BTC, ETH, table, trades

WALL = 1_700_000_000_000_000


def session(*, successor: bool = False) -> Session:
    found = Session(
        ADAPTER(table()),
        "wss://x/ws",
        lambda: 0.5,
        options=SessionOptions(rotate_after=10.0),
        successor=successor,
    )
    found.subscribe(trades(BTC, ETH), 0.0)
    found.start(0.0)
    return found


def connect(found: Session, answer: str) -> None:
    """Open the socket and answer what is asked for with ``answer``."""
    for output in found.on_connected(0.0, WALL):
        if isinstance(output, Send):
            ident = json.loads(output.text)["id"]
            found.on_frame(answer.replace("ID", str(ident)).encode(), WALL)


def ask(found: Session, now: float, *, answered: bool = True) -> bool:
    """Let a quiet connection ask for a sign of life; return whether it got one."""
    assert any(isinstance(output, Ping) for output in found.on_time(now, WALL))
    if answered:
        found.on_pong(WALL)
    return answered


TAKEN = '{"result":null,"id":ID}'
REFUSED = '{"code":2,"msg":"Invalid request","id":ID}'


def succession(old: Session, new: Session) -> Succession:
    found = Succession()
    assert found.look(old, 11.0) is Step.BEGIN
    found.begun(new, 11.0)
    return found


def test_a_successor_that_flows_takes_over_after_the_overlap() -> None:
    old, new = session(), session(successor=True)
    connect(old, TAKEN)
    old.on_time(11.0, WALL)
    steps = succession(old, new)
    connect(new, TAKEN)
    assert steps.look(old, 11.5) is Step.NOTHING
    assert ask(old, 12.6)
    assert steps.look(old, 13.4) is Step.NOTHING
    assert steps.look(old, 13.6) is Step.TAKE_OVER


def test_a_predecessor_that_died_unnoticed_is_waited_for() -> None:
    old, new = session(), session(successor=True)
    connect(old, TAKEN)
    old.on_time(11.0, WALL)
    steps = succession(old, new)
    connect(new, TAKEN)
    assert steps.look(old, 11.5) is Step.NOTHING
    # its pings are not answered: what was traded before the successor listened may be missing
    assert not ask(old, 12.6, answered=False)
    assert steps.look(old, 20.0) is Step.NOTHING
    old.on_closed("silent", 40.0, WALL)
    assert steps.look(old, 40.0) is Step.TAKE_OVER


@pytest.mark.parametrize("gone", [False, True])
def test_a_successor_that_is_refused_a_stream_is_given_up(*, gone: bool) -> None:
    old, new = session(), session(successor=True)
    connect(old, TAKEN)
    steps = succession(old, new)
    connect(new, REFUSED)
    if gone:
        old.on_closed("closed with code 1001", 12.0, WALL)
    assert steps.look(old, 14.0) is Step.ABANDON


def test_a_successor_without_a_connection_takes_nothing_over() -> None:
    old, new = session(), session(successor=True)
    connect(old, TAKEN)
    steps = succession(old, new)
    old.on_closed("closed with code 1001", 12.0, WALL)
    assert new.phase is Phase.CONNECTING
    assert steps.look(old, 14.0) is Step.NOTHING
    connect(new, TAKEN)
    assert steps.look(old, 14.0) is Step.TAKE_OVER
