"""The pages of the manual: links lead somewhere, examples run, the contract is told whole."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from collector_core.events import Trade
from collector_exchanges.discovery import exchanges
from collector_feed.adapter import Adapter
from collector_feed.spec import ChannelSpec, Spec

from .repository import ROOT, files, name_of

PAGES = [path for path in files() if path.suffix == ".md"]
EXCHANGE_PAGES = sorted((ROOT / "docs" / "exchanges").glob("[a-z]*.md"))
ADDING = (ROOT / "docs" / "add-an-exchange.md").read_text(encoding="utf-8")


def anchor(heading: str) -> str:
    """Return the name by which a heading is linked to."""
    kept = re.sub(r"[^\w\- ]", "", heading.lower())
    return kept.strip().replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    prose = re.sub(r"```.*?```", "", text, flags=re.S)
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", prose):
        name, _, part = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), f"{name_of(page)} links to {link}"
        if part:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.M)
            assert part in map(anchor, headings), f"{name_of(page)} links to {link}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_in_a_page_parses(page: Path) -> None:
    for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.S):
        ast.parse(block)


def test_each_exchange_has_its_page_and_the_index_leads_there() -> None:
    assert [page.stem for page in EXCHANGE_PAGES] == list(exchanges())
    index = (ROOT / "docs" / "exchanges" / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\(([a-z]+)\.md\)", index) == list(exchanges())


@pytest.mark.parametrize("page", EXCHANGE_PAGES, ids=lambda page: page.stem)
def test_the_single_frame_of_a_page_gives_the_row_that_stands_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    shown = re.search(r"^\$ echo ('.+') \| collector (replay .+ -)\n((?:\{.+\}\n)+)```", text, re.M)
    assert shown, f"expected a frame and its row in {name_of(page)}"
    done = subprocess.run(
        [str(Path(sys.executable).with_name("collector")), *shlex.split(shown[2])],
        input=shlex.split(shown[1])[0].encode(),
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode() == shown[3]


def test_adding_an_exchange_names_the_whole_contract() -> None:
    named = set(re.findall(r"`(\w+)`", ADDING))
    methods = {
        name
        for name, value in vars(Adapter).items()
        if not name.startswith("_") and (callable(value) or isinstance(value, staticmethod))
    }
    fields = {field.name for kind in (Spec, ChannelSpec) for field in msgspec.structs.fields(kind)}
    assert (methods | fields) - named == set()


def test_the_example_of_both_sides_runs() -> None:
    (code,) = re.findall(r"```python\n(.+?)```", ADDING, re.S)
    scope: dict[str, list[Trade]] = {}
    exec(code, scope)
    assert len(scope["rows"]) > 10


def test_decisions_are_numbered_once() -> None:
    names = sorted(path.name for path in (ROOT / "docs" / "adr").glob("*.md"))
    numbers = [name[:4] for name in names]
    assert len(set(numbers)) == len(numbers)
    for name in names:
        title = (ROOT / "docs" / "adr" / name).read_text(encoding="utf-8").splitlines()[0]
        assert title.startswith(f"# {name[:4]} ")
