"""Seeded schedules of faults over all eight exchanges: whatever happens, the rows are honest.

A seed that fails says how to play it again: ``make chaos EXCHANGE=… SEED=…``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from collector_testkit.faults import KINDS

from .plan import EXCHANGES, draw
from .verdict import digest

ROOT: Final = Path(__file__).resolve().parents[2]
SEEDS: Final = 38
"""Schedules of each exchange; with eight of them 304 in all."""


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_whatever_happens_the_rows_are_honest(exchange: str) -> None:
    # the very command of `make chaos`, for a process of its own has all cores and is not
    # slowed down where this one measures coverage
    played = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--exchange", exchange, "--runs", str(SEEDS)],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if "COVERAGE" not in name},
        capture_output=True,
        text=True,
        check=False,
    )
    assert played.returncode == 0, played.stdout + played.stderr
    assert f"{SEEDS} of {SEEDS} schedules, 0 failed" in played.stdout


def test_the_schedules_of_a_run_have_every_fault() -> None:
    plans = [draw(exchange, seed) for exchange in EXCHANGES for seed in range(SEEDS)]
    assert len(plans) >= 300
    assert {fault.kind for plan in plans for _, fault in plan.faults} == set(KINDS)
    jumps = {(jump.whose, jump.by) for plan in plans for jump in plan.jumps}
    assert jumps == {("ours", 3600.0), ("ours", -3600.0), ("theirs", 3600.0)}
    assert {plan.bound is None for plan in plans} == {True, False}
    assert {plan.limits.max_age is None for plan in plans} == {True, False}
    assert all(plan.calm >= 20 for plan in plans)


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_the_same_seed_gives_the_same_rows_bit_for_bit(exchange: str) -> None:
    first = digest(draw(exchange, 1_000))
    assert first == digest(draw(exchange, 1_000))
    assert first != digest(draw(exchange, 1_001))
