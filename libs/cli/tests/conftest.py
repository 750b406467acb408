"""The command called in this process, with its output, errors and exit status."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from typing import Protocol

import pytest

from collector_cli.main import main
from collector_testkit.broker import Broker


@dataclass(frozen=True)
class Result:
    """What a call left behind."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


class Call(Protocol):
    def __call__(self, *arguments: str, stdin: bytes = b"") -> Result: ...


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Call:
    """Return the command as a function."""

    def call(*arguments: str, stdin: bytes = b"") -> Result:
        capfdbinary.readouterr()
        monkeypatch.setattr(sys, "argv", ["collector", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capfdbinary.readouterr()
        status = ended.value.code
        assert isinstance(status, int)
        return Result(status, captured.out.decode(), captured.err.decode())

    return call


@pytest.fixture
def installation(broker: Broker, prefix: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let the settings name the test's broker and a prefix of its own; return the prefix."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", broker.bootstrap_servers)
    monkeypatch.setenv("TOPIC_PREFIX", prefix)
    return prefix
