"""The command line, the frames and the result's form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bench.command import SECTIONS, parse
from bench.contestants import contestants
from bench.feed_server import CHUNK, trade_frames
from bench.figures import Figure
from bench.report import Result, write


def test_by_default_everything_is_measured_five_times() -> None:
    order = parse([])
    assert (order.sections, order.runs, order.quick) == (SECTIONS, 5, False)


def test_a_quick_run_is_short_and_runs_can_be_told() -> None:
    assert parse(["--quick"]).runs == 1
    assert parse(["--quick", "--runs", "2", "--only", "decode,ingest"])[:2] == (
        ("decode", "ingest"),
        2,
    )


@pytest.mark.parametrize("wrong", [["--only", "decoding"], ["--runs", "0"]])
def test_a_wrong_order_is_refused(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(wrong)
    assert ended.value.code == 2
    assert "expected" in capsys.readouterr().err


@pytest.mark.parametrize("quick", [True, False])
def test_rows_come_in_whole_chunks_and_equally_for_each_topic(quick: bool) -> None:  # noqa: FBT001  # a parameter of the test
    for contestant in contestants(quick=quick):
        assert contestant.warm_up % CHUNK == 0
        assert contestant.rows % CHUNK == 0


def test_the_server_sends_as_many_frames_as_it_says() -> None:
    frames = trade_frames(300, "trade", combined=False)
    assert len(frames) == 2
    assert b"".join(frames).count(b'"e":"trade"') == 300


def test_a_result_is_written_with_its_medians(tmp_path: Path) -> None:
    figures = [
        Figure("ingest", "ours", "rows/s", [1.0, 3.0, 2.0]),
        Figure("ingest", "peer", "rows/s", failure="not installed"),
    ]
    result = Result(
        "2026-11-22T00:00:00+00:00", 1.0, runs=3, quick=True, commit="abc", machine={},
        broker="none", figures=figures,
    )  # fmt: skip
    write(result, [tmp_path / "new" / "result.json"])
    found = json.loads((tmp_path / "new" / "result.json").read_text())
    assert [figure["median"] for figure in found["figures"]] == [2.0, None]
    assert found["figures"][1]["failure"] == "not installed"
