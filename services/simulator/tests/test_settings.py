"""What may be set, and what is refused with a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from collector_core.errors import SettingsError
from collector_simulator.settings import SimulatorSettings


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("COLLECTOR_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_defaults() -> None:
    settings = SimulatorSettings.load()
    assert {"binance", "upbit"} <= set(settings.exchanges())
    assert settings.port("binance") == 0
    assert settings.symbols("binance") is None


def test_exchanges_ports_and_symbols(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTOR_SIMULATOR_EXCHANGES", "upbit")
    monkeypatch.setenv("COLLECTOR_SIMULATOR_PORTS", "binance=9001, upbit=9002")
    monkeypatch.setenv("COLLECTOR_SIMULATOR_SYMBOLS", "upbit:BTC/KRW,upbit:NEW/KRW")
    settings = SimulatorSettings.load()
    assert settings.exchanges() == ("upbit",)
    assert (settings.port("binance"), settings.port("upbit")) == (9001, 9002)
    assert settings.symbols("upbit") == ["BTC/KRW", "NEW/KRW"]
    assert settings.symbols("binance") is None


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("EXCHANGES", "nope", "expected one of .*, was 'nope'"),
        ("PORTS", "binance=x", "expected a port from 0 to 65535 for binance, was 'x'"),
        ("PORTS", "nope=1", "was 'nope'"),
        ("SYMBOLS", "BTC/USDT", "expected exchange:BASE/QUOTE, was 'BTC/USDT'"),
        ("SYMBOLS", "binance:BTC", "expected a symbol such as BTC/USDT, was 'BTC'"),
        ("SYMBOLS", "binance:BTC/XYZ", "on binance, was 'BTC/XYZ'"),
        ("RATE", "fast", "COLLECTOR_SIMULATOR_RATE"),
        ("RATE", "-1", "COLLECTOR_SIMULATOR_RATE"),
        ("FAULT_KINDS", "nope", "was 'nope'"),
        ("SEDE", "1", "unknown setting COLLECTOR_SIMULATOR_SEDE"),
    ],
)
def test_wrong_values_are_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(f"COLLECTOR_SIMULATOR_{name}", value)
    with pytest.raises(SettingsError, match=sentence):
        SimulatorSettings.load()


def test_a_wrong_setting_ends_the_process_with_a_sentence() -> None:
    environment = os.environ | {"COLLECTOR_SIMULATOR_TRUTH_LOG": "/nowhere/at/all.jsonl"}
    done = subprocess.run(
        [sys.executable, "-m", "collector_simulator"],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout == ""
    assert "expected a truth log to write to" in done.stderr
    assert "Traceback" not in done.stderr
