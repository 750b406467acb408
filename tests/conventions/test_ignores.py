"""No rule is passed over without its code and its reason beside it."""

from __future__ import annotations

import re
import tokenize
from pathlib import Path

import pytest

from .repository import name_of, python_files

PASSED_OVER = re.compile(r"#\s*(noqa|type:\s*ignore|pragma:\s*no cover)", re.I)
# a code or several, then the reason behind "#" or "-"
REASONED = re.compile(
    r"# (?:noqa: [A-Z]+[0-9]+(?:, ?[A-Z]+[0-9]+)*|type: ignore\[[a-z-]+(?:, ?[a-z-]+)*\])"
    r"\s+(?:#|-|\u2013) ?\S.{2,}"
)


@pytest.mark.parametrize(
    "path",
    python_files("libs/", "services/", "tests/", "bench/", "examples/", "schemas/"),
    ids=name_of,
)
def test_each_exception_has_its_reason(path: Path) -> None:
    with path.open("rb") as file:
        found = [
            f"{token.start[0]}: {token.string}"
            for token in tokenize.tokenize(file.readline)
            if token.type == tokenize.COMMENT
            and PASSED_OVER.match(token.string)
            and not REASONED.match(token.string)
        ]
    assert found == []


@pytest.mark.parametrize(
    ("comment", "reasoned"),
    [
        ("# noqa: S603  # the callers' own fixed commands", True),
        ("# noqa: ARG002, FBT001 - the contract's", True),
        ("# type: ignore[arg-type]  # a list of rows is one of outputs", True),
        ("# noqa", False),
        ("# noqa: S603", False),
        ("# type: ignore  # whatever", False),
        ("# type: ignore[arg-type]", False),
    ],
)
def test_the_rule_itself(comment: str, reasoned: bool) -> None:  # noqa: FBT001  # a table's column
    assert PASSED_OVER.match(comment)
    assert bool(REASONED.match(comment)) == reasoned
