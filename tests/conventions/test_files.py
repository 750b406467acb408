"""Sizes and names of files; tests where tests are expected."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from .repository import PACKAGES, ROOT, files, name_of, python_files, tree

LINES = 400
FORBIDDEN = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"}


@pytest.mark.parametrize(
    "path",
    python_files("libs/", "services/", "tests/", "bench/", "examples/", "schemas/"),
    ids=name_of,
)
def test_a_file_is_short(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines < LINES, f"expected fewer than {LINES} lines in {name_of(path)}, was {lines}"


def test_no_file_or_folder_is_named_for_nothing() -> None:
    named = {
        name_of(path)
        for path in files()
        if FORBIDDEN & {part.partition(".")[0].lower() for part in path.relative_to(ROOT).parts}
    }
    assert named == set()


@pytest.mark.parametrize("package", PACKAGES, ids=name_of)
def test_a_package_has_tests(package: Path) -> None:
    assert _tests_below(package / "tests"), f"expected tests in {name_of(package)}/tests, was none"


def test_every_folder_of_tests_has_tests() -> None:
    folders = {
        path
        for base in (*PACKAGES, ROOT)
        for path in [base / "tests", *(base / "tests").rglob("*")]
        # folders without code hold frames and other material
        if path.is_dir() and any(path.glob("*.py"))
    }
    assert [name_of(f) for f in sorted(folders) if not _tests_below(f)] == []


def _tests_below(folder: Path) -> bool:
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
        for path in folder.rglob("test_*.py")
        for node in ast.walk(tree(path))
    )
