"""The commands that need no broker: exchanges, indicators, schema."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from collector_exchanges.discovery import adapter, exchanges

from .conftest import Call

CSV = "open_time,open,high,low,close,volume\n" + "".join(
    f"{1_700_000_040 + 60 * n},{100 + n},{102 + n},{99 + n},{101 + n % 3},{n + 1}\n"
    for n in range(40)
)
SCHEMAS = Path(__file__).parents[3] / "schemas" / "events"


# --- exchanges -------------------------------------------------------------------------------


def test_the_matrix_is_what_the_adapters_declare(collector: Call) -> None:
    found = json.loads(collector("exchanges", "--json").out)
    assert list(found) == list(exchanges())
    for name, spec in found.items():
        declared = adapter(name).spec
        assert list(spec["channels"]) == list(declared.channels)
        assert spec["channels"]["trade"]["loss"] == declared.channels["trade"].loss
        assert spec["request_weight"]["count"] == declared.request_weight.count


def test_the_tables_name_each_exchange_and_channel(collector: Call) -> None:
    out = collector("exchanges").out
    for name in exchanges():
        assert name in out
        assert [channel for channel in adapter(name).spec.channels if channel not in out] == []
    assert "6,000 in 60 s" in out
    assert max(len(line) for line in out.splitlines()) <= 140


def test_the_tables_fit_a_narrow_terminal(collector: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in collector("exchanges").lines]
    assert max(len(line) for line in lines) <= 80
    # an exchange that takes several lines has its name once in each of the four tables
    for name in exchanges():
        assert sum(line.split()[:1] == [name] for line in lines) == 4


def test_the_manual_has_the_matrix_as_it_is(collector: Call) -> None:
    page = (SCHEMAS.parents[1] / "docs" / "exchanges" / "README.md").read_text(encoding="utf-8")
    shown = collector("exchanges", "--markdown").out
    assert shown.count("### ") == 4
    assert shown in page, "expected docs/exchanges/README.md to have collector exchanges --markdown"


# --- indicators ------------------------------------------------------------------------------


def test_indicators_are_listed_with_defaults(collector: Call) -> None:
    found = {
        entry["name"]: entry for entry in json.loads(collector("indicators", "list", "--json").out)
    }
    assert found["macd"]["default"] == "macd:12:26:9"
    assert found["rsi"]["parameters"] == {"period": 14}
    assert found["bollinger"]["outputs"] == ["upper", "middle", "lower"]
    assert [found[name]["inputs"] for name in ("rsi", "spread")] == [["candle", "bar"], ["book"]]
    listed = collector("indicators", "list").out
    assert "macd:12:26:9" in listed
    assert listed.index("over candle or bar") < listed.index("rsi") < listed.index("over book")
    assert listed.index("over book") < listed.index("book_imbalance ")


@pytest.mark.parametrize("source", ["file", "stdin"])
def test_compute_gives_rows_over_candles(collector: Call, tmp_path: Path, source: str) -> None:
    path = tmp_path / "candles.csv"
    path.write_text(CSV)
    chosen = ("indicators", "compute", "--set", "rsi:14,vwap", "--symbol", "BTC/USDT")
    result = (
        collector(*chosen, str(path))
        if source == "file"
        else collector(*chosen, "-", stdin=CSV.encode())
    )
    assert (result.status, result.err) == (0, "")
    found = [json.loads(line) for line in result.lines]
    assert len(found) == 80
    last = found[-2]
    assert (last["name"], last["symbol"], last["interval"]) == ("rsi", "BTC/USDT", "1m")
    assert (last["closed"], last["warm"]) == (True, True)
    assert 0 < last["values"]["rsi"] < 100
    assert [row["seq"] for row in found] == list(range(1, 81))


@pytest.mark.parametrize(
    ("arguments", "text", "sentence"),
    [
        (("--set", "rsi:1", "-"), CSV, "indicator rsi: parameter period: expected "),
        (("--set", "nope", "-"), CSV, "expected an indicator ("),
        (("--set", "rsi", "-"), "open_time,open\n1,2\n", "stdin: line 1: expected the columns "),
        (("--set", "rsi", "nowhere.csv"), "", "expected a readable file, was nowhere.csv: "),
        (("--set", "rsi", "--symbol", "BTCUSDT", "-"), CSV, "--symbol: expected a symbol such as "),
    ],
)
def test_compute_names_what_is_wrong(
    collector: Call, arguments: tuple[str, ...], text: str, sentence: str
) -> None:
    result = collector("indicators", "compute", *arguments, stdin=text.encode())
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith(f"collector: {sentence}")


def test_compute_refuses_what_is_no_text(collector: Call, tmp_path: Path) -> None:
    path = tmp_path / "candles.bin"
    path.write_bytes(b"\xff\xfe\x00")
    result = collector("indicators", "compute", "--set", "rsi", str(path))
    assert result.status == 2
    assert result.err.startswith(f"collector: expected a text in UTF-8, was {path}")


# --- schema ----------------------------------------------------------------------------------


def test_each_type_shows_the_committed_schema(collector: Call) -> None:
    names = [line.split()[0] for line in collector("schema", "list").lines]
    assert sorted(names) == sorted(path.stem for path in SCHEMAS.glob("*.json"))
    for name in names:
        shown = collector("schema", "show", name).out
        assert shown == (SCHEMAS / f"{name}.json").read_text()


def test_an_unknown_type_is_a_sentence(collector: Call) -> None:
    result = collector("schema", "show", "quote")
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith("collector: expected a row type (trade, clock, ticker, ")
