"""Reading and scheduling faults."""

from __future__ import annotations

import random

import pytest

from collector_core.errors import SettingsError
from collector_testkit.faults import KINDS, Fault, Faults, read_fault, schedule


def test_a_fault_is_read_from_texts() -> None:
    fields = {"kind": "throttle", "count": "3", "duration": "1.5", "status": "418", "where": "rest"}
    assert read_fault(fields) == Fault("throttle", count=3, duration=1.5, status=418, where="rest")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"kind": "nope"},
        {"kind": "drop", "count": "x"},
        {"kind": "drop", "count": "0"},
        {"kind": "drop", "duration": "-1"},
        {"kind": "drop", "colour": "red"},
    ],
)
def test_wrong_texts_are_refused(fields: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="expected a "):
        read_fault(fields)


def test_a_schedule_follows_its_seed_and_its_rate() -> None:
    plan = schedule(random.Random(1), 1_000_000, 600, 60)
    assert plan == schedule(random.Random(1), 1_000_000, 600, 60)
    times = [time for time, _ in plan]
    assert times == sorted(times)
    assert times[0] >= 1_000_000
    assert times[-1] < 601_000_000
    assert 450 < len(plan) < 750
    assert {fault.kind for _, fault in plan} == set(KINDS)
    assert {fault.kind for _, fault in schedule(random.Random(1), 0, 60, 60, ["cut"])} == {"cut"}


def test_scheduled_faults_are_handed_out_once() -> None:
    faults = Faults("x", random.Random(1), [(20, Fault("drop")), (10, Fault("cut"))])
    faults.extend([(15, Fault("stall"))])
    assert faults.next_start() == 10
    assert [fault.kind for fault in faults.starting(15)] == ["cut", "stall"]
    assert faults.starting(15) == []
    assert faults.next_start() == 20


def test_faults_of_connections_do_not_wait() -> None:
    with pytest.raises(SettingsError, match="expected a fault of frames or answers, was cut"):
        Faults("x", random.Random(1)).start(Fault("cut"), 0)
