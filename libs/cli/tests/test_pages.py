"""The pages are true: their Python parses, their links lead somewhere, they name every option."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from .conftest import Call

ROOT = Path(__file__).parents[3]


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
