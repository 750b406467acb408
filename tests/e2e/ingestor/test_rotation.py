"""Connections replaced every few seconds over real sockets: nobody who reads the bus is hurt."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from collector_testkit.broker import Broker
from tests.e2e.ingestor import ledger
from tests.e2e.ingestor.stage import EXCHANGES, Stage, together

pytestmark = [pytest.mark.broker, pytest.mark.e2e]

TIMES = 3
"""Rotations of each connection; one every three seconds, and its overlap of two."""


def rotate(stage: Stage) -> tuple[int, str]:
    """Run an ingestor while its connections are replaced; return its exit code and log."""
    with stage.ingestor(COLLECTOR_CHANNELS="trade,book", COLLECTOR_ROTATE_AFTER="3") as service:
        for channel in ("trade", "book"):
            stage.said("rotated", TIMES, channel)
        stage.flows(2)
        return service.terminate(), service.log()


@pytest.fixture(scope="module")
def stages(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Stage]]:
    prefix = f"t-{uuid4().hex[:12]}"
    with together(broker, prefix, tmp_path_factory.mktemp("rotation"), rate=40) as made:
        yield made


@pytest.fixture(scope="module")
def ended(stages: dict[str, Stage]) -> dict[str, tuple[int, str] | BaseException]:
    """Return how each ingestor ended, all of them run at the same time."""
    with ThreadPoolExecutor(len(stages)) as threads:
        futures = {name: threads.submit(rotate, stage) for name, stage in stages.items()}
    return {name: f.exception() or f.result() for name, f in futures.items()}


@pytest.mark.parametrize("name", EXCHANGES)
def test_nothing_is_missing_doubled_or_said_to_be_broken(
    name: str, stages: dict[str, Stage], ended: dict[str, tuple[int, str] | BaseException]
) -> None:
    stage, end = stages[name], ended[name]
    if isinstance(end, BaseException):
        raise end
    code, log = end
    assert code == 0
    assert '"event":"disconnected"' not in log
    for symbol in stage.symbols:
        rows = stage.trades(symbol)
        ledger.stream_whole(rows)
        told = ledger.account(rows, stage.truth(symbol), rest_ids=stage.spec.rest_trade_ids)
        ledger.same_order(told)
        assert told.missing == []
        for channel in ("trade", "book"):
            states = ledger.states(stage.rows(channel, symbol))
            assert states.count("rotated") >= TIMES
            assert {"gap", "disconnected", "book_invalid"} & set(states) == set()
