"""`collector run` with everything real: broker, simulator, ingestors, indicator service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

CHANNELS = ("trade", "ticker", "book", "candle", "bar", "indicator", "instrument", "status")
OURS = ("COLLECTOR_", "KAFKA_", "EXCHANGE", "SYMBOLS", "TOPIC_")


def test_every_channel_of_each_exchange_flows(tmp_path: Path) -> None:
    environment = {n: v for n, v in os.environ.items() if not n.startswith(OURS)}
    command = [str(Path(sys.executable).with_name("collector")), "run", "--seconds", "20"]
    done = subprocess.run(
        [*command, "--log-folder", str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads(done.stdout.splitlines()[-1])["rows"]
    assert {channel: set(rows[channel]) for channel in CHANNELS} == {
        channel: {"binance", "kraken", "upbit"} for channel in CHANNELS
    }
    assert all(rows[channel][name] > 0 for channel in CHANNELS for name in rows[channel])
