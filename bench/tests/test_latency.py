"""Delays of bars, their percentiles, and the length of a restore as the log tells it."""

from __future__ import annotations

import json

import pytest
from bench.latency import delays, percentile
from bench.processes import Failed
from bench.restore import restored_seconds


def test_delays_are_of_the_bars_that_count() -> None:
    appended = {("A", 0): 1.0, ("A", 1): 2.0, ("B", 1): 2.0}
    seen = {("A", 0): 9.0, ("A", 1): 2.25, ("B", 1): 2.5}
    assert delays(appended, seen, 1) == [250.0, 500.0]


@pytest.mark.parametrize("seen", [{}, {("A", 0): 1.0, ("A", 1): 1.0}])
def test_bars_that_are_missing_or_nobodys_are_a_failure(seen: dict[tuple[str, int], float]) -> None:
    with pytest.raises(Failed, match="expected the bars of all clock rows"):
        delays({("A", 0): 1.0}, seen, 0)


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert [percentile(values, part) for part in (0.5, 0.99, 1.0)] == [50.0, 99.0, 100.0]
    assert percentile([3.0], 0.5) == 3.0


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(Failed, match="expected values"):
        percentile([], 0.5)


def line(event: str, second: str, **fields: object) -> str:
    """Return a line of the service's log."""
    return json.dumps({"event": event, "timestamp": f"2026-12-01T00:00:{second}Z", **fields})


def test_a_restore_lasts_from_the_assignment_until_the_last_inputs_start() -> None:
    log = "\n".join(
        [
            "something that is no JSON",
            line("shards_granted", "01.5", shards=[0, 1]),
            line("inputs_started", "02.0", shard=1, count=4),
            line("inputs_started", "03.25", shard=0, count=4),
        ]
    )
    assert restored_seconds(log) == 1.75


def test_a_shard_that_did_not_start_is_a_failure() -> None:
    log = "\n".join(
        [
            line("shards_granted", "01.0", shards=[0, 1]),
            line("inputs_started", "02.0", shard=1, count=4),
        ]
    )
    with pytest.raises(Failed, match="expected all of 2 shards started"):
        restored_seconds(log)
