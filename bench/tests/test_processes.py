"""CPU time as the kernel tells it, and programs that end."""

from __future__ import annotations

import sys

import pytest
from bench.processes import Failed, Program, cpu_of_stat, environment, thread_seconds

STAT = "7 (a ) b (c) S 1 7 7 0 -1 4194560 9 0 0 0 120 35 4 5 20 0 3 0 99 0 0"


def test_cpu_time_is_user_and_system_time_whatever_the_name() -> None:
    assert cpu_of_stat(STAT) == 120 + 35


def test_a_program_answers_and_is_ended() -> None:
    script = "import sys\nfor line in sys.stdin: print('heard', line.strip(), flush=True)"
    with Program("echo", [sys.executable, "-c", script]) as program:
        program.tell("one")
        assert program.line(10) == "heard one"
        assert sum(thread_seconds(program.pid).values()) > 0
    with pytest.raises(Failed, match="ended with status"):
        program.check()


def test_a_program_that_ends_says_why() -> None:
    with (
        Program("failing", [sys.executable, "-c", "raise SystemExit('no reason')"]) as program,
        pytest.raises(Failed, match=r"status 1: no reason|was silent"),
    ):
        program.line(10)


def test_our_settings_do_not_leak_into_a_measured_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTOR_LOG_LEVEL", "debug")
    monkeypatch.setenv("SYMBOLS", "ETH/USDT")
    found = environment({"EXCHANGE": "binance"})
    assert "COLLECTOR_LOG_LEVEL" not in found
    assert "SYMBOLS" not in found
    assert found["EXCHANGE"] == "binance"
