"""The manual's pages on events and topics say what the code does."""

from __future__ import annotations

import json
import re
from typing import Any, get_args

import msgspec
import pytest

from collector_core.codec import decode, decode_record
from collector_core.events import Event, Row, State
from collector_core.records import CatalogEntry, Control, DeadLetter
from collector_core.topics import Topics, murmur2

from .repository import ROOT

EVENTS = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
TOPICS = (ROOT / "docs" / "topics.md").read_text(encoding="utf-8")
KINDS: dict[str, type[Event]] = {str(k.__struct_config__.tag): k for k in get_args(Row)}
EVERY = {field.name for field in msgspec.structs.fields(Event)}


def section(title: str) -> str:
    match = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", EVENTS, re.M | re.S)
    assert match, f"expected a section {title} in docs/events.md"
    return match[1]


def named(text: str) -> set[str]:
    """Return the fields of the tables' first columns."""
    first = re.findall(r"^\|([^|]+)\|", text, re.M)
    return {name for cell in first for name in re.findall(r"`([a-z_]+)`", cell)}


@pytest.mark.parametrize("tag", KINDS)
def test_every_field_of_every_type_is_explained(tag: str) -> None:
    fields = {f.encode_name for f in msgspec.structs.fields(KINDS[tag]) if f.name not in EVERY}
    assert fields <= named(section(tag))
    assert named(section(tag)) - fields <= set(get_args(State))


def test_the_fields_of_all_are_explained_once() -> None:
    assert named(section("What holds for every type")) == {*EVERY, "type", "side"}


def test_every_state_is_explained() -> None:
    assert set(get_args(State)) <= named(section("status"))


@pytest.mark.parametrize("tag", KINDS)
def test_an_example_row_of_each_type_is_one(tag: str) -> None:
    rows = re.findall(r"```json\n(.+)\n```", section(tag))
    assert rows
    for row in rows:
        assert isinstance(decode(row.encode()), KINDS[tag])


def test_records_are_explained_with_an_example_of_each() -> None:
    text = section("Rows that are no events")
    rows = re.findall(r"```json\n(.+)\n```", text)
    catalog, control, dead_letter = (row.encode() for row in rows)
    for record in (
        decode_record(catalog, CatalogEntry),
        decode_record(control, Control),
        decode_record(dead_letter, DeadLetter),
    ):
        for name in record.__struct_fields__:
            assert f"`{name}`" in text


def test_the_readers_proof_works() -> None:
    (code,) = re.findall(r"```python\n(.+?)```", EVENTS, re.S)
    scope: dict[str, Any] = {}
    exec(code, scope)
    missed_nothing = scope["missed_nothing"]

    def row(seq: int, epoch: int = 1, **more: object) -> dict[str, object]:
        return {
            "type": "trade",
            "exchange": "x",
            "symbol": "A/B",
            "epoch": epoch,
            "seq": seq,
            **more,
        }

    started = {"type": "status", "channel": "trade", "state": "started"}
    assert missed_nothing(row(5))
    assert missed_nothing(row(6, type="clock"))
    assert missed_nothing(row(1, symbol="C/D"))
    assert missed_nothing(row(7, type="status", channel="trade", state="gap"))
    assert not missed_nothing(row(9))
    assert missed_nothing(row(1, 2, **started, previous_epoch=1, previous_seq=9))
    assert missed_nothing(row(2, 2))
    assert not missed_nothing(row(1, 3, **started, previous_epoch=2, previous_seq=5))
    assert not missed_nothing(row(1, 4, **started, previous_epoch=None, previous_seq=None))
    assert not missed_nothing(row(1, 5))


def test_the_worked_hash_and_its_table_are_right() -> None:
    found = re.findall(r"^\| `(\w+)\\\|([A-Z/]+)` \| (\d+) \| (\d+) \|$", TOPICS, re.M)
    assert len(found) == 4
    keyed = Topics(layout="keyed", partitions=16)
    for exchange, symbol, hashed, partition in found:
        assert murmur2(f"{exchange}|{symbol}".encode()) == int(hashed)
        assert keyed.address("trade", exchange, symbol).partition == int(partition)
    assert f"0x{murmur2(b'binance|BTC/USDT'):08x}" in TOPICS


def test_the_names_of_the_table_are_right() -> None:
    found = re.findall(r"^\| `([^`]+/[^`]+)` \| `(md\.trade\.binance\.[^`]+)` \|$", TOPICS, re.M)
    assert len(found) == 3
    for symbol, topic in found:
        assert Topics().address("trade", "binance", symbol).topic == topic
        assert Topics().parse(topic).symbol == symbol


def test_the_examples_are_json() -> None:
    for row in re.findall(r"```json\n(.+)\n```", EVENTS):
        assert next(iter(json.loads(row))) == "type"
