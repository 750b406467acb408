"""Faults of acknowledgements, connections and the whole exchange, without sockets."""

from __future__ import annotations

import json

from collector_testkit.dialects import Close, Delivery, Freeze
from collector_testkit.dialects.dialect import Limits
from collector_testkit.dialects.messages import ABORT, RESET
from collector_testkit.faults import Fault
from collector_testkit.truth import TruthTrade

from .client import ASK, BOOK, SUBSCRIBE, Run, both, joined, payloads


@both
def test_an_acknowledgement_is_swallowed(name: str) -> None:
    run = joined(name)
    expected = payloads(run.say(ASK[name]), "")
    assert len(expected) == 1
    run.venue.start(Fault("no_ack"))
    assert payloads(run.say(ASK[name]), "") == []
    assert payloads(run.say(ASK[name]), "") == expected
    assert [(r.kind, r.connections, r.detail.encode()) for r in run.faults()] == [
        ("no_ack", (1,), expected[0][:300])
    ]


def test_the_subscription_without_acknowledgement_flows_all_the_same() -> None:
    run = Run("binance")
    run.venue.start(Fault("no_ack"))
    assert run.join() == []
    assert len(payloads(run.advance(1), "trade")) > 5


@both
def test_an_acknowledgement_comes_late(name: str) -> None:
    run = joined(name)
    expected = payloads(run.say(ASK[name]), "")
    run.venue.start(Fault("late_ack", delay=0.5, count=2))
    assert payloads(run.say(ASK[name]), "") == []
    assert payloads(run.advance(0.4), "") == []
    assert payloads(run.advance(0.2), "") == expected
    run.say(ASK[name])
    run.venue.close(1)
    assert payloads(run.advance(1)) == []


def test_pings_are_answered_while_acknowledgements_are_swallowed() -> None:
    run = joined("upbit", Fault("no_ack", duration=60.0))
    assert payloads(run.venue.receive(1, "PING")) == [b'{"status":"UP"}']


def test_faults_of_acknowledgements_are_of_one_connection() -> None:
    run = joined("binance")
    run.join(2)
    run.venue.start(Fault("no_ack", connection=2))
    assert len(payloads(run.say(ASK["binance"], 1), "")) == 1
    assert payloads(run.say(ASK["binance"], 2), "") == []


def test_a_subscription_is_rejected_and_not_done() -> None:
    run = Run("binance")
    run.venue.start(Fault("reject"))
    [answer] = payloads(run.join())
    assert json.loads(answer)["id"] == 1
    assert json.loads(answer)["code"] == 2
    assert run.advance(2) == []
    assert [record.kind for record in run.faults()] == ["reject"]
    assert json.loads(payloads(run.say(SUBSCRIBE["binance"]))[0]) == {"result": None, "id": 1}
    assert len(payloads(run.advance(1), "trade")) > 5


def test_a_rejection_that_closes() -> None:
    run = Run("upbit")
    run.venue.start(Fault("reject"))
    [answer] = payloads(run.join())
    assert json.loads(answer)["error"]["name"] == "INVALID_PARAM"
    assert [a for a in run.advance(1) if isinstance(a, Close)] == [Close(1, 1000)]


@both
def test_what_asks_for_no_stream_is_not_rejected(name: str) -> None:
    run = joined(name, Fault("reject"))
    assert len(payloads(run.say(ASK[name]), "")) == 1
    assert run.faults() == []
    assert [fault.kind for fault in run.venue.faults.waiting] == ["reject"]
    run.venue.receive(1, "{")
    assert run.faults() == []


# --- connections ---------------------------------------------------------------------------------


@both
def test_handshakes_are_refused_or_reset(name: str) -> None:
    run = Run(name, Limits(attempts=(100, 1.0)))
    for status in (403, 418, 429, 503):
        run.venue.start(Fault("refuse", status=status, retry_after=3))
        refused = run.venue.refuse(run.path)
        assert refused is not None
        assert refused.status == status
        assert run.venue.refuse(run.path) is None
    run.venue.start(Fault("refuse", count=2))
    assert run.venue.request(BOOK[name]).status == 200
    for _ in range(2):
        refused = run.venue.refuse(run.path)
        assert refused is not None
        assert refused.status == RESET
    assert run.venue.refuse(run.path) is None
    assert [record.kind for record in run.faults()] == ["refuse"] * 6


@both
def test_what_a_frozen_connection_misses_stands_in_the_truth(name: str) -> None:
    run = joined(name)
    run.join(2)
    run.truth.clear()
    assert run.venue.start(Fault("freeze", connection=1, duration=1.0)) == [Freeze(1, frozen=True)]
    sent = [action for action in run.advance(0.9) if isinstance(action, Delivery)]
    assert {action.connections for action in sent} == {(2,)}
    lost = [record for record in run.faults() if record.lost]
    assert {record.connections for record in lost} == {(1,)}
    assert [record.detail.encode() for record in lost] == [a.payload[:300] for a in sent]
    trades = [identity for record in lost for identity in record.trades]
    symbols = {action.symbol for action in sent}
    assert trades == [
        record.id
        for record in run.truth
        if isinstance(record, TruthTrade) and record.symbol in symbols
    ]
    # what the client says meanwhile is read when the connection thaws
    assert run.say(ASK[name]) == []
    thawed = run.advance(0.2)
    place = thawed.index(Freeze(1, frozen=False))
    answer = thawed[place + 1]
    assert isinstance(answer, Delivery)
    assert answer.connections == (1,)
    assert answer.channel == ""


@both
def test_freezes_overlap_and_are_cleared(name: str) -> None:
    run = joined(name)
    run.venue.start(Fault("freeze", duration=1.0))
    run.venue.start(Fault("freeze", duration=2.0))
    assert run.advance(1.5) == []
    assert Freeze(1, frozen=False) in run.advance(1)
    run.venue.start(Fault("freeze", duration=1.0))
    assert run.venue.clear_faults() == [Freeze(1, frozen=False)]
    assert Freeze(1, frozen=False) not in run.advance(2)
    run.venue.start(Fault("freeze"))
    assert run.venue.start(Fault("cut")) == [Close(1, ABORT)]
    assert run.venue.clear_faults() == []


@both
def test_a_half_open_connection_is_forgotten_without_a_close(name: str) -> None:
    run = joined(name)
    run.join(2)
    found = run.venue.start(Fault("half_open", connection=1))
    assert found == [Freeze(1, frozen=True)]
    assert run.venue.connections == [2]
    assert run.say(ASK[name], 1) == []
    after = run.advance(200)
    assert not [a for a in after if isinstance(a, Close | Freeze) and a.connection == 1]
    assert not [a for a in after if isinstance(a, Delivery) and 1 in a.connections]


@both
def test_maintenance_closes_and_refuses_until_it_ends(name: str) -> None:
    run = joined(name)
    found = run.venue.start(Fault("maintenance", duration=3.0))
    closes = [action for action in found if isinstance(action, Close)]
    assert [close.code for close in closes] == [1012]
    assert run.venue.connections == []
    assert run.venue.in_maintenance
    refused = run.venue.refuse(run.path)
    assert refused is not None
    assert refused.status == 503
    assert run.venue.request(BOOK[name]).status == 503
    run.advance(3.1)
    assert not run.venue.in_maintenance
    assert run.venue.refuse(run.path) is None
    assert run.venue.request(BOOK[name]).status == 200
    run.venue.start(Fault("maintenance"))
    run.advance(60)
    assert run.venue.in_maintenance
    run.venue.clear_faults()
    assert not run.venue.in_maintenance
    assert [record.kind for record in run.faults()] == ["maintenance"] * 2
