"""The repository as the convention tests see it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGES: Final = sorted(path.parent for path in ROOT.glob("*/*/pyproject.toml"))
"""Folders of the packages: libs and services."""
_BUILT: Final = {"__pycache__", "results", "dist", "build", "node_modules", "target"}
_HIDDEN_BUT_OURS: Final = {".ci", ".github", ".gitignore", ".dockerignore", ".env.example"}


def name_of(path: Path) -> str:
    """Return a path within the repository, for test ids and messages."""
    return path.relative_to(ROOT).as_posix()


@cache
def files() -> tuple[Path, ...]:
    """Return every file that is kept: nothing hidden, nothing built."""
    return tuple(sorted(_walk(ROOT)))


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        name = path.name
        hidden = name.startswith(".") and name not in _HIDDEN_BUT_OURS
        if hidden or name in _BUILT or name.endswith(".egg-info"):
            continue
        if path.is_dir():
            yield from _walk(path)
        else:
            yield path


def python_files(*folders: str) -> list[Path]:
    """Return the Python files below top-level folders."""
    return [p for p in files() if p.suffix == ".py" and name_of(p).startswith(folders)]


def source_files() -> list[Path]:
    """Return the Python files of libs and services that are installed."""
    return [path for path in python_files("libs/", "services/") if "src" in path.parts]


@cache
def tree(path: Path) -> ast.Module:
    """Return a module's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def module_of(path: Path) -> str:
    """Return the dotted name under which a source file is imported."""
    parts = path.with_suffix("").parts
    inside = parts[parts.index("src") + 1 :]
    return ".".join(inside[:-1] if inside[-1] == "__init__" else inside)
