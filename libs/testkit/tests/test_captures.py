"""The loader of recorded frames, on a folder made by hand."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector_testkit.captures import Frame, Sample, samples, sessions, tree, written_out


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    session = tmp_path / "venue" / "session-1"
    session.mkdir(parents=True)
    (session / "session.jsonl").write_bytes(b'{"a":1}\n{"a":2.50}\n')
    (session / "session.meta.tsv").write_text(
        "#recv_ts\tconn\n1617646620.8494741\tws\n1617646621\tws\n", encoding="utf-8"
    )
    (session / "rest-depth.jsonl").write_bytes(b'{"last":1}\n')
    (session / "rest-depth.meta.tsv").write_text(
        "#recv_ts\turl\tframes\n1617646620.9\thttps://x/depth?symbol=A\t1\n", encoding="utf-8"
    )
    (tmp_path / "venue" / "session-2").mkdir()
    loose = tmp_path / "venue" / "samples-x"
    loose.mkdir()
    (loose / "ws.jsonl").write_bytes(b"{}\n[]\n")
    (loose / "ws.expected.jsonl").write_bytes(b"{}\n")
    return tmp_path


def test_a_session_has_its_frames_with_their_times(folder: Path) -> None:
    first, second = sessions(folder, "venue")
    assert [first.name, second.name] == ["session-1", "session-2"]
    assert first.frames == [
        Frame(1_617_646_620_849_474, b'{"a":1}'),
        Frame(1_617_646_621_000_000, b'{"a":2.50}'),
    ]


def test_a_session_has_the_answers_of_its_minutes(folder: Path) -> None:
    first, second = sessions(folder, "venue")
    (answer,) = first.snapshots
    assert answer.body == b'{"last":1}'
    assert (answer.receive_time, answer.after) == (1_617_646_620_900_000, 1)
    assert (second.snapshots, second.instruments) == ([], None)
    (second.folder / "rest-exchangeInfo.json").write_bytes(b"{}")
    assert second.instruments == b"{}"


def test_samples_come_by_file_and_line_without_what_was_expected(folder: Path) -> None:
    assert list(samples(folder, "venue")) == [
        Sample("samples-x/ws.jsonl", 1, b"{}"),
        Sample("samples-x/ws.jsonl", 2, b"[]"),
    ]
    assert list(samples(folder, "nowhere")) == []


def test_a_frame_keeps_the_texts_of_its_numbers() -> None:
    frame = b'{"a":[1.50,7.9E-4,-0,17510687993360001],"b":"2.0"}'
    assert tree(frame) == {"a": ["1.50", "7.9E-4", "-0", "17510687993360001"], "b": "2.0"}


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("116606000.0", "116606000.0"),
        ("7.9276E-4", "0.00079276"),
        ("1.16539E8", "116539000"),
        ("5.0e-1", "0.50"),
        ("-1.25E1", "-12.5"),
        ("0E-8", "0.00000000"),
        ("1e2", "100"),
    ],
)
def test_exponents_are_written_out(number: str, expected: str) -> None:
    assert written_out(number) == expected


@settings(deadline=None)
@given(st.from_regex(r"-?(0|[1-9][0-9]{0,9})(\.[0-9]{1,9})?[eE][-+]?[0-9]", fullmatch=True))
def test_writing_out_changes_no_digit_and_no_value(number: str) -> None:
    text = written_out(number)
    assert "e" not in text.lower()
    assert Decimal(text) == Decimal(number)
    assert text == format(Decimal(number), "f")
