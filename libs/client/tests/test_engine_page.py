"""docs/engine.md: each example runs and prints what stands below it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "engine.md"


def test_the_examples_print_what_stands_below_them(capsys: pytest.CaptureFixture[str]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```\n(?:```\n(.*?)```)?", text, re.S)
    assert len(blocks) == 7
    scope: dict[str, object] = {}
    for code, shown in blocks:
        exec(code, scope)
        assert shown == capsys.readouterr().out, code
