"""Rows: every type there and back, and what is no row."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector_core import events
from collector_core.codec import MAX_ROW_BYTES, decode, decode_record, encode
from collector_core.errors import CodecError
from collector_core.events import Book, Clock, Event, Indicator, Row, Status, Trade, stamp
from collector_core.records import CatalogEntry, Control, DeadLetter

TYPES: list[type[Event]] = list(get_args(Row))
TRADE = Trade(
    "binance",
    "BTC/USDT",
    1_700_000_000_000_000,
    None,
    1,
    2,
    "7",
    "0.10",
    "3",
    "buy",
    backfilled=True,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def rows() -> st.SearchStrategy[Event]:
    return st.one_of([st.builds(kind, **_fields(kind)) for kind in TYPES])


def _fields(kind: type[Event]) -> dict[str, st.SearchStrategy[Any]]:
    # integers: what is safe in JavaScript; floats: those that JSON has
    special: dict[Any, st.SearchStrategy[Any]] = {
        str: texts,
        int: st.integers(-(2**53), 2**53),
        dict[str, float | None]: st.dictionaries(
            texts, st.none() | st.floats(allow_nan=False, allow_infinity=False)
        ),
        list[tuple[str, str]]: st.lists(st.tuples(texts, texts), max_size=3),
    }
    given_here = {}
    for field in msgspec.structs.fields(kind):
        options = [
            special.get(part, st.none() if part is type(None) else st.from_type(part))
            for part in (get_args(field.type) if _union(field.type) else (field.type,))
        ]
        given_here[field.name] = st.one_of(options)
    return given_here


def _union(kind: object) -> bool:
    return type(None) in get_args(kind)


@given(rows())
def test_every_row_comes_back(event: Event) -> None:
    row = encode(event)
    assert decode(row) == event
    assert encode(decode(row)) == row


@given(rows())
def test_the_type_stands_first_and_names_the_class(event: Event) -> None:
    row = encode(event)
    assert row.startswith(b'{"type":"' + type(event).__name__.lower().encode() + b'",')
    assert type(decode(row)) is type(event)


def test_a_row_to_the_byte() -> None:
    assert encode(TRADE) == (
        b'{"type":"trade","exchange":"binance","symbol":"BTC/USDT",'
        b'"exchange_time":1700000000000000,"receive_time":null,"epoch":1,"seq":2,'
        b'"id":"7","price":"0.10","amount":"3","side":"buy","backfilled":true}'
    )


def test_from_is_from_on_the_wire() -> None:
    gap = Status("x", "A/B", None, 1, 2, 3, "gap", "trade", from_="1", to="2", count=2, unit="id")
    assert b'"from":"1","to":"2"' in encode(gap)
    assert decode(encode(gap)) == gap


def test_fields_of_later_versions_are_passed_over() -> None:
    row = encode(TRADE)[:-1] + b',"liquidation":{"of":["x"]}}'
    assert decode(row) == TRADE


def test_fields_with_a_default_may_be_missing() -> None:
    row = encode(TRADE).replace(b',"backfilled":true', b"")
    assert decode(row) == msgspec.structs.replace(TRADE, backfilled=False)


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_fields_without_a_default_may_not(kind: type[Event]) -> None:
    row = msgspec.json.decode(golden(kind))
    required = [f for f in msgspec.structs.fields(kind) if f.required]
    assert required
    for field in required:
        less = {name: value for name, value in row.items() if name != field.encode_name}
        with pytest.raises(CodecError, match=field.encode_name):
            decode(msgspec.json.encode(less))


@pytest.mark.parametrize(
    "row",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"type":"quote"}',
        b'{"type":7}',
        b'{"type":"trade"',
        encode(TRADE) + b"x",
        encode(TRADE).replace(b'"0.10"', b"0.10"),
        encode(TRADE).replace(b'"buy"', b'"long"'),
        encode(TRADE).replace(b"1700000000000000", b"1.5"),
        encode(TRADE).replace(b"BTC", b"\xff"),
        encode(TRADE)[:-1] + b',"x":' + b"[" * 100_000,
    ],
    ids=range(13),
)
def test_what_is_no_row_is_an_error_of_ours(row: bytes) -> None:
    with pytest.raises(CodecError, match="expected an event row, was"):
        decode(row)


@given(st.binary(max_size=60))
def test_bytes_are_a_row_or_an_error_of_ours(row: bytes) -> None:
    with pytest.raises(CodecError):
        decode(row)


def test_no_number_is_null() -> None:
    row = Indicator(
        *("x", "A/B", None, None, 1, 1, "rsi", "14", "candle", "1m", 0),
        {"nan": float("nan"), "inf": float("inf"), "zero": 0.0},
        *(1, False, True),
    )
    assert b'"values":{"nan":null,"inf":null,"zero":0.0}' in encode(row)


def test_a_snapshot_of_the_default_depth_fits_a_row() -> None:
    level = ("1" * 40 + ".00000001", "1" * 40 + ".00000001")
    book = Book("x", "A/B", None, 1, 2, 3, "snapshot", [level] * 1000, [level] * 1000)
    assert len(encode(book)) < MAX_ROW_BYTES


def test_stamping_sets_epoch_and_seq_and_nothing_else() -> None:
    event = Clock("x", "A/B", 1, 2, 0, 0, 5)
    stamp(event, 11, 12)
    assert event == Clock("x", "A/B", 1, 2, 11, 12, 5)
    with pytest.raises(AttributeError):
        event.seq = 13  # type: ignore[misc]  # the test is that it is frozen


def test_every_exported_event_is_a_row() -> None:
    exported = {
        value
        for name in events.__all__
        if isinstance(value := getattr(events, name), type) and issubclass(value, Event)
    }
    assert exported - {Event} == set(TYPES)


@pytest.mark.parametrize(
    "record",
    [
        CatalogEntry("md.trade.x.A-B", "trade", "x", "A/B", None, 0, 1, "trade"),
        Control("x", "A/B", ("trade", "candle"), ("1m",)),
        Control("x", "A/B", ()),
        DeadLetter("x", "x-0", 5, "expected …", b"\x00\xff{"),
    ],
)
def test_every_record_comes_back(record: CatalogEntry | Control | DeadLetter) -> None:
    row = encode(record)
    assert row.startswith(b'{"type":"')
    assert decode_record(row, type(record)) == record


@pytest.mark.parametrize("row", [b"", b"{}", b'{"type":"trade"}', b'{"type":"control"}', b"\xff"])
def test_what_is_no_record_is_an_error_of_ours(row: bytes) -> None:
    with pytest.raises(CodecError, match="expected a Control row, was"):
        decode_record(row, Control)


def golden(kind: type[Event]) -> bytes:
    """Return a row of a type in which every field has a value."""
    samples: dict[Any, object] = {str: "1", int: 1, bool: True, dict[str, float | None]: {"v": 1.5}}
    fields: dict[str, object] = {}
    for field in msgspec.structs.fields(kind):
        parts = get_args(field.type)
        if field.type == list[tuple[str, str]]:
            fields[field.name] = [("1", "2")]
        else:
            known = samples.get(field.type)
            fields[field.name] = parts[0] if known is None else known
            if type(None) in parts:
                fields[field.name] = None
    return encode(kind(**fields))
