"""Lines and manifests: every byte comes back, and what is not whole is said."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector_core.errors import CodecError, SettingsError
from collector_runtime.recording import Entry, JournalOptions, Line, Recording, read_manifest
from collector_runtime.recording.journal import Journal
from collector_runtime.recording.line import decode_line, encode_line

from .made import SOURCE, T0, frames, numbers, read

OPTIONS = JournalOptions()


def recorded(folder: Path, entries: list[Entry]) -> Path:
    journal = Journal(folder, SOURCE, OPTIONS, T0)
    journal.take(entries, 0.0)
    journal.close(T0 + 1)
    return folder


@given(st.binary(max_size=200))
def test_every_payload_comes_back(payload: bytes) -> None:
    line = decode_line(encode_line(Entry(T0, "c-0", "in", payload)))
    assert line.data() == payload
    assert (line.receive_time, line.connection, line.direction) == (T0, "c-0", "in")


def test_a_line_is_these_very_bytes() -> None:
    assert encode_line(Entry(T0, "c-0", "in", b'{"a":"\xc3\xa9\\n"}')) == (
        b'{"receive_time":1700000000000000,"connection":"c-0","direction":"in",'
        b'"payload":"{\\"a\\":\\"\xc3\xa9\\\\n\\"}"}\n'
    )
    assert encode_line(Entry(T0, "c-0", "answer", b"\xff\x00", "GET /x?a=1")) == (
        b'{"receive_time":1700000000000000,"connection":"c-0","direction":"answer",'
        b'"payload":"/wA=","encoding":"base64","request":"GET /x?a=1"}\n'
    )


@pytest.mark.parametrize("line", [b"", b"{", b'{"receive_time":1}', b'"\xff"'])
def test_what_is_no_line_is_an_error(line: bytes) -> None:
    with pytest.raises(CodecError, match="expected a line of a recording, was"):
        decode_line(line)


def test_base64_that_is_none_is_an_error() -> None:
    with pytest.raises(CodecError, match="expected base64"):
        Line(T0, "c-0", "in", "%", "base64").data()


def test_a_recording_says_what_it_holds(tmp_path: Path) -> None:
    entries = [
        Entry(T0 - 1, "c-0", "opened", ""),
        Entry(T0 - 1, "c-0", "out", '{"subscribe":1}'),
        *frames(3),
        Entry(T0 + 9_000, "c-0", "answer", b"{}", "GET /depth?symbol=BTCUSDT"),
        Entry(T0 + 9_001, "c-0", "closed", "shutdown"),
    ]
    folder = recorded(tmp_path / "r", entries)
    lines, said, damages = read(folder)
    assert (said, damages) == ([], 0)
    expected = [e.payload.encode() if isinstance(e.payload, str) else e.payload for e in entries]
    assert [line.data() for line in lines] == expected
    assert [line.direction for line in lines] == [e.direction for e in entries]
    manifest = read_manifest(folder)
    (file,) = manifest.files
    assert (file.rows, file.first, file.last, file.complete) == (7, T0 - 1, T0 + 9_001, True)
    assert (manifest.started, manifest.ended, manifest.dropped) == (T0, T0 + 1, ())
    assert manifest.source == SOURCE
    assert {"collector", "python", "zstandard"} == manifest.versions.keys()
    assert sorted(p.name for p in folder.iterdir()) == [
        "frames-000001.jsonl.zst",
        "manifest.json",
    ]
    (path,) = folder.glob("*.zst")
    assert file.bytes == path.stat().st_size
    assert json.loads((folder / "manifest.json").read_text())["format"] == ("collector-recording/1")


def test_a_folder_takes_one_recording(tmp_path: Path) -> None:
    recorded(tmp_path, frames(1))
    with pytest.raises(SettingsError, match="expected a folder without a recording, was"):
        Journal(tmp_path, SOURCE, OPTIONS, T0)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "expected a recording, was "),
        ("{", "expected a recording's manifest, was "),
        ('"x"', "expected a recording's manifest, was "),
        ("format", "expected format collector-recording/1, was 'other'"),
        ("name", "expected names of files in "),
    ],
)
def test_a_manifest_that_is_none_is_a_sentence(
    tmp_path: Path, text: str | None, sentence: str
) -> None:
    path = recorded(tmp_path, frames(1)) / "manifest.json"
    if text is None:
        path.unlink()
    elif text in {"format", "name"}:
        manifest = json.loads(path.read_text())
        if text == "format":
            manifest["format"] = "other"
        else:
            manifest["files"][0]["name"] = "../frames-000001.jsonl.zst"
        path.write_text(json.dumps(manifest))
    else:
        path.write_text(text)
    with pytest.raises(SettingsError, match=sentence):
        Recording(tmp_path)


# --- what is not as it should be -------------------------------------------------------------


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    folder = recorded(tmp_path, frames(1))
    path = folder / "frames-000001.jsonl.zst"
    path.unlink()
    assert read(folder) == ([], [f"{path}: stands in the manifest and is not there"], 1)


def test_a_changed_file_is_said(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "a", frames(3))
    other = recorded(tmp_path / "b", frames(4))
    name = "frames-000001.jsonl.zst"
    (folder / name).write_bytes((other / name).read_bytes())
    lines, said, damages = read(folder)
    assert (len(lines), damages) == (4, 1)
    assert said[0].startswith(f"{folder / name}: expected sha256 ")


def test_a_broken_file_is_read_to_where_it_breaks(tmp_path: Path) -> None:
    journal = Journal(tmp_path, SOURCE, OPTIONS, T0)
    journal.take(frames(100, size=500), 0.0)
    half = journal.bytes
    journal.take(frames(100, first=100, size=500), 0.0)
    journal.close(T0)
    path = tmp_path / "frames-000001.jsonl.zst"
    data = bytearray(path.read_bytes())
    # a reserved type of block
    data[half] |= 0x06
    path.write_bytes(data)
    lines, said, damages = read(tmp_path)
    assert damages == 1
    assert "cannot be read behind line" in said[0]
    assert numbers(lines) == list(range(len(lines)))


def test_every_cut_of_an_open_file_gives_a_whole_beginning(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "open", SOURCE, OPTIONS, T0)
    for first in range(0, 60, 20):
        journal.take(frames(20, first=first, size=30), 0.0)
    tmp_path = shutil.copytree(tmp_path / "open", tmp_path / "killed")
    journal.close(T0)
    path = tmp_path / "frames-000001.jsonl.zst"
    whole = path.read_bytes()
    seen = set()
    for size in range(0, len(whole) + 1, 7):
        path.write_bytes(whole[:size])
        lines, said, damages = read(tmp_path)
        assert numbers(lines) == list(range(len(lines)))
        assert damages == 0
        assert said == [
            f"{path}: was not closed by its recorder; its {len(lines)} whole lines are read"
        ]
        seen.add(len(lines))
    assert {0, 20, 40} <= seen
    path.write_bytes(whole)
    assert len(read(tmp_path)[0]) == 60


KILLED = """
import os, signal, sys
from pathlib import Path
from collector_runtime.recording import Recorder, Source
recorder = Recorder(Path(sys.argv[1]), Source("x", "ws://h"), flush_seconds=0.01)
for n in range(10_000_000):
    recorder.frame("c-0", b'{"n":%d}' % n, 1_700_000_000_000_000 + n)
    while recorder.backlog > 500_000:
        os.sched_yield()
    if recorder.rows > 5_000:
        print(recorder.rows, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_recorder_leaves_every_line_that_it_had_flushed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], capture_output=True, check=False, timeout=60
    )
    assert done.returncode == -9, done.stderr
    flushed = int(done.stdout)
    lines, said, damages = read(tmp_path)
    assert len(lines) >= flushed > 5_000
    assert numbers(lines) == list(range(len(lines)))
    assert damages == 0
    assert len(said) == 1
    assert "was not closed by its recorder" in said[0]
    manifest = read_manifest(tmp_path)
    assert manifest.ended is None
    assert [file.complete for file in manifest.files] == [False]
