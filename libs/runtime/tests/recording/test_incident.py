"""The ring in memory, and the bundles that it has written."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from collector_core.events import Status
from collector_runtime.recording import (
    BundleLimits,
    BundleStore,
    IncidentRing,
    Recording,
    RingLimits,
    read_manifest,
)
from collector_runtime.recording.bundles import Bundle

from .made import SOURCE, T0, Disk, noise, numbers, read

SECOND = 1_000_000
ROW = Status(
    exchange="binance",
    symbol="BTC/USDT",
    exchange_time=None,
    receive_time=T0,
    epoch=1,
    seq=7,
    state="gap",
    channel="trade",
    reason="ids 8 to 11",
)


class Later:
    """Timers that go off when the test says so."""

    def __init__(self) -> None:
        self.calls: list[tuple[float, Callable[[], None]]] = []

    def __call__(self, seconds: float, call: Callable[[], None]) -> Later:
        self.calls.append((seconds, call))
        return self

    def go(self) -> None:
        calls, self.calls = self.calls, []
        for _, call in calls:
            call()

    def cancel(self) -> None:
        self.calls.clear()


def payload(number: int, size: int = 0) -> bytes:
    return f'{{"n":{number}}}'.encode() + b"x" * size


def bundles(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []


@pytest.fixture
def later() -> Later:
    return Later()


@pytest.fixture
def store(tmp_path: Path) -> BundleStore:
    return BundleStore(tmp_path / "incidents", SOURCE, wall=lambda: T0)


def test_a_bundle_has_the_seconds_before_and_after(
    store: BundleStore, later: Later, tmp_path: Path
) -> None:
    ring = IncidentRing("binance-0", store, RingLimits(10.0, 5.0), later)
    ring.mark(T0 - 60 * SECOND, "opened")
    ring.sent(T0 - 9 * SECOND, '{"id":1}')
    for number in range(-20, 1):
        ring.frame(T0 + number * SECOND, payload(number))
    ring.incident("gap", ROW)
    assert [seconds for seconds, _ in later.calls] == [5.0]
    for number in range(1, 4):
        ring.frame(T0 + number * SECOND, payload(number))
    ring.mark(T0 + 4 * SECOND, "closed", "lost")
    assert bundles(tmp_path / "incidents") == []
    later.go()
    assert store.settle()
    (folder,) = bundles(tmp_path / "incidents")
    assert folder.name == "20231114T221320.000000Z-binance-0-gap"
    lines, said, damages = read(folder)
    assert (said, damages) == ([], 0)
    assert numbers(lines) == list(range(-10, 4))
    assert lines[0].payload == '{"id":1}'
    assert lines[0].direction == "out"
    assert (lines[-1].direction, lines[-1].payload) == ("closed", "lost")
    manifest = read_manifest(folder)
    (incident,) = manifest.incidents
    assert incident.reason == "gap"
    assert json.loads(bytes(incident.row))["reason"] == "ids 8 to 11"
    assert manifest.source == SOURCE
    assert manifest.dropped == ()
    assert len(manifest.files) == 1
    assert (store.written, store.failed, store.dropped) == (1, 0, 0)


def test_incidents_of_one_moment_share_a_bundle(
    store: BundleStore, later: Later, tmp_path: Path
) -> None:
    ring = IncidentRing("c-0", store, RingLimits(), later)
    ring.frame(T0, payload(0))
    for _ in range(250):
        ring.incident("disconnected", ROW)
    later.go()
    ring.frame(T0 + SECOND, payload(1))
    ring.incident("no row of its own")
    later.go()
    assert store.settle()
    first, second = bundles(tmp_path / "incidents")
    assert len(read_manifest(first).incidents) == 200
    assert ring.unlisted == 50
    (incident,) = read_manifest(second).incidents
    assert (incident.reason, bytes(incident.row)) == ("no row of its own", b"null")
    # the time of the last frame, where no row has one
    assert second.name.startswith("20231114T221321.000000Z-")
    assert numbers(read(second)[0]) == [0, 1]


def test_an_end_in_the_middle_writes_what_there_is(
    store: BundleStore, later: Later, tmp_path: Path
) -> None:
    ring = IncidentRing("c-0", store, RingLimits(), later)
    ring.frame(T0, payload(0))
    ring.incident("gap", ROW)
    ring.frame(T0 + 1, payload(1))
    ring.close()
    assert later.calls == []
    assert store.close()
    (folder,) = bundles(tmp_path / "incidents")
    assert numbers(read(folder)[0]) == [0, 1]
    assert (len(ring), ring.bytes) == (0, 0)


async def test_the_event_loop_is_its_clock(store: BundleStore, tmp_path: Path) -> None:
    ring = IncidentRing("c-0", store, RingLimits(seconds_after=0.01))
    ring.frame(T0, payload(0))
    ring.incident("gap", ROW)
    deadline = asyncio.get_running_loop().time() + 10
    while not store.written:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.005)
    (folder,) = bundles(tmp_path / "incidents")
    assert numbers(read(folder)[0]) == [0]


# --- memory ----------------------------------------------------------------------------------


def test_what_is_too_old_is_thrown_out(store: BundleStore, later: Later) -> None:
    ring = IncidentRing("c-0", store, RingLimits(10.0, 5.0, 1 << 20), later)
    for number in range(20_000):
        # 100 frames a second: 1,000 of them are 10 s
        ring.frame(T0 + number * SECOND // 100, payload(number))
    # a chunk, a sixteenth of the bound, goes as a whole, when the next one is full
    assert 1_000 <= len(ring) <= 1_000 + 2 * ((1 << 16) // 128 + 1)


def test_memory_is_bounded_whatever_comes(store: BundleStore, later: Later, tmp_path: Path) -> None:
    limit = 1 << 20
    ring = IncidentRing("c-0", store, RingLimits(10.0, 5.0, limit), later)
    for number in range(50_000):
        # all in one instant, of very different sizes, empty ones among them
        ring.frame(T0, b"" if number % 2 else bytes(number % 3_000))
        assert ring.bytes <= limit + 3_200
    ring.incident("gap", ROW)
    later.go()
    assert store.settle()
    (folder,) = bundles(tmp_path / "incidents")
    manifest = read_manifest(folder)
    # what was not kept is said, to the frame
    assert sum(dropped.rows for dropped in manifest.dropped) + manifest.rows == 50_000
    assert manifest.dropped[0].reason == "more than 1,048,576 bytes in memory"


def test_frames_after_an_incident_do_not_push_out_those_before(
    store: BundleStore, later: Later, tmp_path: Path
) -> None:
    limit = 1 << 18
    ring = IncidentRing("c-0", store, RingLimits(10.0, 5.0, limit), later)
    for number in range(500):
        ring.frame(T0, payload(number))
    ring.incident("gap", ROW)
    for number in range(500, 10_000):
        ring.frame(T0 + 1, payload(number))
    later.go()
    assert store.settle()
    (folder,) = bundles(tmp_path / "incidents")
    manifest = read_manifest(folder)
    found = numbers(read(folder)[0])
    assert found[:500] == list(range(500))
    assert found[500:] == list(range(10_000 - len(found[500:]), 10_000))
    assert sum(dropped.rows for dropped in manifest.dropped) + len(found) == 10_000


def test_a_wall_clock_that_jumps_costs_no_memory(store: BundleStore, later: Later) -> None:
    ring = IncidentRing("c-0", store, RingLimits(10.0, 5.0, 1 << 18), later)
    for time in (T0, T0 - 3_600 * SECOND, T0 + 3_600 * SECOND):
        for number in range(3_000):
            ring.frame(time + number, payload(number))
            assert ring.bytes <= (1 << 18) + 300
    ring.incident("gap", None, T0 + 3_600 * SECOND + 3_000)
    later.go()
    assert store.settle()
    assert store.written == 1


# --- the folder ------------------------------------------------------------------------------


def fill(store: BundleStore, later: Later, count: int, size: int = 0) -> None:
    for number in range(count):
        ring = IncidentRing("c-0", store, RingLimits(), later)
        ring.frame(T0 + number * SECOND, payload(number) + noise(number, size))
        ring.incident(f"incident {number}")
        later.go()
        assert store.settle()


def test_the_oldest_bundles_make_room_by_number(tmp_path: Path, later: Later) -> None:
    store = BundleStore(tmp_path, SOURCE, BundleLimits(bundles=3))
    fill(store, later, 5)
    names = [folder.name.partition("-c-0-")[2] for folder in bundles(tmp_path)]
    assert names == ["incident-2", "incident-3", "incident-4"]
    assert (store.written, store.removed) == (5, 2)


def test_the_oldest_bundles_make_room_by_size_and_the_newest_stays(
    tmp_path: Path, later: Later
) -> None:
    store = BundleStore(tmp_path, SOURCE, BundleLimits(bytes=20_000))
    fill(store, later, 6, size=10_000)
    sizes = [sum(f.stat().st_size for f in folder.iterdir()) for folder in bundles(tmp_path)]
    assert sum(sizes) <= 20_000
    assert len(sizes) >= 2
    fill(store, later, 1, size=200_000)
    (left,) = bundles(tmp_path)
    assert sum(f.stat().st_size for f in left.iterdir()) > 20_000


def test_what_a_killed_process_left_half_written_is_removed(tmp_path: Path, later: Later) -> None:
    left = tmp_path / ".partial-20200101T000000.000000Z-c-0-gap"
    left.mkdir()
    (left / "frames-000001.jsonl.zst").write_bytes(b"half")
    fill(BundleStore(tmp_path, SOURCE), later, 1)
    assert len(bundles(tmp_path)) == 1
    assert not left.exists()


def test_a_full_disk_costs_the_bundle_and_leaves_nothing_behind(
    tmp_path: Path, later: Later
) -> None:
    disk = Disk(2_000)
    store = BundleStore(tmp_path, SOURCE, open_file=disk.open)
    fill(store, later, 2, size=5_000)
    assert (store.written, store.failed) == (0, 2)
    assert bundles(tmp_path) == []
    disk.room = 1_000_000
    fill(store, later, 1, size=5_000)
    (folder,) = bundles(tmp_path)
    assert Recording(folder).manifest.rows == 1
    assert store.written == 1


def test_a_disk_that_does_not_keep_up_costs_bundles_that_are_counted(
    tmp_path: Path, later: Later
) -> None:
    go = threading.Event()

    def wall() -> int:
        assert go.wait(30)
        return T0

    store = BundleStore(tmp_path, SOURCE, BundleLimits(waiting=2), wall=wall)
    ring = IncidentRing("c-0", store, RingLimits(), later)
    for number in range(10):
        ring.frame(T0 + number * SECOND, payload(number))
        ring.incident("gap")
        later.go()
    assert store.dropped in {7, 8}  # the writer may have taken one by then
    assert not store.settle(0.01)
    go.set()
    assert store.close()
    assert store.written == len(bundles(tmp_path)) == 10 - store.dropped


def test_a_bundle_of_the_same_instant_replaces_the_other(tmp_path: Path, later: Later) -> None:
    store = BundleStore(tmp_path, SOURCE)
    ring = IncidentRing("c-0", store, RingLimits(), later)
    for number in range(2):
        ring.frame(T0, payload(number))
        ring.incident("gap", ROW)
        later.go()
    assert store.settle()
    (folder,) = bundles(tmp_path)
    assert numbers(read(folder)[0]) == [0, 1]
    assert store.close()
    assert not store.put(Bundle(T0, "c-0", (), (), ()))
