"""The truth log, written and read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector_core.errors import CodecError
from collector_testkit.truth import TruthFault, TruthLog, TruthRecord, TruthTrade, read_truth

RECORDS: list[TruthRecord] = [
    TruthTrade(
        "x", "BTC/KRW", "17953056002500001", "116539000.00000000", "0.00077720", "buy", 5000
    ),
    TruthFault(
        "x", "drop", 6000, "trade", "BTC/KRW", (1, 2), '{"e":"trade"}', ("7", "8"), lost=True
    ),
]


def test_records_are_read_back_while_the_log_is_open(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    with TruthLog(path) as log:
        log.write(RECORDS[:1])
        assert list(read_truth(path)) == RECORDS[:1]
        log.write([])
        log.write(RECORDS[1:])
        assert list(read_truth(path)) == RECORDS
    with TruthLog(path) as log:
        log.write(RECORDS)
    assert list(read_truth(path)) == RECORDS * 2
    assert path.read_text().splitlines()[0] == (
        '{"type":"trade","exchange":"x","symbol":"BTC/KRW","id":"17953056002500001",'
        '"price":"116539000.00000000","amount":"0.00077720","side":"buy","exchange_time":5000}'
    )


def test_a_line_that_is_still_written_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    with TruthLog(path) as log:
        log.write(RECORDS)
    path.write_bytes(path.read_bytes() + b'{"type":"tr')
    assert list(read_truth(path)) == RECORDS


def test_a_line_that_is_no_record_is_named(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    path.write_text('{"type":"other"}\n')
    with pytest.raises(CodecError, match="expected a truth record in line 1"):
        list(read_truth(path))
