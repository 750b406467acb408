"""Every module says what it is for and what it promises."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from .repository import module_of, name_of, source_files, tree

PUBLIC = [path for path in source_files() if not path.stem.startswith("_")]
HOOK = "pytest_"
"""What a pytest plugin defines for pytest alone."""
CATALOGUE = "catalogue"
"""Folders whose modules export just what discovery is to find."""
DEFINED = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def exported(path: Path) -> list[str]:
    for node in tree(path).body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id="__all__")], value=value)
                | ast.AnnAssign(target=ast.Name(id="__all__"), value=value)
            ) if value is not None:
                return [str(name) for name in ast.literal_eval(value)]
    return []


def defined(path: Path) -> set[str]:
    """Return the public functions and classes of a module."""
    return {
        node.name
        for node in tree(path).body
        if isinstance(node, DEFINED) and not node.name.startswith(("_", HOOK))
    }


def bound(path: Path) -> set[str]:
    """Return every name at the top of a module, imported ones among them."""
    names = defined(path)
    for node in ast.walk(tree(path)):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.alias(name=name, asname=other):
                names.add((other or name).partition(".")[0])
    return names


def order(name: str) -> tuple[int, list[tuple[int, int | str]]]:
    """Return where isort puts a name: constants, classes, the rest; numbers by their value."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    parts = re.split(r"(\d+)", name)
    return kind, [(0, int(part)) if part.isdecimal() else (1, part) for part in parts if part]


@pytest.mark.parametrize("path", source_files(), ids=name_of)
def test_a_module_says_what_it_is_for(path: Path) -> None:
    module = tree(path)
    assert not module.body or ast.get_docstring(module), f"expected a docstring in {name_of(path)}"


@pytest.mark.parametrize("path", PUBLIC, ids=name_of)
def test_what_is_public_is_exported_and_sorted(path: Path) -> None:
    names = exported(path)
    if path.name == "__init__.py" and not defined(path):
        # what it imports is exported on purpose or not at all
        assert set(names) <= bound(path)
    elif path.name == "__main__.py":
        assert defined(path) <= {"main", *names}
    elif CATALOGUE not in path.parts:
        assert defined(path) - set(names) == set(), f"expected in __all__ of {name_of(path)}"
        assert set(names) - bound(path) == set(), f"expected to be defined in {name_of(path)}"
    assert names == sorted(names, key=order)
    assert len(names) == len(set(names))


def test_what_other_modules_import_is_exported() -> None:
    exports = {module_of(path): set(exported(path)) for path in PUBLIC}
    missing = set()
    for path in source_files():
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.ImportFrom) or node.module not in exports:
                continue
            for alias in node.names:
                name = alias.name
                submodule = f"{node.module}.{name}" in exports
                if not submodule and not name.startswith("_") and name not in exports[node.module]:
                    missing.add(f"{name} of {node.module}, imported by {module_of(path)}")
    assert missing == set()


def test_no_module_reaches_for_what_another_keeps_to_itself() -> None:
    found = {
        f"{module_of(path)}: {node.module}.{alias.name}"
        for path in source_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("collector_")
        for alias in node.names
        if alias.name.startswith("_")
    }
    assert found == set()
