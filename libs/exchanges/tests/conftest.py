"""Runs each test over the cases of every exchange: a test takes them by its arguments' names."""

from __future__ import annotations

from typing import Final

import pytest

from collector_exchanges.discovery import exchanges

from .cases import (
    Case,
    FrameCase,
    RestCase,
    SubscribeCase,
    Symbols,
    WrongAnswerCase,
    WrongCase,
    load,
    symbols_of,
)

_CASES: Final[dict[str, tuple[str, type[Case]]]] = {
    "frame_case": ("frames.json", FrameCase),
    "wrong_case": ("wrong.json", WrongCase),
    "subscribe_case": ("subscribe.json", SubscribeCase),
    "rest_case": ("rest.json", RestCase),
    "wrong_answer_case": ("rest-wrong.json", WrongAnswerCase),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for argument, (file, kind) in _CASES.items():
        if argument in metafunc.fixturenames:
            cases = [case for name in exchanges() for case in load(name, file, kind)]
            ids = [f"{case.exchange}-{case.name}" for case in cases]
            metafunc.parametrize(argument, cases, ids=ids)
            return
    if "exchange" in metafunc.fixturenames:
        metafunc.parametrize("exchange", exchanges())


@pytest.fixture
def symbols(exchange: str) -> Symbols:
    return symbols_of(exchange)


@pytest.fixture
def frames(exchange: str) -> list[FrameCase]:
    return load(exchange, "frames.json", FrameCase)
