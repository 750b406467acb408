"""What an operator sees of a real ingestor while its connection is cut and frames are lost."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from collector_runtime.kafka.ports import free_ports
from collector_testkit.broker import Broker
from collector_testkit.eventually import eventually
from collector_testkit.services import Service, simulated

pytestmark = [pytest.mark.broker, pytest.mark.e2e]

CHANNELS = ("trade", "ticker", "book", "candle")


def scrape(port: int) -> dict[tuple[str, ...], float]:
    """Return what Prometheus reads: name and values of the labels, and the value."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_recovery_is_counted(broker: Broker, prefix: str, tmp_path: Path) -> None:
    [port] = free_ports()
    with simulated("binance", tmp_path, rate=100, preroll=20) as exchange:
        settings = {
            **exchange.settings(),
            "SYMBOLS": "BTC/USDT,ETH/USDT",
            "COLLECTOR_CHANNELS": ",".join(CHANNELS),
            "COLLECTOR_HEALTH_PORT": str(port),
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
            "TOPIC_PREFIX": prefix,
        }
        with Service("collector_ingestor", settings) as service:
            service.logged("connected")

            def shows(name: str, *labels: str, least: float = 1.0) -> None:
                key = (f"collector_{name}", *labels)
                eventually(
                    lambda: scrape(port).get(key, 0.0) >= least,
                    f"{key} of at least {least}",
                    pause=0.2,
                )

            shows("books", "binance", "live", least=2)
            for channel in CHANNELS:
                shows("frames_total", channel, "binance")
                shows("frame_bytes_total", channel, "binance", least=100)
                shows("rows_total", channel, "binance")
                shows("streams", channel, "binance", least=2)
            shows("parse_seconds_count", "trade", "binance")
            before = scrape(port)
            assert ("collector_reconnects_total", "binance", "lost") not in before
            assert before["collector_connections", "binance"] == 1
            assert before["collector_breaker_state", "websocket", "binance"] == 0
            assert before["collector_budget_spent_total", "requests", "binance"] >= 500
            # the simulator's clock is ours, so the fastest event is nearly of now
            assert -1 < before["collector_exchange_clock_skew_seconds", "binance"] <= 0.1

            exchange.control("fault", kind="cut")
            shows("reconnects_total", "binance", "lost")
            shows("status_rows_total", "book", "binance", "disconnected", least=2)
            shows("backfilled_rows_total", "trade", "binance")
            shows("books", "binance", "live", least=2)

            gaps = scrape(port).get(("collector_gaps_total", "book", "binance"), 0)
            exchange.control("fault", kind="drop", channel="book", symbol="BTC/USDT")
            shows("gaps_total", "book", "binance", least=gaps + 1)
            shows("resyncs_total", "book", "binance")

            exchange.control("fault", kind="corrupt", channel="ticker", symbol="BTC/USDT")
            shows("undecodable_frames_total", "binance")
            shows("frames_total", "undecodable", "binance")

            after = scrape(port)
            fallen = {
                key
                for key, value in before.items()
                if key[0].endswith(("_total", "_count", "_bucket")) and after[key] < value
            }
            assert fallen == set()
            assert "BTC/USDT" not in {label for key in after for label in key[1:]}
            assert service.terminate() == 0
