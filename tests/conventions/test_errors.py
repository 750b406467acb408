"""Errors of the product stand in one tree."""

from __future__ import annotations

import ast
import builtins

from .repository import module_of, source_files, tree

BUILT_IN = {
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
}
VAGUE = {"Exception", "BaseException"}
OUTSIDE = ("collector_core.errors", "collector_testkit", "collector_cli")


def test_no_module_has_an_error_of_its_own() -> None:
    # private ones are a function's way of leaving itself; testkit and command raise to nobody else
    found = {
        f"{module_of(path)}.{node.name}"
        for path in source_files()
        if not module_of(path).startswith(OUTSIDE)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef)
        and not node.name.startswith("_")
        and any(
            isinstance(base, ast.Name) and (base.id in BUILT_IN or base.id.endswith("Error"))
            for base in node.bases
        )
    }
    assert found == set()


def test_no_error_is_raised_without_a_kind() -> None:
    found = {
        f"{module_of(path)}:{node.lineno}"
        for path in source_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Call)
        and isinstance(node.exc.func, ast.Name)
        and node.exc.func.id in VAGUE
    }
    assert found == set()


def test_no_error_is_swallowed() -> None:
    found = {
        f"{module_of(path)}:{handler.lineno}"
        for path in source_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Try)
        for handler in node.handlers
        if handler.type is None or (_is_vague(handler.type) and _does_nothing(handler))
    }
    assert found == set()


def _is_vague(kind: ast.expr) -> bool:
    return isinstance(kind, ast.Name) and kind.id in VAGUE


def _does_nothing(handler: ast.ExceptHandler) -> bool:
    return all(isinstance(line, ast.Pass | ast.Continue) for line in handler.body)
