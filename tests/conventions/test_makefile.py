"""The Makefile is the one list of commands, and the workflow calls it."""

from __future__ import annotations

import re
import subprocess

import pytest
import yaml

from .repository import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.M)
WANTED = [
    *("install", "run", "test", "lint", "bench", "bench-quick"),
    *("schemas", "up", "down", "help", "ci"),
]


def help_text() -> dict[str, str]:
    shown = subprocess.run(
        ["make", "--no-print-directory", "-C", str(ROOT), "help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return dict(re.findall(r"^ *make ([a-z-]+)\s+(.+)$", shown, re.M))


def test_make_help_lists_every_target_with_its_text() -> None:
    assert sorted(help_text()) == sorted(TARGETS)


@pytest.mark.parametrize("target", WANTED)
def test_the_commands_of_the_manual_exist(target: str) -> None:
    assert target in TARGETS
    assert len(help_text()[target]) > 5


def test_the_workflow_calls_make_ci_and_nothing_else() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    commands = [
        step["run"].strip()
        for job in workflow["jobs"].values()
        for step in job["steps"]
        if "run" in step
    ]
    assert commands == ["make ci"]
