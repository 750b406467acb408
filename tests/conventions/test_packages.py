"""A package declares what it imports, and nothing else."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from .repository import PACKAGES, ROOT, name_of, python_files, tree

# imported where it is installed, and only there: the package says what happens elsewhere
OPTIONAL = {
    "collector-testkit": {"pytest", "testcontainers", "docker"},
}


def normal(name: str) -> str:
    """Return a distribution's name as PEP 503 and 508 compare it, without extras and versions."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", name)[0]).lower()


def imported(package: Path) -> set[str]:
    """Return the distributions that a package's code imports, its own left out."""
    own = {path.name for path in (package / "src").iterdir()}
    known = packages_distributions()
    found: set[str] = set()
    for path in python_files(f"{name_of(package)}/src/"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Import):
                names = {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = {node.module or ""}
            else:
                continue
            for name in {name.partition(".")[0] for name in names} - own:
                if name in sys.stdlib_module_names:
                    continue
                if name.startswith("collector_"):
                    found.add(normal(name))
                else:
                    found.update({normal(d) for d in known.get(name, [name])})
    return found


def project(package: Path) -> dict[str, object]:
    with (package / "pyproject.toml").open("rb") as file:
        content: dict[str, object] = tomllib.load(file)["project"]
    return content


@pytest.mark.parametrize("package", PACKAGES, ids=name_of)
def test_a_package_declares_what_it_imports_and_no_more(package: Path) -> None:
    found = project(package)
    declared = found["dependencies"]
    assert isinstance(declared, list)
    names = {normal(name) for name in declared}
    optional = OPTIONAL.get(str(found["name"]), set())
    assert names == imported(package) - optional, f"{name_of(package)}/pyproject.toml"


@pytest.mark.parametrize("package", PACKAGES, ids=name_of)
def test_a_package_holds_no_tool_settings(package: Path) -> None:
    with (package / "pyproject.toml").open("rb") as file:
        tools = tomllib.load(file).get("tool", {})
    assert set(tools) <= {"hatch"}


@pytest.mark.parametrize("package", PACKAGES, ids=name_of)
def test_a_package_is_typed_and_named_by_its_folder(package: Path) -> None:
    (module,) = [p for p in (package / "src").iterdir() if p.is_dir() and p.name != "__pycache__"]
    assert module.name == "collector_" + package.name.replace("-", "_")
    assert (module / "py.typed").is_file() or package.parent.name == "services"


def test_requirements_hold_what_the_packages_declare() -> None:
    listed = {
        normal(line)
        for line in (ROOT / "requirements" / "run.in").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith(("#", "-"))
    }
    declared: set[str] = set()
    for package in PACKAGES:
        dependencies = project(package)["dependencies"]
        assert isinstance(dependencies, list)
        declared |= {normal(name) for name in dependencies}
    assert {name for name in declared if not name.startswith("collector-")} <= listed


def test_requirements_are_pinned_with_hashes_and_name_no_index() -> None:
    for name in ("run.txt", "dev.txt"):
        text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
        pins = re.findall(r"^[a-z0-9][^ ]*==[^ ]+", text, re.M | re.I)
        assert pins
        assert len(pins) <= text.count("--hash=sha256:")
        assert "index-url" not in text
        assert "://" not in text
