"""The examples are true: they compile, and those that can run read rows that we published."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Call
from .frames import T0, trade

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"
FRAMES = "".join(f"{T0 + n}\t{trade(n)}\n" for n in (1, 2, 3)).encode()
PUBLISH = ("replay", "--exchange", "binance", "--to", "kafka", "-")


def tool(name: str) -> str:
    """Return a program's path; without it the test is skipped."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def output(*command: str, folder: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture
def java_classes() -> str:
    """Return the class path of Kafka's own client, which the tests' broker brings."""
    jars = sorted((ROOT / ".cache").glob("kafka-*/jars"))
    if not jars:
        pytest.skip("Kafka's jars are not there; the tests' broker fetches them")
    return f"{jars[-1]}/*"


@pytest.mark.broker
def test_python_reads_the_trades(collector: Call, installation: str) -> None:
    assert installation
    assert collector(*PUBLISH, stdin=FRAMES).status == 0
    program = str(EXAMPLES / "python" / "trades.py")
    lines = output(sys.executable, program, "binance", "BTC/USDT", "2").splitlines()
    assert lines == ["1700000000000000 sell 0.10 at 100.50 = 10.0500"] * 2


@pytest.mark.broker
def test_java_reads_the_trades(
    collector: Call, installation: str, java_classes: str, tmp_path: Path
) -> None:
    javac, java = tool("javac"), tool("java")
    source = str(EXAMPLES / "java" / "Trades.java")
    output(javac, "-Xlint:all", "-Werror", "-d", str(tmp_path), "-cp", java_classes, source)
    assert collector(*PUBLISH, stdin=FRAMES).status == 0
    classes = f"{tmp_path}{os.pathsep}{java_classes}"
    topic = f"{installation}.trade.binance.BTC-USDT"
    done = subprocess.run(
        [java, "-cp", classes, "Trades", topic, "3"], capture_output=True, text=True, check=True
    )
    assert done.stdout == collector("tail", "--from", "earliest", "--no-follow").out


def test_go_is_formatted_and_parses() -> None:
    assert output(tool("gofmt"), "-e", "-l", str(EXAMPLES / "go")) == ""


def test_node_parses() -> None:
    assert output(tool("node"), "--check", str(EXAMPLES / "node" / "trades.mjs")) == ""


@pytest.mark.parametrize("page", ["README.md", "docs/cli.md", "examples/README.md"])
def test_python_in_the_pages_parses(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for block in re.findall(r"```python\n(.*?)```", text, flags=re.S):
        ast.parse(block)
    # links within the repository lead somewhere
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    folder = (ROOT / page).parent
    assert [link for link in links if not (folder / link).exists()] == []


def test_the_command_page_names_every_option(collector: Call) -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    commands = ("run", "replay", "tail", "exchanges", "subscribe", "unsubscribe")
    for words in (*((c,) for c in commands), ("indicators", "compute"), ("topics", "plan")):
        shown = collector(*words, "--help").out
        for option in set(re.findall(r"^  (--[a-z-]+)", shown, flags=re.M)):
            assert f"`{option}" in text, f"expected {option} of {' '.join(words)} in docs/cli.md"
