"""Reading and scheduling faults."""

from __future__ import annotations

import random

import pytest

from collector_core.errors import SettingsError
from collector_testkit.faults import CONNECTIONS, KINDS, Fault, Faults, read_fault, schedule
from collector_testkit.faults.fault import ACKNOWLEDGEMENTS, ANSWERS, FRAMES


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
        {"kind": "drop", "form": "flip"},
        {"kind": "huge", "form": "flip"},
        {"kind": "huge", "form": "nope"},
        {"kind": "huge", "size": "0"},
        {"kind": "huge", "size": "64000001"},
        {"kind": "split"},
    ],
)
def test_wrong_texts_are_refused(fields: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="expected "):
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


def test_a_schedule_narrows_faults_of_frames_and_draws_their_forms() -> None:
    plan = [
        fault
        for _, fault in schedule(
            random.Random(1), 0, 6000, 60, symbols=["A/B", "C/D"], channels=["trade", "book"]
        )
    ]
    frames = [fault for fault in plan if fault.kind in FRAMES]
    assert {fault.symbol for fault in frames} == {"", "A/B", "C/D"}
    assert {fault.channel for fault in frames} == {"", "trade", "book"}
    others = [fault for fault in plan if fault.kind not in FRAMES]
    assert {(fault.symbol, fault.channel) for fault in others} == {("", "")}
    assert {f.form for f in plan if f.kind == "corrupt"} == {"", "flip"}
    assert {f.form for f in plan if f.kind == "huge"} == {"", "junk"}
    assert {f.status for f in plan if f.kind == "refuse"} == {0, 403, 418, 429, 503}
    assert {f.status for f in plan if f.kind == "throttle"} == {418, 429}
    assert max(f.delay for f in plan if f.kind == "slow") > 20
    assert {f.kind for f in plan if f.duration} == {"stall", "freeze", "maintenance"}


def test_each_kind_is_of_one_sort() -> None:
    sorts = [CONNECTIONS, FRAMES, ACKNOWLEDGEMENTS, ANSWERS, {"sequence_reset"}]
    assert sorted(kind for sort in sorts for kind in sort) == sorted(KINDS)


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
