"""Faults by a schedule: the same seed does the same, bit for bit, however the time is cut."""

from __future__ import annotations

import random

import pytest

from collector_testkit.dialects import Action, Reply
from collector_testkit.dialects.dialect import Limits
from collector_testkit.faults import KINDS, Fault, FaultKind, schedule
from collector_testkit.truth import TruthFault

from .client import ASK, BOOK, SECOND, Run, both, joined, payloads


def chaotic(name: str, kinds: tuple[FaultKind, ...], step: int) -> tuple[str, list[TruthFault]]:
    """Return all that a venue does in 12 s under faults, with a client that comes back."""
    run = Run(name, Limits(attempts=(1000, 1.0)), rate=40.0)
    symbols = list(run.venue.market.symbols)
    channels = ("trade", "book")
    plan = schedule(random.Random(11), run.venue.now, 12, 180, kinds, symbols, channels)
    run.venue.faults.extend(plan)
    log: list[Action | Reply | None] = []
    connection = 0
    for turn in range(24):
        # each half second the client asks for a book, and connects if it must
        if connection not in run.venue.connections:
            log.append(run.venue.refuse(run.path))
            if log[-1] is None:
                connection += 1
                log += run.join(connection)
        elif turn % 4:
            log += run.say(ASK[name], connection)
        else:
            run.venue.close(connection)
        log.append(run.venue.request(BOOK[name]))
        due = run.venue.now + SECOND // 2
        while run.venue.now < due:
            log += run.venue.advance(min(due, run.venue.now + step))
    return repr(log), run.faults()


@both
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_repeated_bit_for_bit(name: str, kind: FaultKind) -> None:
    log, faults = chaotic(name, (kind,), 500_000)
    assert kind in {fault.kind for fault in faults}
    assert chaotic(name, (kind,), 70_001) == (log, faults)


@both
def test_all_kinds_together_are_repeated_bit_for_bit(name: str) -> None:
    log, faults = chaotic(name, KINDS, 500_000)
    assert len({fault.kind for fault in faults}) > 12
    assert chaotic(name, KINDS, 33_333) == (log, faults)


def test_a_fault_of_the_schedule_whose_symbol_is_gone_hits_nothing() -> None:
    run = joined("binance")
    run.venue.faults.extend([(run.venue.now + SECOND, Fault("drop", symbol="ETH/USDT"))])
    run.venue.delist_symbol("ETH/USDT")
    assert payloads(run.advance(2), "trade")
    assert run.faults() == []
