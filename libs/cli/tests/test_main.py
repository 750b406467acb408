"""The command as a whole: help without weight, errors as sentences, exit statuses."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module

import pytest

from collector_cli.lazy import COMMANDS
from collector_core.errors import BrokerError

from .conftest import Call

HEAVY = ("confluent_kafka", "pydantic_settings", "collector_exchanges", "collector_indicators")


def test_help_lists_every_command_and_imports_none_of_them() -> None:
    code = (
        "import sys\n"
        "from collector_cli.main import main\n"
        "sys.argv = ['collector', '--help']\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n"
        f"    print([name for name in {HEAVY!r} if name in sys.modules], end.code)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.splitlines()[-1] == "[] 0"
    assert [name for name in COMMANDS if f"  {name} " not in done.stdout] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_what_the_command_says(collector: Call, name: str) -> None:
    assert "app" in import_module(f"collector_cli.commands.{name.replace('-', '_')}").__all__
    result = collector(name, "--help")
    assert result.status == 0
    assert COMMANDS[name] in result.out


def test_version(collector: Call) -> None:
    assert collector("--version").out == "collector 0.1.0\n"


def test_an_unknown_command_names_the_nearest(collector: Call) -> None:
    result = collector("repaly")
    assert result.status == 2
    assert "Did you mean 'replay'?" in result.err


def test_an_unknown_option_is_no_traceback(collector: Call) -> None:
    result = collector("tail", "--colour")
    assert result.status == 2
    assert "No such option: --colour" in result.err
    assert "Traceback" not in result.err


def test_a_wrong_setting_is_a_sentence_and_status_2(
    collector: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLECTOR_TOPIC_PARTITIONS", "many")
    result = collector("tail")
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith("collector: setting COLLECTOR_TOPIC_PARTITIONS: expected ")
    assert result.err.endswith("was 'many'\n")


def test_an_unreachable_broker_is_a_sentence_and_status_1(
    collector: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    result = collector("tail", "--limit", "1")
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith("collector: expected a Kafka broker at 127.0.0.1:1, was ")
    assert result.err.count("\n") == 1


def test_debug_shows_where_an_error_came_from(
    collector: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setenv("COLLECTOR_DEBUG", "1")
    with pytest.raises(BrokerError):
        collector("tail", "--limit", "1")


def test_the_installed_program_runs() -> None:
    program = os.path.join(os.path.dirname(sys.executable), "collector")  # noqa: PTH118, PTH120 - one expression
    done = subprocess.run([program, "--version"], capture_output=True, check=True, text=True)
    assert done.stdout == "collector 0.1.0\n"
