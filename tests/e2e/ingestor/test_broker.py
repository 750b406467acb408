"""A broker that is slow, away for a while, and a process that has to end under load."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from collector_testkit.broker import Broker
from collector_testkit.eventually import eventually
from tests.e2e.ingestor import ledger
from tests.e2e.ingestor.stage import PATIENCE, staged

pytestmark = [pytest.mark.broker, pytest.mark.e2e]

AWAY = float(os.environ.get("COLLECTOR_TEST_BROKER_AWAY", "20"))
"""Seconds without a broker; the issue's 60 by ``COLLECTOR_TEST_BROKER_AWAY=60``."""


def pass_time(seconds: float) -> None:
    """Let the market go on for so long; nothing is waited for."""
    threading.Event().wait(seconds)


@pytest.mark.parametrize("name", ["binance", "upbit"])
def test_a_broker_that_is_away_costs_nothing(
    name: str, controlled_broker: Broker, prefix: str, tmp_path: Path
) -> None:
    with staged(name, controlled_broker, prefix, tmp_path, rate=100) as stage:
        with stage.ingestor(COLLECTOR_CHANNELS="trade,book") as service:
            stage.flows(20)
            controlled_broker.stop(kill=True)
            pass_time(AWAY)
            assert service.process.poll() is None
            controlled_broker.start()
            # what was traded meanwhile has waited in memory
            stage.flows(round(20 * AWAY))
            assert service.terminate() == 0
        for symbol in stage.symbols:
            rows = stage.whole(symbol)
            assert ledger.states(rows) == ["started", "subscribed", "stopped"]
            ledger.stream_whole(stage.rows("book", symbol))


def test_a_slow_broker_stops_the_reading_and_nothing_is_lost(
    controlled_broker: Broker, prefix: str, tmp_path: Path
) -> None:
    """A hundred thousand rows wait before reading pauses; then TCP holds the exchange back."""
    with staged("binance", controlled_broker, prefix, tmp_path, rate=4_000, preroll=1) as stage:
        with stage.ingestor(COLLECTOR_CHANNELS="trade,ticker,book") as service:
            stage.flows(100)
            controlled_broker.pause()
            service.logged('"event":"reading_paused"', timeout=PATIENCE)
            assert not service.ready()
            controlled_broker.resume()
            service.logged('"event":"reading_resumed"', timeout=PATIENCE)
            stage.flows(100)
            eventually(service.ready, "an ingestor that is ready", timeout=PATIENCE)
            assert service.terminate() == 0
        for symbol in stage.symbols:
            rows = stage.whole(symbol)
            assert ledger.states(rows)[-1] == "stopped"


def test_the_end_under_load_delivers_every_row(broker: Broker, prefix: str, tmp_path: Path) -> None:
    with staged("binance", broker, prefix, tmp_path, rate=3_000, preroll=1) as stage:
        with stage.ingestor() as service:
            stage.flows(1_000)
            assert service.terminate() == 0
        for symbol in stage.symbols:
            stage.whole(symbol)
            for channel in ("trade", "ticker", "book", "candle"):
                rows = stage.rows(channel, symbol)
                ledger.stream_whole(rows)
                assert ledger.states(rows)[-1] == "stopped"
