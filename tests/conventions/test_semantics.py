"""docs/semantics.md says what the adapters declare and what the integrity code writes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, get_args

import msgspec
import pytest

from collector_core.codec import encode
from collector_core.events import Event, State, Status, Trade
from collector_exchanges.discovery import adapter, exchanges
from collector_feed.book_stream import BookStream
from collector_feed.options import SessionOptions
from collector_feed.outputs import BookDelta, BookSnapshot
from collector_feed.recent_trades import RecentTrades
from collector_feed.trade_fill import HELD
from collector_feed.trade_stream import TradeStream

from .repository import ROOT

PAGE = (ROOT / "docs" / "semantics.md").read_text(encoding="utf-8")
FRAMES = ROOT / "libs" / "exchanges" / "tests"


def table(after: str) -> list[list[str]]:
    """Return the cells of the first table below a text, without its head."""
    lines = PAGE[PAGE.index(after) :].splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[first + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def by_exchange(after: str) -> dict[str, list[str]]:
    found = {row[0]: row[1:] for row in table(after)}
    assert list(found) == list(exchanges())
    return found


@cache
def cases(exchange: str) -> list[dict[str, Any]]:
    """Return the frames of an exchange with the outputs that its adapter gives."""
    found: list[dict[str, Any]] = json.loads((FRAMES / exchange / "frames.json").read_text())
    return found


def outputs(exchange: str, kind: str) -> list[dict[str, Any]]:
    return [o for case in cases(exchange) for o in case["outputs"] if o["type"] == kind]


# --- what differs between exchanges ----------------------------------------------------------


@pytest.mark.parametrize("exchange", exchanges())
def test_the_word_for_a_taker_who_bought_is_the_adapters(exchange: str) -> None:
    word = by_exchange("## Side")[exchange][1].strip("`")
    found = [
        case["outputs"][0]["side"]
        for case in cases(exchange)
        if len(case["outputs"]) == 1
        and case["outputs"][0]["type"] == "trade"
        and word in re.sub(r"\s", "", _text(case["frame"]))
    ]
    assert found, f"expected a frame with {word}"
    assert set(found) == {"buy"}


def _text(frame: object) -> str:
    return frame if isinstance(frame, str) else json.dumps(frame)


@pytest.mark.parametrize("exchange", exchanges())
def test_the_fields_of_tickers_are_those_that_are_given(exchange: str) -> None:
    every = {*Event.__struct_fields__, "type"}
    given = {k for o in outputs(exchange, "ticker") for k, v in o.items() if v is not None} - every
    listed = by_exchange("What tickers hold")[exchange][0].split()
    assert {"last", "volume", *listed} == given
    assert len(set(listed)) == len(listed)


def test_the_kinds_of_trade_ids_are_the_specs() -> None:
    for name, (ids, rest) in by_exchange("## Trade ids").items():
        spec = adapter(name).spec
        assert spec.trade_ids == ids
        assert spec.rest_trade_ids == (rest == "the same")


def test_the_rules_of_books_are_the_specs() -> None:
    begins = {"REST snapshot": True, "streamed snapshot": False, "every frame": False}
    for name, (begin, rule, proof) in by_exchange("How the rows of each exchange").items():
        spec = adapter(name).spec
        assert spec.book_rule == rule
        assert spec.book_by_rest == begins[begin]
        assert (rule == "whole") == (begin == "every frame")
        assert spec.book_audit == ("audits" in proof)
        assert bool(spec.checksum_levels) == ("CRC32" in proof)


def test_the_candles_are_the_specs() -> None:
    closers = {"flag": True, "time": False, "history": False}
    for name, (pushed, fetched, closer, quote, count) in by_exchange("## Candles").items():
        spec, candle = adapter(name).spec, adapter(name).spec.channels["candle"]
        assert candle.stream == (pushed != "no")
        assert spec.candle_flag == closers[closer]
        assert bool(candle.polled) == (fetched != "none")
        if pushed not in {"yes", "no"}:
            assert candle.intervals == (pushed,)
        rows = outputs(name, "candle") or _rest_rows(name, "candles")
        for field, said in (("quote_volume", quote), ("trade_count", count)):
            assert any(row[field] is not None for row in rows) == (said == "yes"), (name, field)


def _rest_rows(exchange: str, call: str) -> list[dict[str, Any]]:
    answers = json.loads((FRAMES / exchange / "rest.json").read_text())
    return [row for answer in answers if answer["call"] == call for row in answer["rows"]]


def test_the_states_are_all_there() -> None:
    said = {w for row in table("## States") for w in re.findall(r"`([a-z_]+)`", row[0])}
    assert said | {"connected", "login"} == set(get_args(State))


def test_the_bounds_are_those_of_the_code() -> None:
    recent = RecentTrades(same_ids=True)
    for number in range(5_000):
        recent.remember(trade(str(number)))
    kept = sum(str(number) in recent for number in range(5_000))
    assert f"the symbol's last {kept:,} ids" in PAGE
    options = SessionOptions()
    assert f"({options.backfill_timeout:g} s or {HELD:,} of them" in PAGE
    assert f"one comparison each {options.audit_every:g} s" in PAGE
    assert f"each resync and every {options.book_snapshot_every:g} s" in PAGE
    assert f"the N best ({options.book_levels:,} by default)" in PAGE


# --- the worked examples ---------------------------------------------------------------------


def said(rows: Iterable[Event], *, timed: bool) -> list[list[str]]:
    """Return rows as the page's tables show them."""
    lines = []
    for row in rows:
        if isinstance(row, Trade):
            at = f" at {row.exchange_time}" if timed else ""
            late = ", backfilled" if row.backfilled else ""
            lines.append(["trade", f"{row.id}{at}{late}"])
        else:
            assert isinstance(row, Status)
            count = "" if row.count is None else f", count {row.count}"
            lines.append(
                [row.state, f"{row.unit} {row.from_} to {row.to}{count}: {row.reason}"],
            )
    return lines


def trade(ident: str, time: int = 1000, *, backfilled: bool = False) -> Trade:
    return Trade("x", "A/B", time, time, 0, 0, ident, "1", "1", "buy", backfilled)


def history(*trades: Trade) -> list[Trade]:
    return [msgspec.structs.replace(t, backfilled=True) for t in trades]


def filled() -> list[Event]:
    stream, out = TradeStream("x", "A/B", "contiguous", fills=True), list[Event]()
    stream.take(trade("5"), out)
    stream.take(trade("9"), out)
    assert len(out) == 1, "the live trade waits"
    stream.fetched(history(trade("6"), trade("7"), trade("8"), trade("9")), 1, out)
    return out


def filled_in_part() -> list[Event]:
    stream, out = TradeStream("x", "A/B", "contiguous", fills=True), list[Event]()
    stream.take(trade("5"), out)
    stream.take(trade("9"), out)
    stream.fetched(history(trade("8")), 1, out)
    stream.take(trade("7"), out)
    return out


def after_an_outage(*found: Trade) -> list[Event]:
    stream, out = TradeStream("x", "A/B", "unique", fills=True), list[Event]()
    stream.take(trade("a", 1000), out)
    stream.interrupted()
    stream.take(trade("d", 9000), out)
    stream.fetched(history(*found), 1, out)
    return out


def audited() -> list[Event]:
    stream, out = TradeStream("x", "A/B", "unique", fills=True), list[Event]()
    rows = trade("a", 1000), trade("b", 4000), trade("c", 5000)
    stream.take(rows[0], out)
    stream.take(rows[2], out)
    assert stream.audit(history(*rows), 1000, 5000, 1, out)
    return out


A, B, C, D = trade("a", 1000), trade("b", 4000), trade("c", 5000), trade("d", 9000)


@pytest.mark.parametrize(
    ("title", "rows"),
    [
        ("**All of it is there again.**", filled),
        ("**A part of it is.**", filled_in_part),
        ("**Ids do not count.**", lambda: after_an_outage(A, B, C, D)),
        ("**The history does not go back", lambda: after_an_outage(C, D)),
        ("**An audit finds", audited),
    ],
)
def test_a_worked_example_is_what_the_code_writes(
    title: str, rows: Callable[[], list[Event]]
) -> None:
    shown = table(title)
    assert said(rows(), timed=" at " in shown[0][1]) == shown


def test_an_outage_without_trades_writes_nothing() -> None:
    assert said(after_an_outage(A, D), timed=False) == [["trade", "a"], ["trade", "d"]]


def blocks() -> list[str]:
    return re.findall(r"```python\n(.+?)```", PAGE, re.S)


def plain(rows: Iterable[Event]) -> list[dict[str, Any]]:
    return [json.loads(encode(row)) for row in rows]


def test_the_readers_count_of_what_is_missing_works() -> None:
    scope: dict[str, Any] = {}
    exec(blocks()[0], scope)
    for row in plain(filled()):
        scope["read"](row)
    assert scope["missing"] == set()
    for row in plain(filled_in_part()):
        scope["read"](row)
    assert scope["missing"] == {6}


def test_the_readers_book_is_ours() -> None:
    scope: dict[str, Any] = {}
    exec(blocks()[1], scope)
    reader = scope["BookReader"]()
    book, out = BookStream("x", "A/B", "counter", by_rest=False, depth=2), list[Event]()
    book.start(1, out)
    bids, asks = [("10", "1"), ("9", "2")], [("11", "1"), ("12", "2")]
    book.on_snapshot(BookSnapshot("A/B", 1, 7, bids, asks), 1, out)
    # a better bid pushes the worst one out of the depth, and nobody but us says so
    book.on_delta(BookDelta("A/B", 2, 8, 8, [("10.5", "3")], [("11", "0.000")]), 2, out)
    for row in plain(out):
        reader.read(row)
    assert reader.sound
    assert reader.sides == {"bids": {"10": "1", "10.5": "3"}, "asks": {"12": "2"}}
    assert [dict(side) for side in book.book.depth(9)] == [
        reader.sides[s] for s in ("bids", "asks")
    ]
    lost: list[Event] = []
    book.on_delta(BookDelta("A/B", 3, 10, 10, [("10", "5")], []), 3, lost)
    for row in plain(lost):
        reader.read(row)
    assert not reader.sound
