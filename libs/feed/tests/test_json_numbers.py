"""JSON numbers as exact texts, remembered within bounds."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector_core.errors import NumberError
from collector_feed import json_numbers
from collector_feed.json_numbers import LevelTexts, UnitBooks
from collector_feed.ticket_wire import Unit
from collector_testkit.captures import written_out

lexemes = st.from_regex(r"(0|[1-9][0-9]{0,9})(\.[0-9]{1,9})?([eE][-+]?[0-9])?", fullmatch=True)


@settings(deadline=None)
@given(text=lexemes)
def test_a_level_number_is_written_out_and_zero_is_nothing(text: str) -> None:
    texts = LevelTexts()
    expected = written_out(text)
    for _ in range(2):
        assert texts[text] == (expected if expected.strip("0.") else "")


@pytest.mark.parametrize("lexeme", ['"1"', "null", "true", "-1", "1e999", "[1]", "{}", ""])
def test_what_is_no_level_number_is_refused_and_not_remembered(lexeme: str) -> None:
    texts = LevelTexts()
    for _ in range(2):
        with pytest.raises(NumberError):
            texts[lexeme]
    assert texts == {}


def test_remembered_numbers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_numbers, "_KEPT", 10)
    texts = LevelTexts()
    for number in range(1, 100):
        assert texts[str(number)] == str(number)
        assert len(texts) <= 10


def units(*rows: tuple[str, str, str, str], beside: str = "") -> msgspec.Raw:
    names = "ask_price", "bid_price", "ask_size", "bid_size"
    listed = (
        "{"
        + ",".join(f'"{name}": {text}' for name, text in zip(names, row, strict=True))
        + beside
        + "}"
        for row in rows
    )
    return msgspec.Raw(f"[{', '.join(listed)}]".encode())


@settings(deadline=None)
@given(rows=st.lists(st.tuples(lexemes, lexemes, lexemes, lexemes), max_size=5))
def test_a_pushed_book_is_read_as_number_by_number(rows: list[tuple[str, str, str, str]]) -> None:
    expected = (
        [(written_out(bid), written_out(size)) for _, bid, _, size in rows],
        [(written_out(ask), written_out(size)) for ask, _, size, _ in rows],
    )
    shown = tuple([v for v in side if v[0].strip("0.") and v[1].strip("0.")] for side in expected)
    books = UnitBooks(Unit)
    for _ in range(2):
        assert shown == books.read(units(*rows))
        assert shown == books.read_each(units(*rows))
        assert shown == books.read(units(*rows, beside=',"type":"more"'))


@pytest.mark.parametrize(
    "lexeme", ['"1"', '"x"', "null", "true", "-1", "-1.5", "[1]", "1" * 90, "1e90"]
)
@pytest.mark.parametrize("place", range(4))
def test_a_pushed_book_with_anything_but_numbers_is_refused(lexeme: str, place: int) -> None:
    row = ["1.5", "1.4", "2", "3"]
    row[place] = lexeme
    with pytest.raises((NumberError, msgspec.MsgspecError)):
        UnitBooks(Unit).read(units(("9", "8", "7.0", "6"), tuple(row)))  # type: ignore[arg-type]  # four
