"""The acceptance of exactly once: killed at each step of its work, equal to the last byte."""

from __future__ import annotations

import os
import sys
from collections import Counter
from random import Random

import pytest

from .bus import count, eventually, offline
from .conftest import MakeBus
from .feed import Feed
from .fleet import Fleet
from .killed_at import STEPS
from .orders import schedule
from .scenario import CALCULATIONS, OPTIONS, markets_of, open_all

pytestmark = [pytest.mark.broker, pytest.mark.e2e]

SYMBOLS = [f"{base}/USDT" for base in ("BTC", "ETH", "XRP", "SOL", "ADA", "DOGE")]
KILLS = int(os.environ.get("KILLS", "40"))
"""``make kills`` sets another number."""
SEED = int(os.environ.get("SEED", "40"))
SLOTS = 2
# transactions all the time, so that there is always one to hit
EAGER = OPTIONS | {"COLLECTOR_TICK": "0.01", "COLLECTOR_CHECKPOINT": "0"}


def test_kills_at_every_step_change_no_byte(make_bus: MakeBus) -> None:
    sys.stderr.write(f"KILLS={KILLS} SEED={SEED}\n")
    killed, undisturbed = make_bus(**EAGER), make_bus(**OPTIONS)
    for bus in (killed, undisturbed):
        open_all(bus, SYMBOLS)
    feed = Feed([killed, undisturbed], markets_of(SYMBOLS))
    fleet = Fleet(killed, SLOTS)
    feed.start()
    try:
        # a state, so that each restore has something to read
        with killed.process() as first:
            eventually(lambda: killed.published("binance", SYMBOLS), 60, "rows")
            first.end()
        fleet.carry_out(schedule(KILLS, Random(SEED)))
        fleet.recover()
        feed.finish()
        expected = offline(killed, "binance", SYMBOLS, CALCULATIONS)
        wanted = count(expected)
        eventually(
            lambda: killed.published("binance", SYMBOLS) >= wanted, 90, f"{wanted} rows published"
        )
        fleet.end()
    finally:
        feed.stopping.set()
        fleet.stop()
    with undisturbed.process() as alone:
        eventually(
            lambda: undisturbed.published("binance", SYMBOLS) >= wanted, 90, f"{wanted} rows again"
        )
        alone.end()
    cut = killed.cut("binance", SYMBOLS)
    sys.stderr.write(f"{wanted} rows, {cut} rows of cut transactions\n")
    assert expected == killed.outputs("binance", SYMBOLS)
    assert expected == undisturbed.outputs("binance", SYMBOLS)
    # the kills were where they were to be, and some of what was written then was to be unseen
    steps: Counter[str] = Counter()
    for (step, _), times in fleet.hit.items():
        steps[step] += times
    assert steps.total() == KILLS
    assert {step: times for step, times in steps.items() if step in STEPS} == dict.fromkeys(
        STEPS, KILLS * 9 // 10 // len(STEPS)
    )
    assert cut > 0
