"""A frame that the exchange breaks on its way: from the ingestor to the command that tries it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from collector_testkit.broker import Broker
from collector_testkit.eventually import eventually
from collector_testkit.services import Service, simulated

pytestmark = [pytest.mark.broker, pytest.mark.e2e]

PROGRAM = [sys.executable, "-c", "from collector_cli.main import main; main()", "dead-letters"]


def test_a_broken_frame_is_listed_and_tried_again(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    bus = {"KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers, "TOPIC_PREFIX": prefix}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PROGRAM, *arguments],
            env={**os.environ, **bus},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def listed() -> list[str]:
        return run("list", "--json").stdout.splitlines()

    with (
        simulated("binance", tmp_path, rate=200) as exchange,
        Service(
            "collector_ingestor", {**exchange.settings(), "SYMBOLS": "BTC/USDT", **bus}
        ) as ingestor,
    ):
        ingestor.logged("connected")
        exchange.control("fault", kind="corrupt", channel="trade", count=2)
        eventually(lambda: len(listed()) >= 2, "two dead letters", pause=0.5)
        assert ingestor.terminate() == 0
    letters = [json.loads(line) for line in listed()]
    assert {letter["exchange"] for letter in letters} == {"binance"}
    assert {letter["connection"] for letter in letters} == {"binance-0"}
    assert all(letter["error"].startswith("expected a Binance frame") for letter in letters)
    # a frame that was cut off stays one that cannot be read
    tried = run("replay", "binance:0", "binance:1")
    assert tried.returncode == 1
    assert tried.stderr == "0 of 2 dead letters are understood now\n"
    assert tried.stdout.count("not understood: expected a Binance frame") == 2
