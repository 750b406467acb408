"""A book that lost a frame: the bundle around it, and its replay, which says the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from collector_core.codec import decode
from collector_core.events import Status
from collector_runtime.recording import Recording
from collector_testkit.broker import Broker
from collector_testkit.eventually import eventually
from tests.e2e.ingestor import ledger
from tests.e2e.ingestor.stage import PATIENCE, Stage, staged

pytestmark = [pytest.mark.broker, pytest.mark.e2e]

REPLAY = [sys.executable, "-c", "from collector_cli.main import main; main()", "replay"]


def book_gaps(stage: Stage, symbol: str) -> list[Status]:
    return ledger.gaps(stage.rows("book", symbol))


def told(row: Status) -> tuple[object, ...]:
    return row.exchange, row.symbol, row.channel, row.state, row.reason, row.from_, row.to


@pytest.mark.parametrize("name", ["binance", "okx"])
def test_a_gap_leaves_a_bundle_whose_replay_says_the_same(
    name: str, broker: Broker, prefix: str, tmp_path: Path
) -> None:
    folder = tmp_path / "incidents"
    with staged(name, broker, prefix, tmp_path, rate=50) as stage:
        symbol = stage.symbols[0]
        with stage.ingestor(
            COLLECTOR_CHANNELS="trade,book",
            COLLECTOR_INCIDENTS=str(folder),
            COLLECTOR_INCIDENT_SECONDS="60",
        ) as service:
            stage.said("synced", 1, "book")
            stage.flows(5)
            assert not folder.exists()
            stage.exchange.control("fault", kind="drop", channel="book", symbol=symbol, count=1)
            eventually(
                lambda: bool(book_gaps(stage, symbol)), "a gap in the book", timeout=PATIENCE
            )
            assert service.terminate() == 0
        (gap,) = book_gaps(stage, symbol)
    (bundle,) = folder.iterdir()
    recording = Recording(bundle)
    (incident,) = recording.manifest.incidents
    assert incident.reason == "gap"
    # with the epoch and the number that it has on the bus
    assert decode(bytes(incident.row)) == gap
    said: list[str] = []
    times = [p.line.receive_time for p in recording.lines(said.append) if p.line.direction == "in"]
    assert said == []
    assert gap.receive_time is not None
    assert min(times) < gap.receive_time <= max(times)
    played = subprocess.run(
        [*REPLAY, str(bundle)],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert played.returncode == 0, played.stderr
    rows = [json.loads(line) for line in played.stdout.splitlines()]
    again = [
        decode(json.dumps(row).encode())
        for row in rows
        if row["type"] == "status" and row["state"] == "gap"
    ]
    assert told(gap) in [told(row) for row in again if isinstance(row, Status)]
