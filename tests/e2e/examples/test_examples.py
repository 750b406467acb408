"""The examples are true: each language's programs read golden rows and live topics alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector_testkit.broker import Broker

from .installation import EXCHANGE, SYMBOL, Installation, seen_uncommitted
from .programs import LANGUAGES, ROOT, Program, build

GOLDEN = [str(ROOT / "schemas" / "golden" / f"{kind}.json") for kind in ("indicator", "status")]


def expected(name: str) -> list[str]:
    """Return the lines that every language prints."""
    return (Path(__file__).parent / "shown" / f"{name}.txt").read_text("utf-8").splitlines()


@pytest.fixture(scope="module", params=LANGUAGES)
def program(request: pytest.FixtureRequest) -> Program:
    """Return the programs of each language in turn."""
    return build(LANGUAGES[request.param])


@pytest.fixture(scope="module")
def installation(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Return the topics that all languages read."""
    made = Installation(broker.bootstrap_servers, tmp_path_factory.mktemp("plan"))
    made.write()
    return made


def read(program: Program, installation: Installation, channel: str) -> list[str]:
    """Let a program read a topic, as many rows as are expected, and return what it printed."""
    # Python's finds the topic of the symbol by itself
    topic = [installation.topic(channel)]
    stream = [EXCHANGE, SYMBOL] if program.language.name == "python" else topic
    name = f"{channel}s"
    rows = sum(not line.startswith("---") for line in expected(name))
    return program.lines(name, *stream, str(rows), environment=installation.environment)


@pytest.mark.toolchains
def test_golden_rows_are_shown(program: Program) -> None:
    assert program.lines("indicators", "--golden", *GOLDEN, environment={}) == expected("golden")


@pytest.mark.toolchains
@pytest.mark.broker
@pytest.mark.e2e
def test_what_the_service_committed_is_shown(program: Program, installation: Installation) -> None:
    assert read(program, installation, "indicator") == expected("indicators")


@pytest.mark.toolchains
@pytest.mark.broker
@pytest.mark.e2e
def test_trades_are_shown(program: Program, installation: Installation) -> None:
    assert read(program, installation, "trade") == expected("trades")


@pytest.mark.broker
@pytest.mark.e2e
def test_rows_were_aborted_that_a_careless_reader_sees(installation: Installation) -> None:
    assert seen_uncommitted(installation) == 9


@pytest.mark.toolchains
@pytest.mark.parametrize("arguments", [(), ("--golden",), ("a", "b", "3", "d")], ids=len)
def test_wrong_arguments_end_with_the_usage(program: Program, arguments: tuple[str, ...]) -> None:
    usage = program.failure("indicators", *arguments)
    assert "--golden FILE" in usage
