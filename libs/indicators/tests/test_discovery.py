from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from collector_core.errors import SettingsError
from collector_indicators import discovery
from collector_indicators.discovery import bar_indicators, indicators, load_file, load_module
from collector_indicators.plan_file import read_plan
from collector_indicators.selection import parse_choice

OWN = Path(__file__).with_name("own_indicators.py")


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no test's files be found by another."""
    monkeypatch.setattr(discovery, "_FILES", {})
    indicators.cache_clear()
    yield
    monkeypatch.undo()
    indicators.cache_clear()


def test_the_catalogue_is_found_in_alphabetical_order() -> None:
    names = list(indicators())
    assert names == sorted(names)
    assert {"rsi", "ema", "ichimoku", "vwap"} <= set(names)


def test_a_file_s_indicators_are_chosen_as_ours_are() -> None:
    [kind] = load_file(str(OWN))
    assert (kind.name, indicators()["own_span"]) == ("own_span", kind)
    assert parse_choice("own_span:5").params == "5"


def test_a_file_s_indicators_over_books_are_chosen_as_ours_are(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "from collector_indicators.catalogue.spread import Spread\n\n"
        'class Width(Spread):\n    """The spread."""\n\n    name = "own_width"\n'
    )
    [kind] = load_file(str(path))
    assert indicators()["own_width"] == kind
    assert "own_width" not in bar_indicators()
    assert parse_choice("own_width").create_of_book().levels == 1


def test_a_file_that_is_loaded_again_replaces_what_it_brought(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(OWN.read_text())
    load_file(str(path))
    path.write_text(OWN.read_text().replace('"own_span"', '"own_width"'))
    load_file(str(path))
    assert "own_width" in indicators()
    assert "own_span" not in indicators()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1", "expected at least one indicator in "),
        ("raise ValueError('no')", "was ValueError: no"),
        ("def (", "was SyntaxError: "),
    ],
)
def test_a_file_without_indicators_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_file(str(path))
    assert said in str(caught.value)
    assert "rsi" in indicators()


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingsError, match=r"at nowhere\.py, was FileNotFoundError"):
        load_file("nowhere.py")


def test_a_name_that_is_taken_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(OWN.read_text().replace('name = "own_span"', 'name = "rsi"'))
    with pytest.raises(SettingsError, match=r"expected one indicator rsi, was another in .*mine"):
        load_file(str(path))
    assert indicators()["rsi"].__module__ == "collector_indicators.catalogue.rsi"


def test_a_module_is_loaded_by_its_name() -> None:
    assert [k.name for k in load_module("collector_indicators.catalogue.rsi")] == ["rsi"]
    with pytest.raises(SettingsError, match="was no_such_module: ModuleNotFoundError"):
        load_module("no_such_module")
    with pytest.raises(SettingsError, match="expected at least one indicator in json, was none"):
        load_module("json")


@pytest.mark.parametrize("attribute", ["", ":Span"])
def test_a_package_s_entry_point_is_found(
    attribute: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "collector_indicators_test_own.py").write_text(OWN.read_text())
    monkeypatch.syspath_prepend(str(tmp_path))
    value = f"collector_indicators_test_own{attribute}"
    point = EntryPoint("own", value, "collector.indicators")
    monkeypatch.setattr(discovery, "entry_points", lambda **_: [point])
    assert indicators()["own_span"].__module__ == "collector_indicators_test_own"


def test_an_entry_point_that_cannot_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("own", "no_such_module", "collector.indicators")
    monkeypatch.setattr(discovery, "entry_points", lambda **_: [point])
    with pytest.raises(SettingsError, match=r"entry point own \(no_such_module\), was ModuleNot"):
        indicators()


def test_a_plan_names_files_from_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN.read_text())
    text = (
        "modules: [mine.py]\n"
        "calculations: [{symbols: ['*:*'], input: bar, intervals: [1s], indicators: [own_span]}]\n"
    )
    [entry] = read_plan(text, "plan.yaml", str(tmp_path)).entries
    assert str(entry.settings.indicators[0]) == "own_span:3"
    with pytest.raises(SettingsError, match=r"plan\.yaml line 1: modules: expected a Python file"):
        read_plan(text.replace("mine.py", "other.py"), "plan.yaml", str(tmp_path))
