"""The programs of ``examples/``: built as its README says, and run until they end."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

__all__ = ["LANGUAGES", "ROOT", "Language", "Program", "build"]

ROOT: Final = Path(__file__).parents[3]
_BUILD_WITHIN: Final = 540
"""Seconds; nothing is expected to take so long, but nothing may hang either."""
_END_WITHIN: Final = 120
_BUILT: Final = ("target", "node_modules")
"""Folders that a build makes and the next one goes on with."""


@dataclass(frozen=True)
class Language:
    """How the programs of one language are built and run.

    Attributes:
        name: folder below ``examples/``.
        tools: programs in PATH without which there is nothing to test.
        build: command that is run in the folder.
        run: words before a program's arguments, with its name in place of ``{name}``, in the
            spelling of a class in place of ``{Name}``.
    """

    name: str
    tools: tuple[str, ...]
    build: tuple[str, ...]
    run: tuple[str, ...]


LANGUAGES: Final = {
    language.name: language
    for language in (
        Language("python", (), (), (sys.executable, "{name}.py")),
        Language(
            "node", ("node", "npm"), ("npm", "ci", "--prefer-offline"), ("node", "{name}.mjs")
        ),
        Language("go", ("go",), ("go", "build", "-o", "target/", "./..."), ("./target/{name}",)),
        Language(
            "java",
            ("java", "javac", "mvn"),
            ("mvn", "-q", "-B", "compile"),
            ("java", "-cp", f"target/classes{os.pathsep}target/lib/*", "{Name}"),
        ),
        Language(
            "rust",
            ("cargo", "cc"),
            ("cargo", "build", "--locked"),
            ("target/debug/{name}",),
        ),
    )
}


class Program:
    """One language's programs, built, and the folder that they run in."""

    def __init__(self, language: Language, folder: Path) -> None:
        self.language = language
        self._folder = folder

    def lines(self, name: str, *arguments: str, environment: Mapping[str, str]) -> list[str]:
        """Run a program until it ends well, and return the lines that it printed."""
        done = self._run(name, arguments, environment)
        said = done.stderr.decode(errors="replace")
        assert done.returncode == 0, f"{self.language.name} {name}: {said}{done.stdout!r}"
        return done.stdout.decode().splitlines()

    def failure(self, name: str, *arguments: str) -> str:
        """Run a program that has to fail, and return what it says."""
        done = self._run(name, arguments, {})
        assert done.returncode != 0
        assert done.stdout == b""
        return done.stderr.decode()

    def _run(
        self, name: str, arguments: Sequence[str], environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[bytes]:
        words = [w.format(name=name, Name=name.capitalize()) for w in self.language.run]
        return _call([*words, *arguments], self._folder, _END_WITHIN, environment)


def build(language: Language) -> Program:
    """Build a language's programs in a copy below ``.cache``, which keeps what was built before.

    Without its toolchain the test is skipped.
    """
    missing = [tool for tool in language.tools if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"examples/{language.name} needs {', '.join(missing)}, not in PATH")
    source = ROOT / "examples" / language.name
    if not language.build:
        return Program(language, source)
    folder = ROOT / ".cache" / "examples" / language.name
    _copy(source, folder)
    done = _call(language.build, folder, _BUILD_WITHIN, {})
    said = (done.stdout + done.stderr).decode(errors="replace")
    assert done.returncode == 0, f"{' '.join(language.build)}: {said}"
    return Program(language, folder)


def _copy(source: Path, folder: Path) -> None:
    """Copy the sources, with their times, and take away what is no source any more."""
    folder.mkdir(parents=True, exist_ok=True)
    for held in folder.iterdir():
        if held.is_file():
            held.unlink()
        elif held.name not in _BUILT:
            shutil.rmtree(held)
    shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*_BUILT))


def _call(
    command: Sequence[str], folder: Path, within: int, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=within,
            check=False,
        )
    except subprocess.TimeoutExpired as hung:
        said = b"".join(filter(None, (hung.stdout, hung.stderr))).decode(errors="replace")
        pytest.fail(f"{' '.join(command)} did not end within {within} s, and said: {said}")
