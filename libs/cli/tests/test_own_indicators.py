"""``collector indicators check``, and values of a user's own indicators."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from collector_indicators import discovery
from collector_indicators.discovery import indicators

from .conftest import Call

OWN = Path(__file__).parents[2] / "indicators" / "tests" / "own_indicators.py"
CSV = b"open_time,open,high,low,close,volume\n" + b"".join(
    b"%d,100,%d,99,100,1\n" % (1_700_000_040 + 60 * n, 101 + n) for n in range(5)
)


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no test's files be found by another."""
    monkeypatch.setattr(discovery, "_FILES", {})
    yield
    monkeypatch.undo()
    indicators.cache_clear()


def test_a_file_that_keeps_the_contract(collector: Call) -> None:
    result = collector("indicators", "check", str(OWN))
    assert (result.status, result.out) == (0, "own_span: keeps the contract\n")


def test_a_module_of_the_catalogue(collector: Call) -> None:
    result = collector("indicators", "check", "collector_indicators.catalogue.ema")
    assert (result.status, result.out) == (0, "ema: keeps the contract\n")


def test_what_breaks_it_is_told_with_status_1(collector: Call, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(OWN.read_text().replace("sum(widths) / period if", "float('inf') if"))
    result = collector("indicators", "check", str(path))
    first, second, *_ = result.out.splitlines()
    assert (result.status, first) == (1, "own_span: breaks the contract")
    assert second == (
        "  over a random walk: expected own_span to be finite or None, was inf at bar 2"
    )


def test_a_file_that_is_none_is_one_sentence(collector: Call, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("import nothing_of_this_name")
    result = collector("indicators", "check", str(path))
    assert result.status == 2
    assert result.err == (
        f"collector: expected a Python file of indicators at {path}, "
        "was ModuleNotFoundError: No module named 'nothing_of_this_name'\n"
    )


def test_values_over_a_file_of_candles(collector: Call) -> None:
    result = collector(
        *("indicators", "compute", "--module", str(OWN), "--set", "own_span:2", "-"), stdin=CSV
    )
    rows = result.out.splitlines()
    assert (result.status, len(rows)) == (0, 5)
    assert '"values":{"own_span":null}' in rows[0]
    assert '"values":{"own_span":2.5}' in rows[1]
