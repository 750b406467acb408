"""Faults of frames and of books on both exchanges, without sockets."""

from __future__ import annotations

import json

import msgspec
import pytest

from collector_testkit.dialects import Delivery
from collector_testkit.faults import Fault
from collector_testkit.truth import TruthTrade

from .client import BOOK, SECOND, START, SYMBOL, both, joined, payloads, plain


def is_json(payload: bytes) -> bool:
    try:
        json.loads(payload)
    except ValueError:
        return False
    return True


@both
def test_a_flipped_frame_is_no_json_and_as_long(name: str) -> None:
    run = joined(name, Fault("corrupt", form="flip", count=20))
    found, good = payloads(run.advance(2)), plain(name)
    assert found[20:] == good[20:]
    for bad, whole in zip(found[:20], good[:20], strict=True):
        assert bad != whole
        assert len(bad) == len(whole)
        assert not is_json(bad)
        with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
            msgspec.json.decode(bad)
    assert [(record.kind, record.lost) for record in run.faults()] == [("corrupt", True)] * 20


@both
def test_a_huge_frame_says_the_same(name: str) -> None:
    run = joined(name, Fault("huge", size=3_000_000))
    found, good = payloads(run.advance(1)), plain(name, 1)
    assert len(found[0]) == 3_000_000
    assert json.loads(found[0]) == json.loads(good[0])
    assert found[1:] == good[1:]
    assert [(record.kind, record.lost) for record in run.faults()] == [("huge", False)]


@both
def test_junk_and_unknown_frames_are_put_in(name: str) -> None:
    run = joined(name, Fault("huge", form="junk", size=2_000_000))
    found, good = payloads(run.advance(1)), plain(name, 1)
    assert len(found[0]) == 2_000_000
    assert not is_json(found[0])
    assert found[1:] == good
    run = joined(name, Fault("unknown", count=2, channel="trade", symbol=SYMBOL[name]))
    found = payloads(run.advance(1))
    unknown = run.venue.dialect.unknown()
    assert is_json(unknown)
    assert found.count(unknown) == 2
    assert [payload for payload in found if payload != unknown] == good
    assert [(record.kind, record.lost) for record in run.faults()] == [("unknown", False)] * 2


@both
def test_one_symbol_and_channel_falls_silent_alone(name: str) -> None:
    run = joined(name, Fault("stall", channel="trade", symbol=SYMBOL[name]))
    sent = [action for action in run.advance(2) if isinstance(action, Delivery)]
    streams = {(action.channel, action.symbol) for action in sent}
    assert ("trade", SYMBOL[name]) not in streams
    assert ("book", SYMBOL[name]) in streams
    assert [channel for channel, _ in streams].count("trade") == 1
    lost = [identity for record in run.faults() if record.lost for identity in record.trades]
    told = [
        record.id
        for record in run.truth
        if isinstance(record, TruthTrade)
        and record.symbol == SYMBOL[name]
        and record.exchange_time >= (START + 5 * SECOND) // 1000 * 1000
    ]
    assert lost == told
    run.venue.clear_faults()
    after = [action for action in run.advance(2) if isinstance(action, Delivery)]
    assert ("trade", SYMBOL[name]) in {(action.channel, action.symbol) for action in after}


def test_update_ids_begin_anew() -> None:
    run = joined("binance")
    before = [json.loads(p) for p in payloads(run.advance(2), "book")]
    sent = run.venue.start(Fault("sequence_reset"))
    last = [json.loads(payload) for payload in payloads(sent, "book")]
    assert all(frame["U"] > before[-1]["u"] for frame in last)
    after = [json.loads(p) for p in payloads(run.advance(2), "book")]
    assert after[0]["U"] == 1
    assert [a["U"] for a in after[1:]] == [a["u"] + 1 for a in after[:-1]]
    snapshot = json.loads(run.venue.request(BOOK["binance"]).body)
    assert after[-1]["u"] <= snapshot["lastUpdateId"] < before[-1]["u"]
    assert [record.kind for record in run.faults()] == ["sequence_reset"]


def test_books_without_numbers_have_none_to_restart() -> None:
    run = joined("upbit")
    assert run.venue.start(Fault("sequence_reset")) == []
    assert payloads(run.advance(2)) == plain("upbit")


@both
def test_a_stale_snapshot_is_one_that_was_told_before(name: str) -> None:
    run = joined(name)
    bodies = []
    for _ in range(4):
        bodies.append(run.venue.request(BOOK[name]).body)
        run.advance(1)
    assert len(set(bodies)) == 4
    run.venue.start(Fault("stale_snapshot", delay=2.5))
    assert run.venue.request(BOOK[name]).body == bodies[1]
    fresh = run.venue.request(BOOK[name]).body
    assert fresh not in bodies
    [record] = run.faults()
    assert (record.kind, record.detail) == ("stale_snapshot", "rest 200 0.0 s, 2.5 s old")
    # of what nobody asked for in time there is nothing old to tell, and the fault waits on
    run.venue.start(Fault("stale_snapshot", delay=600))
    assert json.loads(run.venue.request(BOOK[name]).body)
    assert [fault.kind for fault in run.venue.faults.waiting] == ["stale_snapshot"]


@both
def test_an_answer_outlasts_any_buffer(name: str) -> None:
    run = joined(name, Fault("slow", delay=120.0))
    assert run.venue.request(BOOK[name]).delay == 120.0
    assert run.venue.request(BOOK[name]).delay == 0.0
