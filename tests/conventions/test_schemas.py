"""Schemas and golden rows say what the code does."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, get_args

import msgspec
import pytest
import yaml
from jsonschema import Draft202012Validator

from collector_core.codec import decode, decode_record, encode
from collector_core.events import Row
from collector_core.records import CatalogEntry, Control, DeadLetter

from .repository import ROOT

SCHEMAS = ROOT / "schemas"
RECORDS = (CatalogEntry, Control, DeadLetter)
KINDS = {str(k.__struct_config__.tag): k for k in (*get_args(Row), *RECORDS)}
ROWS = [
    pytest.param(tag, row.encode(), id=f"{tag}-{number}")
    for tag in KINDS
    for number, row in enumerate(
        (SCHEMAS / "golden" / f"{tag}.json").read_text(encoding="utf-8").splitlines()
    )
]


def schema(tag: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((SCHEMAS / "events" / f"{tag}.json").read_bytes())
    return content


def validator(tag: str) -> Draft202012Validator:
    return Draft202012Validator(schema(tag))


def document(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((SCHEMAS / name).read_text(encoding="utf-8"))
    return content


def test_what_is_committed_is_what_is_generated() -> None:
    run = subprocess.run(
        [sys.executable, str(SCHEMAS / "generate.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("tag", KINDS)
def test_a_schema_is_one_and_describes_itself(tag: str) -> None:
    found = schema(tag)
    Draft202012Validator.check_schema(found)
    assert found["description"]
    assert next(iter(found["properties"])) == "type"


@pytest.mark.parametrize(("tag", "row"), ROWS)
def test_a_golden_row_is_valid_and_comes_back_to_the_byte(tag: str, row: bytes) -> None:
    validator(tag).validate(json.loads(row))
    event = decode_record(row, KINDS[tag]) if KINDS[tag] in RECORDS else decode(row)
    assert type(event) is KINDS[tag]
    assert encode(event) == row


@pytest.mark.parametrize("tag", KINDS)
def test_each_field_that_may_be_null_is_null_and_is_not(tag: str) -> None:
    rows = [
        json.loads(line)
        for line in (SCHEMAS / "golden" / f"{tag}.json").read_text(encoding="utf-8").splitlines()
    ]
    for name, field in schema(tag)["properties"].items():
        if {"type": "null"} in field.get("anyOf", ()) and name != "exchange_time":
            assert any(row[name] is None for row in rows), f"{tag}.{name} is never null"
            assert any(row[name] is not None for row in rows), f"{tag}.{name} is always null"


@pytest.mark.parametrize(
    "price", ["", "1e-7", "1,5", ".5", "5.", "+1", " 1", "NaN", "0x1", "1_0", 1.5, None]
)
def test_the_schema_refuses_what_is_no_exact_decimal(price: object) -> None:
    row = {**json.loads(ROWS[0].values[1]), "price": price}  # type: ignore[arg-type]  # a row
    assert list(validator("trade").iter_errors(row))


@pytest.mark.parametrize("level", [["1"], ["1", "2", "3"], [1, 2], ["1", "x"], "1"])
def test_the_schema_refuses_what_is_no_level(level: object) -> None:
    row = msgspec.to_builtins(next(decode(p.values[1]) for p in ROWS if p.values[0] == "book"))  # type: ignore[arg-type]  # a row
    assert list(validator("book").iter_errors({**row, "type": "book", "bids": [level]}))


@pytest.mark.parametrize("tag", KINDS)
def test_readers_of_today_take_rows_of_later_versions(tag: str) -> None:
    row = json.loads(next(p.values[1] for p in ROWS if p.values[0] == tag))  # type: ignore[arg-type]  # a row
    validator(tag).validate({**row, "added_later": {"any": 1}})


def test_asyncapi_refers_to_what_exists() -> None:
    found = document("asyncapi.yaml")
    assert found["asyncapi"] == "3.0.0"
    for name, message in found["components"]["messages"].items():
        reference = message["payload"]["schema"]["$ref"]
        assert reference == f"./events/{name}.json"
        assert (SCHEMAS / reference).is_file()
    for channel in found["channels"].values():
        for name, reference in channel["messages"].items():
            assert reference == {"$ref": f"#/components/messages/{name}"}
            assert name in found["components"]["messages"]
        placeholders = set(channel.get("parameters", ()))
        assert placeholders == {n for n in ("exchange", "pair") if f"{{{n}}}" in channel["address"]}
    for operation in found["operations"].values():
        assert operation["channel"]["$ref"].removeprefix("#/channels/") in found["channels"]


def test_every_channel_has_its_topics_in_both_layouts() -> None:
    addresses = {channel["address"] for channel in document("asyncapi.yaml")["channels"].values()}
    for channel in ("trade", "ticker", "book", "depth", "candle", "bar", "indicator"):
        assert {f"md.{channel}.{{exchange}}.{{pair}}", f"md.{channel}.{{exchange}}"} <= addresses
    for channel in ("status", "instrument", "dead-letter"):
        assert f"md.{channel}.{{exchange}}" in addresses
    assert {"md.catalog", "md.control"} <= addresses


def test_the_retention_of_the_design() -> None:
    def config(channel: dict[str, Any]) -> dict[str, str]:
        found: dict[str, str] = (channel.get("topic") or channel["layouts"]["symbol"])["config"]
        return found

    hour = 3_600_000
    found = {
        channel["channel"]: (
            config(channel)["cleanup.policy"],
            int(config(channel).get("retention.ms", 0)) // hour,
        )
        for channel in document("topics.yaml")["channels"]
    }
    kept = "compact,delete"
    assert found == {
        "trade": ("delete", 72),
        "book": ("delete", 6),
        "ticker": (kept, 24),
        "depth": (kept, 24),
        "instrument": (kept, 24),
        "candle": (kept, 720),
        "bar": (kept, 720),
        "indicator": (kept, 720),
        "status": ("delete", 14 * 24),
        "dead-letter": ("delete", 14 * 24),
        "catalog": ("compact", 0),
        "control": ("compact", 0),
        "indicator-state": ("compact", 0),
        "lease": ("delete", 0),
    }


def test_metrics_are_named_by_prometheus_rules() -> None:
    for metric in document("metrics.yaml")["metrics"]:
        assert metric["name"].startswith("collector_")
        assert metric["name"].endswith("_total") == (metric["kind"] == "counter")
        assert metric["help"].endswith(".")
        assert metric["services"]
