"""The queue and its thread: nothing waits, nothing vanishes unsaid."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import BinaryIO

import pytest

from collector_core.errors import StateError
from collector_runtime.recording import JournalOptions, Recorder, read_manifest
from collector_runtime.recording.stored import open_new
from collector_testkit.eventually import eventually

from .made import SOURCE, T0, frames, numbers, read


def test_what_is_handed_over_is_on_the_disk(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, SOURCE)
    recorder.mark("c-0", "opened", T0)
    recorder.sent("c-0", "hello", T0 + 1)
    for entry in frames(1_000):
        assert isinstance(entry.payload, bytes)
        recorder.frame("c-0", entry.payload, entry.receive_time)
    recorder.answer("c-0", "GET /depth", b"{}", T0 + 2)
    recorder.mark("c-0", "closed", T0 + 3, "done")
    manifest = recorder.close()
    assert manifest.rows == recorder.rows == 1_004
    assert (recorder.entries, recorder.dropped, recorder.failures) == (1_004, 0, 0)
    assert recorder.backlog == 0
    lines, said, damages = read(tmp_path)
    assert (said, damages) == ([], 0)
    assert numbers(lines) == list(range(1_000))
    assert [line.direction for line in lines if line.direction != "in"] == [
        "opened",
        "out",
        "answer",
        "closed",
    ]


def test_it_writes_without_being_asked(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, SOURCE, flush_seconds=0.01)
    recorder.frame("c-0", b"{}", T0)
    eventually(lambda: recorder.rows == 1, "the line on the disk")
    assert len(read(tmp_path)[0]) == 1
    recorder.close()


class SlowDisk:
    """Opens files whose making waits until the test lets it go."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def open(self, path: Path) -> BinaryIO:
        assert self.go.wait(30)
        return open_new(path)


def test_a_slow_disk_costs_frames_that_are_named_and_never_a_wait(tmp_path: Path) -> None:
    disk = SlowDisk()
    recorder = Recorder(
        tmp_path, SOURCE, queue_bytes=50_000, flush_seconds=0.005, open_file=disk.open
    )
    put = 0
    # all of this returns though not a byte can be written
    while recorder.dropped < 500:
        recorder.frame("c-0", b'{"n":%d}' % put, T0 + put)
        put += 1
    assert recorder.backlog <= 50_000 + 300
    disk.go.set()
    eventually(lambda: recorder.backlog == 0, "an empty queue")
    for number in range(put, put + 10):
        recorder.frame("c-0", b'{"n":%d}' % number, T0 + number)
    manifest = recorder.close()
    (dropped,) = manifest.dropped
    assert (dropped.reason, dropped.rows) == ("the queue was full", 500)
    assert (dropped.first, dropped.last) == (T0 + put - 500, T0 + put - 1)
    lines, _, _ = read(tmp_path)
    assert numbers(lines) == [*range(put - 500), *range(put, put + 10)]
    # at its very place
    assert lines[put - 500].direction == "dropped"
    assert lines[put - 500].payload == "500 frames: the queue was full"


def test_frames_dropped_at_the_very_end_are_named_too(tmp_path: Path) -> None:
    disk = SlowDisk()
    recorder = Recorder(tmp_path, SOURCE, queue_bytes=10_000, open_file=disk.open)
    while recorder.dropped < 3:
        recorder.frame("c-0", b"{}", T0)
    disk.go.set()
    manifest = recorder.close()
    assert [dropped.rows for dropped in manifest.dropped] == [3]
    assert read_manifest(tmp_path) == manifest


def test_a_disk_that_never_answers_is_said_at_the_end(tmp_path: Path) -> None:
    disk = SlowDisk()
    recorder = Recorder(tmp_path, SOURCE, flush_seconds=0.001, open_file=disk.open)
    recorder.frame("c-0", b"{}", T0)
    with pytest.raises(StateError, match="expected the recording to be written within"):
        recorder.close(0.05)
    disk.go.set()
    assert recorder.close().rows == 1


def test_a_bug_in_the_writer_is_said_at_the_end(tmp_path: Path) -> None:
    def broken(_: Path) -> BinaryIO:
        raise RuntimeError("a bug")

    recorder = Recorder(tmp_path, SOURCE, flush_seconds=0.001, open_file=broken)
    recorder.frame("c-0", b"{}", T0)
    with pytest.raises(StateError, match="was ended by RuntimeError"):
        recorder.close()


def test_files_are_rotated_while_it_runs(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, SOURCE, JournalOptions(file_seconds=0.02), flush_seconds=0.005)
    recorder.frame("c-0", b"{}", T0)
    eventually(
        lambda: [file.complete for file in read_manifest(tmp_path).files] == [True],
        "a closed file",
    )
    recorder.frame("c-0", b"{}", T0)
    assert [file.rows for file in recorder.close().files] == [1, 1]
