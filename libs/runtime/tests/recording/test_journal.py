"""Rotation, and what a full disk does to a recording."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

import pytest

from collector_core.errors import SettingsError
from collector_runtime.recording import JournalOptions, Manifest, read_manifest
from collector_runtime.recording.journal import Journal, merge
from collector_runtime.recording.manifest import Dropped, write_manifest

from .made import SOURCE, T0, Disk, frames, numbers, read


def on_disk(folder: Path) -> Manifest:
    return read_manifest(folder)


def test_files_are_rotated_by_size(tmp_path: Path) -> None:
    journal = Journal(tmp_path, SOURCE, JournalOptions(file_bytes=20_000), T0)
    for batch in range(30):
        journal.take(frames(10, first=10 * batch, size=400), 0.0)
        # at each moment the manifest names every file that there is
        assert {file.name for file in on_disk(tmp_path).files} == {
            path.name for path in tmp_path.glob("*.zst")
        }
    manifest = journal.close(T0)
    assert len(manifest.files) > 2
    for file in manifest.files:
        data = (tmp_path / file.name).read_bytes()
        assert (file.bytes, file.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        assert file.complete
        # one batch more than the bound, at most
        assert file.bytes < 20_000 + 10 * 500
    assert sum(file.rows for file in manifest.files) == manifest.rows == 300
    spans = [(file.first, file.last) for file in manifest.files]
    assert spans == sorted(spans)
    assert on_disk(tmp_path) == manifest
    assert numbers(read(tmp_path)[0]) == list(range(300))


def test_files_are_rotated_by_age_also_when_nothing_comes(tmp_path: Path) -> None:
    journal = Journal(tmp_path, SOURCE, JournalOptions(file_seconds=60), T0)
    journal.take(frames(1), 100.0)
    journal.take(frames(1, first=1), 159.0)
    assert [file.complete for file in on_disk(tmp_path).files] == [False]
    journal.take([], 160.0)
    assert [file.complete for file in on_disk(tmp_path).files] == [True]
    journal.take([], 1_000.0)
    journal.take(frames(1, first=2), 2_000.0)
    manifest = journal.close(T0)
    assert [file.rows for file in manifest.files] == [2, 1]


def test_a_full_disk_pauses_and_is_said_when_there_is_room_again(tmp_path: Path) -> None:
    disk = Disk(30_000)
    options = JournalOptions(retry_seconds=10)
    journal = Journal(tmp_path, SOURCE, options, T0, open_file=disk.open)
    now, written = 0.0, 0
    while journal.failures == 0:
        written = journal.rows
        journal.take(frames(10, first=written, size=300), now)
        now += 1
    failed_at = now - 1
    # the file was cut back to what was whole
    lines, said, damages = read(tmp_path)
    assert numbers(lines) == list(range(written))
    assert damages == 0
    assert len(said) == 1
    # nothing is tried before its time
    journal.take(frames(10, first=written + 10, size=300), failed_at + 9)
    # too early: there is still no room
    journal.take(frames(10, first=written + 20, size=300), failed_at + 10)
    assert (journal.paused, journal.failures) == (True, 2)
    disk.room = 1_000_000
    journal.take(frames(10, first=written + 30, size=300), failed_at + 20)
    assert journal.failures == 2
    journal.take(frames(10, first=written + 40, size=300), failed_at + 21)
    manifest = journal.close(T0)
    (dropped,) = manifest.dropped
    assert dropped == Dropped(
        "OSError: [Errno 28] No space left on device",
        T0 + 1_000 * written,
        T0 + 1_000 * (written + 29),
        30,
        sum(len(e.payload) for e in frames(30, first=written, size=300)),
    )
    lines, _, damages = read(tmp_path)
    assert damages == 0
    assert numbers(lines) == [*range(written), *range(written + 30, written + 50)]
    assert lines[written].direction == "dropped"
    assert lines[written].payload == f"30 frames: {dropped.reason}"
    assert [file.complete for file in manifest.files] == [False, True]


def test_a_disk_that_stays_full_is_said_at_the_end(tmp_path: Path) -> None:
    disk = Disk(5_000)
    journal = Journal(tmp_path, SOURCE, JournalOptions(), T0, open_file=disk.open)
    for second in range(20):
        journal.take(frames(10, first=10 * second, size=300), float(second))
    manifest = journal.close(T0 + 1)
    assert manifest == on_disk(tmp_path)
    assert manifest.rows + sum(dropped.rows for dropped in manifest.dropped) == 200
    assert manifest.ended == T0 + 1
    # attempts without room leave no empty files
    assert len(list(tmp_path.glob("*.zst"))) == len(manifest.files)


FULL = """
import json, os, resource, signal, sys
from pathlib import Path
from collector_runtime.recording import Recorder, Source
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
recorder = Recorder(Path(sys.argv[1]), Source("x", "ws://h"), flush_seconds=0.005)
import hashlib
n = 0
while not recorder.paused:
    while recorder.backlog > 500_000:
        os.sched_yield()
    pad = hashlib.sha512(b"%d" % n).hexdigest().encode()
    recorder.frame("c-0", b'{"n":%d}' % n + pad, 1_700_000_000_000_000 + n)
    n += 1
for n in range(n, n + 1_000):
    recorder.frame("c-0", b'{"n":%d}' % n, 1_700_000_000_000_000 + n)
manifest = recorder.close()
print(json.dumps([n + 1, manifest.rows, sum(d.rows for d in manifest.dropped)]))
"""


def test_the_kernel_refuses_to_write_on(tmp_path: Path) -> None:
    # RLIMIT_FSIZE of a process of its own: write(2) fails with EFBIG in the middle of a block
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)],
        capture_output=True,
        check=True,
        timeout=60,
    )
    put, rows, dropped = json.loads(done.stdout.splitlines()[-1])
    assert rows + dropped == put
    assert dropped >= 1_000
    lines, _, damages = read(tmp_path)
    assert numbers(lines) == list(range(rows))
    assert damages == 0
    assert b"recording_paused" in done.stdout + done.stderr
    (entry,) = read_manifest(tmp_path).dropped
    assert "File too large" in entry.reason


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of one megabyte."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount here")
    if done.returncode:
        pytest.skip(f"a file system cannot be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(file: FileIO) -> None:
    while True:
        file.write(bytes(4_096))


def test_a_file_system_that_is_really_full(tiny: Path) -> None:
    # somebody else has taken most of it, and gives it back later
    other = tiny / "other"
    other.write_bytes(bytes(500_000))
    folder = tiny / "recording"
    journal = Journal(folder, SOURCE, JournalOptions(retry_seconds=10), T0)
    number = 0
    while journal.failures == 0:
        journal.take(frames(20, first=number, size=500), 0.0)
        number += 20
    whole = journal.rows
    assert whole < number
    assert numbers(read(folder)[0]) == list(range(whole))
    journal.take(frames(20, first=number, size=500), 5.0)
    # full to the last byte: not even the reserve can be had again
    with (tiny / "rest").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        fill(file)
    journal.take(frames(20, first=number + 20, size=500), 10.0)
    assert journal.failures == 2
    other.unlink()
    journal.take(frames(20, first=number + 40, size=500), 20.0)
    manifest = journal.close(T0 + 1)
    assert manifest == on_disk(folder)
    assert manifest.ended == T0 + 1
    assert [dropped.rows for dropped in manifest.dropped] == [number + 40 - whole]
    lines, _, damages = read(folder)
    assert damages == 0
    assert numbers(lines) == [*range(whole), *range(number + 40, number + 60)]


def test_a_manifest_finds_room_on_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(folder: Path, manifest: Manifest) -> None:
        if (folder / ".reserve").exists():
            raise OSError(28, "No space left on device")
        write_manifest(folder, manifest)

    journal = Journal(tmp_path, SOURCE, JournalOptions(), T0)
    journal.take(frames(5), 0.0)
    monkeypatch.setattr("collector_runtime.recording.journal.write_manifest", full)
    assert journal.close(T0 + 5) == on_disk(tmp_path)
    assert on_disk(tmp_path).rows == 5


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="expected a folder to record to, was "):
        Journal(tmp_path / "file" / "r", SOURCE, JournalOptions(), T0)


def test_what_was_dropped_stays_a_short_list() -> None:
    found: list[Dropped] = []
    for number in range(1_500):
        merge(found, Dropped("full", number, number, 1, 10))
    assert len(found) == 1_000
    assert sum(dropped.rows for dropped in found) == 1_500
    assert (found[-1].first, found[-1].last, found[-1].bytes) == (999, 1_499, 5_010)
