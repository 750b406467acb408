"""Runs a module's tests over the recorded connections that it names in ``SESSIONS``."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector_testkit.captures import Session

from .replaying import Step, pipeline_of, steps


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "recording" in metafunc.fixturenames:
        metafunc.parametrize("recording", metafunc.module.SESSIONS)


@pytest.fixture
def session(request: pytest.FixtureRequest, captures: Path, recording: str) -> Session:
    return Session(captures / request.module.EXCHANGE / recording)


@pytest.fixture
def replayed(request: pytest.FixtureRequest, session: Session) -> list[Step]:
    return list(steps(pipeline_of(request.module.EXCHANGE), session))
