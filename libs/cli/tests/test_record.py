"""``collector record`` against a simulated exchange, and ``replay`` of what it wrote."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from collector_cli.record.plan import Plan, subscriptions_of
from collector_cli.record.run import RecordingRun
from collector_core.codec import decode
from collector_core.errors import SettingsError
from collector_core.events import Book, Candle, Event, Status, Trade
from collector_exchanges.discovery import adapter
from collector_runtime.recording import Manifest, Recording, read_manifest
from collector_testkit.eventually import eventually
from collector_testkit.services import Exchange, simulated

from .conftest import Call, Result

SYMBOLS = {"binance": ("BTC/USDT", "ETH/USDT"), "upbit": ("BTC/KRW", "ETH/KRW")}
# one that hardly ever closes during a test: after an outage a live stream waits for the history of
# what closed before it, which a replay does not ask for
INTERVALS = ("4h",)
PROGRAM = [sys.executable, "-c", "from collector_cli.main import main; main()"]
DEADLINE = 60.0


def plan(exchange: Exchange, folder: Path) -> Plan:
    return Plan(
        exchange.name,
        subscriptions_of(exchange.name, SYMBOLS[exchange.name], (), INTERVALS),
        folder,
        websocket_url=exchange.websocket_url,
        rest_url=exchange.rest_url,
    )


def arguments(exchange: Exchange, folder: Path, *more: str) -> list[str]:
    return [
        *("record", "--exchange", exchange.name, "--directory", str(folder)),
        *("--symbols", ",".join(SYMBOLS[exchange.name])),
        *("--websocket-url", exchange.websocket_url, "--rest-url", exchange.rest_url),
        *more,
    ]


async def until(run: RecordingRun, condition: str, frames: int) -> None:
    """Let time pass until so many frames more have come."""
    deadline = asyncio.get_running_loop().time() + DEADLINE
    wanted = run.tally.frames + frames
    while run.tally.frames < wanted:
        assert asyncio.get_running_loop().time() < deadline, condition
        await asyncio.sleep(0.02)


def comparable(rows: Iterable[Event]) -> dict[tuple[str, str], list[str]]:
    """Return what frames alone decide, by type and symbol, without the publisher's numbers.

    Left out is what time brings (clock rows, periodic books, candles closed by it), what REST
    backfills, and what is said of subscriptions.
    """
    found: dict[tuple[str, str], list[str]] = {}
    synced: set[str] = set()
    for row in rows:
        if isinstance(row, Status):
            if row.state == "synced":
                synced.add(row.symbol)
            elif row.channel == "book" and row.state in {"gap", "book_invalid"}:
                found.setdefault(("status", row.symbol), []).append(f"{row.state} {row.reason}")
            continue
        if isinstance(row, Book) and row.kind == "snapshot":
            if adapter(row.exchange).spec.book_rule != "whole":
                if row.symbol not in synced:
                    continue
                synced.discard(row.symbol)
        elif isinstance(row, Candle) and row.closed:
            if not adapter(row.exchange).spec.candle_flag:
                continue
        elif isinstance(row, Trade) and row.backfilled:
            continue
        kind = str(row.__struct_config__.tag)
        if kind == "clock":
            continue
        found.setdefault((kind, row.symbol), []).append(_without_numbers(row))
    return found


def _without_numbers(row: Event) -> str:
    return str({n: getattr(row, n) for n in row.__struct_fields__ if n not in {"epoch", "seq"}})


@pytest.mark.parametrize("name", sorted(SYMBOLS))
async def test_a_replay_gives_the_rows_of_the_live_session(
    name: str, collector: Call, tmp_path: Path
) -> None:
    live: list[Event] = []
    folder = tmp_path / "recording"
    with simulated(name, tmp_path, rate=200) as exchange:
        run = RecordingRun(plan(exchange, folder), live.append)
        await run.start()
        ticking = asyncio.create_task(run.run())
        await until(run, "frames", 400)
        # a hole in the books, then the end of a socket
        await asyncio.to_thread(exchange.control, "fault", kind="drop", channel="book", count=2)
        await until(run, "frames behind a hole", 400)
        await asyncio.to_thread(exchange.control, "fault", kind="cut")
        await until(run, "frames of the next socket", 400)
        ticking.cancel()
        manifest = await run.stop("enough")
    assert manifest is not None
    assert manifest.dropped == ()
    result = collector("replay", str(folder))
    assert (result.status, result.err) == (0, "")
    rows = [decode(line.encode()) for line in result.lines]
    expected = comparable(live)
    assert comparable(rows) == expected
    kinds = {kind for kind, _ in expected}
    assert {"trade", "ticker", "book", "candle"} <= kinds
    directions = [place.line.direction for place in Recording(folder).lines(print)]
    assert directions.count("opened") == directions.count("closed") == 2
    assert directions.count("in") == run.tally.frames
    assert "out" in directions
    if adapter(name).spec.book_by_rest:
        assert directions.count("answer") >= 4
        assert ("status", SYMBOLS[name][0]) in expected or ("status", SYMBOLS[name][1]) in expected
    # numbered by one publisher, without holes
    for symbol in SYMBOLS[name]:
        seqs = [row.seq for row in rows if row.symbol == symbol and isinstance(row, Trade)]
        assert seqs == sorted(set(seqs))
    again = collector("replay", "--exchange", name, str(folder))
    assert again == result


def ended(manifest: Manifest) -> bool:
    return manifest.ended is not None and all(file.complete for file in manifest.files)


def test_it_ends_after_its_time_with_a_summary(tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    with simulated("binance", tmp_path, rate=100) as exchange:
        command = [*PROGRAM, *arguments(exchange, folder, "--seconds", "5", "--channels", "trade")]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=DEADLINE, check=False
        )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    manifest = read_manifest(folder)
    assert ended(manifest)
    assert summary["lines"] == manifest.rows >= summary["frames"] > 0
    assert summary["rows"]["trade"] > 0
    assert (summary["dropped"], summary["undecodable"]) == (0, 0)
    assert manifest.source.websocket_url == exchange.websocket_url
    assert [s.symbol for s in manifest.source.subscriptions] == ["BTC/USDT", "ETH/USDT"]
    assert done.stderr.startswith(f"recording to {folder}\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    folder = tmp_path / "recording"
    with simulated("upbit", tmp_path, rate=100) as exchange:
        command = [*PROGRAM, *arguments(exchange, folder, "--file-seconds", "0.5")]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            eventually(lambda: _complete(folder) >= 2, "two rotated files")
            process.send_signal(number)
            out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, err
    assert ended(read_manifest(folder))
    assert json.loads(out)["files"] >= 2


def _complete(folder: Path) -> int:
    if not (folder / "manifest.json").exists():
        return 0
    return sum(file.complete for file in read_manifest(folder).files)


def test_what_a_killed_recorder_left_is_replayed_and_said(collector: Call, tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    with simulated("binance", tmp_path, rate=400) as exchange:
        command = [*PROGRAM, *arguments(exchange, folder, "--file-megabytes", "0.02")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            eventually(lambda: _complete(folder) >= 2, "two rotated files")
            eventually(lambda: _open_bytes(folder) > 0, "a third one with something in it")
            process.kill()
            process.communicate(timeout=DEADLINE)
    result = collector("replay", str(folder))
    last = max(folder.glob("frames-*"))
    assert result.status == 0
    (said,) = [line for line in result.err.splitlines() if "REST" not in line]
    assert said.startswith(f"{last}: was not closed by its recorder; its ")
    rows = [decode(line.encode()) for line in result.lines]
    ids = [int(str(r.id)) for r in rows if isinstance(r, Trade) and r.symbol == "BTC/USDT"]
    assert ids == list(range(ids[0], ids[0] + len(ids)))


def _open_bytes(folder: Path) -> int:
    listed = {file.name for file in read_manifest(folder).files if file.complete}
    return sum(p.stat().st_size for p in folder.glob("frames-*") if p.name not in listed)


# --- what cannot be had ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (("--exchange", "nowhere"), "expected an exchange, one of "),
        (("--symbols", "BTCUSDT"), "expected a symbol such as BTC/USDT"),
        (("--symbols", ""), "--symbols: expected at least one"),
        (("--channels", "quotes"), "expected a channel that Binance spot pushes"),
        (("--intervals", "7m"), "expected an interval of Binance spot's candle"),
    ],
)
def test_a_wrong_argument_is_one_sentence(
    collector: Call, tmp_path: Path, changed: tuple[str, str], sentence: str
) -> None:
    given = {
        "--exchange": "binance",
        "--symbols": "BTC/USDT",
        "--directory": str(tmp_path / "r"),
        "--rest-url": "http://127.0.0.1:1",
        **dict([changed]),
    }
    result = collector("record", *(word for pair in given.items() for word in pair))
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith(f"collector: {sentence}")
    assert not (tmp_path / "r").exists()


def run_in_process(exchange: Exchange, folder: Path, *more: str) -> Result:
    done = subprocess.run(
        [*PROGRAM, *arguments(exchange, folder, *more)],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def test_what_the_exchange_or_the_disk_does_not_have_is_one_sentence(tmp_path: Path) -> None:
    with simulated("binance", tmp_path, rate=10) as exchange:
        result = run_in_process(exchange, tmp_path / "r", "--symbols", "NO/SUCH")
        assert (result.status, result.out) == (2, "")
        assert result.err == (
            "collector: expected a symbol that Binance spot lists, was 'NO/SUCH'\n"
        )
        (tmp_path / "file").touch()
        result = run_in_process(exchange, tmp_path / "file" / "r", "--seconds", "1")
        assert result.status == 2
        assert result.err.startswith(
            f"collector: expected a folder to record to, was {tmp_path / 'file' / 'r'}: Not a dir"
        )
        (tmp_path / "r").mkdir()
        (tmp_path / "r" / "manifest.json").write_text("{}")
        result = run_in_process(exchange, tmp_path / "r", "--seconds", "1")
        assert result.status == 2
        assert result.err.startswith("collector: expected a folder without a recording, was ")


def test_an_exchange_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    nowhere = Exchange("binance", "ws://127.0.0.1:1", "http://127.0.0.1:1", tmp_path)
    result = run_in_process(nowhere, tmp_path / "r")
    assert (result.status, result.out) == (1, "")
    assert result.err.splitlines()[-1].endswith(", was none: All connection attempts failed")
    assert result.err.splitlines()[-1].startswith("collector: expected an answer to GET ")


def test_a_recording_of_nothing_is_no_success(tmp_path: Path) -> None:
    with simulated("binance", tmp_path, rate=10) as exchange:
        deaf = exchange._replace(websocket_url="ws://127.0.0.1:1")
        result = run_in_process(deaf, tmp_path / "r", "--seconds", "0.5")
    assert result.status == 1
    assert result.err.splitlines()[-1] == "collector: expected frames of binance, was none"
    assert json.loads(result.out)["rows"] == {}


def test_subscriptions_have_what_the_exchange_pushes() -> None:
    found = subscriptions_of("binance", ["BTC/USDT"], (), ())
    assert [(s.channel, s.interval) for s in found] == [
        ("trade", ""),
        ("ticker", ""),
        ("book", ""),
        ("candle", "1m"),
    ]
    spans = subscriptions_of("binance", ["BTC/USDT"], ["candle"], ["1m", "1h"])
    assert [s.interval for s in spans] == ["1m", "1h"]
    with pytest.raises(SettingsError, match="pushes"):
        subscriptions_of("binance", ["BTC/USDT"], ["instrument"], ())
