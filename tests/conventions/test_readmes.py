"""What a README must say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from collector_exchanges.discovery import exchanges

from .repository import ROOT, name_of

SERVICES = sorted(path.parent for path in (ROOT / "services").glob("*/pyproject.toml"))
EXCHANGES = [ROOT / "libs/exchanges/src/collector_exchanges" / name for name in exchanges()]


def headings(text: str) -> list[str]:
    """Return the second-level headings, lower case; what looks like one in a code block is none."""
    prose = re.sub(r"```.*?```", "", text, flags=re.S)
    return [heading.lower() for heading in re.findall(r"^##+ (.+)$", prose, flags=re.M)]


def read(folder: Path) -> str:
    path = folder / "README.md"
    assert path.is_file(), f"expected {name_of(path)}, was missing"
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# "), f"expected a title on top of {name_of(path)}"
    return text


def test_the_root_tells_how_to_run_and_how_to_read_from_each_language() -> None:
    text = read(ROOT)
    assert "make run" in text
    assert "make test" in text
    said = " ".join(headings(text)) + " ".join(re.findall(r"```(\w+)", text)).lower()
    for language in ("python", "java", "go", "node", "rust"):
        assert re.search(rf"\b{language}(script|\.js)?\b", said + " " + text.lower())
    for file in ("CONTRIBUTING.md", "ARCHITECTURE.md", "LICENSE"):
        assert (ROOT / file).is_file(), f"expected {file}, was missing"


@pytest.mark.parametrize("folder", SERVICES, ids=name_of)
def test_a_service_tells_how_it_is_run_and_set(folder: Path) -> None:
    found = headings(read(folder))
    for section in ("run", "settings"):
        assert any(section in heading for heading in found), (
            f"expected a section on {section} in {name_of(folder)}/README.md, was {found}"
        )


@pytest.mark.parametrize("folder", EXCHANGES, ids=name_of)
def test_an_exchange_shows_its_evidence_and_its_quirks(folder: Path) -> None:
    text = read(folder)
    header = re.search(r"^\| *channel *\| *frame *\| *role *\| *proof *\|", text, re.M | re.I)
    assert header, "expected a table channel | frame | role | proof"
    rows = re.findall(r"^\|(?! *-|[- |]+$).+\|$", text[header.end() :], re.M)
    assert len(rows) >= 4, f"expected a row for each channel, was {rows}"
    assert any("quirk" in heading for heading in headings(text))
