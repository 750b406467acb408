"""``collector replay``: golden rows, errors with their lines, receive times and snapshots."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from collector_cli.replay import recording
from collector_cli.replay.player import NO_SNAPSHOT
from collector_core.codec import decode
from collector_core.events import Row

from .conftest import Call, Result
from .frames import T0, delta, snapshot, trade, upbit_candle

BIDS, ASKS = [["99.0", "1"]], [["101.0", "2"]]


def rows(result: Result) -> list[Row]:
    return [decode(line.encode()) for line in result.lines]


def written(tmp_path: Path, *lines: str, name: str = "frames.jsonl") -> str:
    path = tmp_path / name
    path.write_text("".join(f"{line}\n" for line in lines))
    return str(path)


def test_rows_are_these_very_bytes(collector: Call, tmp_path: Path) -> None:
    path = written(
        tmp_path, f"{T0}\t{trade(1, price='0.00100000')}", f"{T0 + 7}\t{trade(2, millis=1)}"
    )
    result = collector("replay", "--exchange", "binance", path)
    common = '{"type":"trade","exchange":"binance","symbol":"BTC/USDT"'
    assert result == Result(
        0,
        f'{common},"exchange_time":1700000000000000,"receive_time":1700000000000000,'
        '"epoch":1700000000000000,"seq":1,"id":"1","price":"0.00100000","amount":"0.10",'
        '"side":"sell","backfilled":false}\n'
        f'{common},"exchange_time":1700000000001000,"receive_time":1700000000000007,'
        '"epoch":1700000000000000,"seq":2,"id":"2","price":"100.50","amount":"0.10",'
        '"side":"sell","backfilled":false}\n',
        "",
    )


def test_without_times_epoch_is_zero_and_receive_time_null(collector: Call, tmp_path: Path) -> None:
    first, second = rows(
        collector("replay", "--exchange", "binance", written(tmp_path, trade(1), trade(2)))
    )
    assert [(r.epoch, r.seq, r.receive_time) for r in (first, second)] == [
        (0, 1, None),
        (0, 2, None),
    ]


def test_several_files_are_one_stream(collector: Call, tmp_path: Path) -> None:
    first = written(tmp_path, trade(1), name="a")
    second = written(tmp_path, trade(2), name="b")
    result = collector("replay", "--exchange", "binance", first, second)
    assert [row.seq for row in rows(result)] == [1, 2]


def test_dash_reads_standard_input(collector: Call) -> None:
    result = collector("replay", "--exchange", "binance", "-", stdin=f"{trade(1)}\n".encode())
    assert (result.status, [row.seq for row in rows(result)]) == (0, [1])


def test_last_line_needs_no_end_and_blank_ones_are_no_frames(collector: Call) -> None:
    text = f"\n{trade(1)}\r\n  \n{trade(2)}"
    result = collector("replay", "--exchange", "binance", "-", stdin=text.encode())
    assert (result.status, len(rows(result)), result.err) == (0, 2, "")


def test_empty_input_is_no_row(collector: Call) -> None:
    assert collector("replay", "--exchange", "binance", "-") == Result(0, "", "")


def test_bad_frames_are_named_by_line_and_the_rest_goes_on(collector: Call, tmp_path: Path) -> None:
    path = written(tmp_path, trade(1), '{"e":', "12.5\t{}", trade(2))
    result = collector("replay", "--exchange", "binance", path)
    assert result.status == 1
    assert [row.seq for row in rows(result)] == [1, 2]
    bad, time, count = result.err.splitlines()
    assert bad.startswith(f"{path}:2: expected a Binance frame, was ")
    assert time == f"{path}:3: expected a receive time in whole microseconds, was '12.5'"
    assert count == "2 of 4 frames could not be read"


def test_a_line_longer_than_any_frame_is_one_bad_frame(
    collector: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "MAX_LINE", 1000)
    monkeypatch.setattr(recording, "_PIECE", 300)
    text = f"{trade(1)}\n{'x' * 5000}\n{trade(2)}\n"
    result = collector("replay", "--exchange", "binance", "-", stdin=text.encode())
    assert result.status == 1
    assert [row.seq for row in rows(result)] == [1, 2]
    assert result.err.splitlines()[0].startswith("stdin:2: ")
    assert len(result.err.splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--exchange", "nowhere", "{file}"], "expected an exchange, one of "),
        (["--exchange", "binance", "{file}x"], "expected a readable file, was {file}x: "),
        (
            ["--exchange", "binance", "--instruments", "{file}", "{file}"],
            "expected Binance spot's answer to /api/v3/exchangeInfo in {file}: ",
        ),
        (
            ["--exchange", "binance", "--snapshot", "BTC/USDT", "{file}"],
            "expected --snapshot SYMBOL=FILE, was 'BTC/USDT'",
        ),
        (
            ["--exchange", "binance", "--snapshot", "BTC/USDT={file}x", "{file}"],
            "expected a snapshot file, was {file}x, which is not there",
        ),
        (
            ["--exchange", "binance", "--snapshot", "NONSENSE={file}", "{file}"],
            "--snapshot NONSENSE: expected a symbol that ends with one of ",
        ),
        (
            [
                *("--exchange", "binance", "--snapshot", "BTCUSDT={file}"),
                *("--snapshot", "BTC/USDT={file}", "{file}"),
            ],
            "expected one --snapshot for BTC/USDT, was another: {file}",
        ),
    ],
)
def test_a_wrong_argument_is_one_sentence_and_status_2(
    collector: Call, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    path = written(tmp_path, trade(1))
    result = collector("replay", *(a.format(file=path) for a in arguments))
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith(f"collector: {sentence.format(file=path)}")
    assert result.err.count("\n") == 1


# --- snapshots -------------------------------------------------------------------------------


def states(result: Result) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for line in result.lines:
        row = json.loads(line)
        found.append((row["type"], row.get("state") or row.get("kind")))
    return found


def test_a_given_snapshot_joins_the_deltas(collector: Call, tmp_path: Path) -> None:
    answer = written(tmp_path, snapshot(10, BIDS, ASKS), name="snapshot.json")
    frames = written(tmp_path, delta(9, 11, bids=[["98.0", "3"]]), delta(12, 12, asks=ASKS))
    for symbol in ("BTC/USDT", "BTCUSDT"):
        result = collector(
            "replay", "--exchange", "binance", "--snapshot", f"{symbol}={answer}", frames
        )
        assert (result.status, result.err) == (0, "")
        assert states(result) == [
            ("status", "resyncing"),
            ("status", "synced"),
            ("book", "snapshot"),
            ("book", "delta"),
            ("book", "delta"),
        ]


def test_each_resync_takes_the_next_snapshot_and_then_says_that_none_is_left(
    collector: Call, tmp_path: Path
) -> None:
    answers = written(
        tmp_path, snapshot(10, BIDS, ASKS), snapshot(20, BIDS, ASKS), name="snapshots.jsonl"
    )
    frames = written(tmp_path, delta(11, 11), delta(21, 21), delta(31, 31), delta(32, 32))
    result = collector(
        "replay", "--exchange", "binance", "--snapshot", f"BTC/USDT={answers}", frames
    )
    found = states(result)
    assert found.count(("status", "gap")) == 2
    assert found.count(("book", "snapshot")) == 2
    reasons = [json.loads(line).get("reason") for line in result.lines]
    assert reasons.count(NO_SNAPSHOT) == 1
    assert found[-2:] == [("book", "delta"), ("book", "delta")]


def test_a_snapshot_not_given_is_said_in_the_book(collector: Call, tmp_path: Path) -> None:
    result = collector("replay", "--exchange", "binance", written(tmp_path, delta(9, 11)))
    assert result.status == 0
    assert states(result) == [
        ("status", "resyncing"),
        ("status", "resyncing"),
        ("book", "delta"),
    ]
    assert json.loads(result.lines[1])["reason"] == NO_SNAPSHOT


def test_a_book_without_snapshot_goes_on_after_a_gap(collector: Call, tmp_path: Path) -> None:
    frames = written(
        tmp_path,
        delta(1, 1, bids=[["100", "1"]]),
        # the bid went away in what is missing
        delta(5, 5, asks=[["99", "1"]]),
        delta(6, 6, bids=[["98", "1"]]),
    )
    found = states(collector("replay", "--exchange", "binance", frames))
    assert ("status", "book_invalid") not in found
    assert found.count(("book", "delta")) == 3
    assert found.count(("status", "gap")) == 1


def test_a_snapshot_that_cannot_be_read_is_named(collector: Call, tmp_path: Path) -> None:
    answer = written(tmp_path, '{"code":-1121}', name="snapshot.json")
    frames = written(tmp_path, delta(9, 11))
    result = collector(
        "replay", "--exchange", "binance", "--snapshot", f"BTC/USDT={answer}", frames
    )
    assert result.status == 1
    assert result.err.startswith(f"{answer}:1: expected an answer of Binance")
    assert json.loads(result.lines[1])["reason"] == NO_SNAPSHOT


def test_a_snapshot_nobody_asked_for_is_said(collector: Call, tmp_path: Path) -> None:
    answer = written(tmp_path, snapshot(10, BIDS, ASKS), name="snapshot.json")
    result = collector(
        *("replay", "--exchange", "binance", "--snapshot", f"ETH/USDT={answer}"),
        written(tmp_path, trade(1)),
    )
    assert (result.status, result.err) == (
        0,
        f"{answer}: no book asked for the snapshot of ETH/USDT\n",
    )


# --- time ------------------------------------------------------------------------------------


def test_receive_times_bring_a_book_row_each_ten_seconds_and_no_clock_rows(
    collector: Call, tmp_path: Path
) -> None:
    second = 1_000_000
    answer = written(tmp_path, snapshot(10, BIDS, ASKS), name="snapshot.json")
    frames = written(
        tmp_path,
        f"{T0}\t{delta(11, 11)}",
        f"{T0 + 9 * second}\t{delta(12, 12)}",
        f"{T0 + 10 * second}\t{delta(13, 13)}",
        f"{T0 + 45 * second}\t{delta(14, 14)}",
        f"{T0 + 49 * second}\t{delta(15, 15)}",
    )
    result = collector(
        "replay", "--exchange", "binance", "--snapshot", f"BTC/USDT={answer}", frames
    )
    found = [json.loads(line) for line in result.lines]
    snapshots = [row["receive_time"] for row in found if row.get("kind") == "snapshot"]
    assert snapshots == [T0, T0 + 10 * second, T0 + 40 * second]
    assert {row["type"] for row in found} == {"book", "status"}


def test_a_book_without_snapshot_gets_no_periodic_row(collector: Call, tmp_path: Path) -> None:
    frames = written(tmp_path, f"{T0}\t{delta(11, 11)}", f"{T0 + 20_000_000}\t{delta(12, 12)}")
    found = states(collector("replay", "--exchange", "binance", frames))
    assert ("book", "snapshot") not in found
    assert found.count(("book", "delta")) == 2


def test_receive_times_close_candles_that_have_no_flag(collector: Call, tmp_path: Path) -> None:
    minute = 60_000_000
    opened = T0 // minute * minute
    frames = written(
        tmp_path,
        f"{opened + 1_000_000}\t{upbit_candle('2023-11-14T22:13:00', 110, 0)}",
        f"{opened + minute + 5_000_000}\t{upbit_candle('2023-11-14T22:14:00', 111, 0)}",
    )
    found = [json.loads(line) for line in collector("replay", "--exchange", "upbit", frames).lines]
    assert [(row["open_time"], row["closed"]) for row in found] == [
        (opened, False),
        (opened, True),
        (opened + minute, False),
    ]


# --- instruments -----------------------------------------------------------------------------


def test_instruments_name_the_symbols(collector: Call, tmp_path: Path) -> None:
    listing = {
        "symbols": [
            {
                "symbol": "BTCUSDT",
                "status": "TRADING",
                "baseAsset": "BT",
                "quoteAsset": "CUSDT",
                "filters": [],
            }
        ]
    }
    instruments = written(tmp_path, json.dumps(listing), name="instruments.json")
    frames = written(tmp_path, trade(1), trade(1, "ETHUSDT"))
    result = collector("replay", "--exchange", "binance", "--instruments", instruments, frames)
    assert [row.symbol for row in rows(result)] == ["BT/CUSDT"]
    assert result.status == 1
    assert f"{frames}:2: " in result.err
    assert "'ETHUSDT'" in result.err


# --- processes -------------------------------------------------------------------------------


def test_a_reader_that_leaves_ends_it_quietly(tmp_path: Path) -> None:
    frames = written(tmp_path, *(trade(number) for number in range(1, 20_000)))
    command = [sys.executable, "-c", "from collector_cli.main import main; main()"]
    with subprocess.Popen(
        [*command, "replay", "--exchange", "binance", frames],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b'{"type":"trade"')
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 141


@pytest.mark.captures
def test_a_recorded_session_has_no_bad_frame(collector: Call, captures: Path) -> None:
    session = captures / "binance" / "session-2021-09-14"
    result = collector(
        *("replay", "--exchange", "binance"),
        *("--instruments", str(session / "rest-exchangeInfo.json")),
        *("--snapshot", f"XMRBTC={session / 'rest-depth.jsonl'}"),
        str(session / "session.jsonl"),
    )
    assert (result.status, result.err) == (0, "")
    frames = len((session / "session.jsonl").read_text().splitlines())
    assert len(result.lines) > frames
