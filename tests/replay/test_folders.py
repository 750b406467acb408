"""No recorded connection is forgotten: those that a folder holds are those that are replayed."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from collector_exchanges.discovery import exchanges
from collector_testkit.captures import sessions

pytestmark = pytest.mark.captures


@pytest.mark.parametrize("exchange", exchanges())
def test_every_session_of_the_folder_is_replayed(exchange: str, captures: Path) -> None:
    recorded = [session.name for session in sessions(captures, exchange)]
    if recorded or (Path(__file__).parent / f"test_{exchange}_sessions.py").exists():
        module = import_module(f"{__package__}.test_{exchange}_sessions")
        assert recorded == [*module.SESSIONS]
