"""What is wrong at the start is said in one sentence."""

from __future__ import annotations

import pytest

from collector_runtime.kafka.ports import free_ports

from .bus import Bus, Process, eventually
from .conftest import MakeBus
from .scenario import OPTIONS, SYMBOLS, complete, feed, markets_of, open_all

pytestmark = [pytest.mark.broker, pytest.mark.e2e]


def last_words(process: Process, within: float = 60.0) -> tuple[int | None, str]:
    """Return the exit status and the last line of a process that must end by itself."""
    assert process.child.wait(within)
    said = process.child.output()
    process.child.stop()
    assert "Traceback" not in said
    return process.child.returncode, said.splitlines()[-1]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"COLLECTOR_INDICATORS": "rsi:0"}, "error: setting COLLECTOR_INDICATORS: expected "),
        ({"COLLECTOR_SHARD": "4"}, "error: unknown setting COLLECTOR_SHARD"),
        ({"COLLECTOR_FOLLOW": "binance"}, "error: setting COLLECTOR_FOLLOW: expected exchange:"),
    ],
)
def test_a_setting_that_is_wrong(make_bus: MakeBus, options: dict[str, str], sentence: str) -> None:
    status, said = last_words(make_bus().start(None, **options))
    assert status == 2
    assert said.startswith(sentence)


def test_another_number_of_shards(make_bus: MakeBus) -> None:
    bus = make_bus()
    with bus.process() as first:
        eventually(first.ready, 60, "readiness")
    status, said = last_words(bus.start(COLLECTOR_SHARDS="4"))
    assert status == 2
    assert said == (
        f"error: expected COLLECTOR_SHARDS to be the partitions of "
        f"{bus.topics.prefix}.indicator-state, 8, was 4"
    )


def test_a_broker_that_does_not_answer(make_bus: MakeBus) -> None:
    address = f"127.0.0.1:{free_ports()[0]}"
    status, said = last_words(make_bus().start(KAFKA_BOOTSTRAP_SERVERS=address))
    assert status == 1
    assert said.startswith(f"error: expected a Kafka broker at {address}, was no answer within 5 s")


def test_a_name_that_another_process_has(make_bus: MakeBus) -> None:
    bus: Bus = make_bus(**OPTIONS)
    open_all(bus, SYMBOLS)
    first = bus.start(0)
    eventually(first.ready, 60, "readiness")
    with bus.process(0) as second:
        status, said = last_words(first)
        assert status == 1
        assert said.startswith("error: expected to hold shards in a group, was ")
        # the one that came later has it all
        feed(bus, markets_of(SYMBOLS), 200)
        complete(bus, SYMBOLS)
        second.end()
