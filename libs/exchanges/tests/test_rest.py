"""Every adapter: REST requests as data, and the parsers of their answers."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector_core.errors import FrameError, SettingsError, SymbolError, Throttled
from collector_core.events import Candle, Instrument, Trade
from collector_exchanges.discovery import adapter
from collector_feed.outputs import Page

from .cases import (
    RECEIVE_TIME,
    Json,
    RestCase,
    Symbols,
    WrongAnswerCase,
    load,
    make_adapter,
    plain,
    request_of,
    rows_of,
)


def test_a_call_gives_its_golden_request(rest_case: RestCase) -> None:
    request = request_of(rest_case)
    assert ("GET", rest_case.path, tuple(rest_case.query), rest_case.weight) == (
        request.method,
        request.path,
        request.query,
        request.weight,
    )


def test_an_answer_gives_its_golden_rows(rest_case: RestCase) -> None:
    rows = rows_of(rest_case)
    assert rest_case.rows == plain(rows)


def test_a_page_that_could_not_hold_all_names_the_next(rest_case: RestCase) -> None:
    answer = request_of(rest_case).parse(bytes(rest_case.answer), RECEIVE_TIME)
    more = answer.more if isinstance(answer, Page) else None
    found = None if more is None else (more.path, list(more.query))
    assert found == (
        None if rest_case.more is None else (rest_case.more.path, rest_case.more.query)
    )


def test_rows_are_texts_and_integers(rest_case: RestCase) -> None:
    for row in rows_of(rest_case):
        for value in msgspec.structs.astuple(row):
            assert type(value) in {str, int, bool, type(None), list}
            assert not isinstance(value, list) or all(
                type(part) is str for level in value for part in level
            )


def test_rows_stand_oldest_first_and_say_that_they_are_of_the_past(rest_case: RestCase) -> None:
    rows = rows_of(rest_case)
    for kind, time in ((Candle, "open_time"), (Trade, "exchange_time")):
        times = [getattr(row, time) for row in rows if isinstance(row, kind)]
        assert times == sorted(times)
        assert all(row.backfilled for row in rows if isinstance(row, kind))


def test_candles_of_the_past_are_closed_and_whole(rest_case: RestCase) -> None:
    rows = rows_of(rest_case)
    for row in rows:
        if isinstance(row, Candle):
            assert row.closed
            assert row.open_time < row.close_time <= RECEIVE_TIME


def test_without_a_receive_time_no_candle_is_taken_for_open(rest_case: RestCase) -> None:
    if rest_case.call == "candles":
        page = request_of(rest_case).parse(bytes(rest_case.answer), None)
        assert isinstance(page, Page)
        assert len(page.rows) >= len(rest_case.rows)
        assert {row.receive_time for row in page.rows} <= {None}


def test_every_call_is_covered(exchange: str) -> None:
    cases = load(exchange, "rest.json", RestCase)
    assert {"instruments", "book", "trades", "candles"} == {c.call for c in cases if c.rows}


def test_instruments_fill_a_symbol_table(rest_case: RestCase) -> None:
    fresh = make_adapter(rest_case.exchange)
    for row in rows_of(rest_case):
        if isinstance(row, Instrument):
            fresh.symbols.add(row.symbol, row.venue_symbol)
            assert row.symbol == fresh.read_symbol(row.venue_symbol)
            assert f"{row.base}/{row.quote}" == row.symbol


def test_a_wrong_answer_is_refused(wrong_answer_case: WrongAnswerCase) -> None:
    request = request_of(wrong_answer_case)
    with pytest.raises(FrameError, match=r"^expected "):
        request.parse(bytes(wrong_answer_case.answer), RECEIVE_TIME)


def test_an_answer_cut_short_is_refused(rest_case: RestCase) -> None:
    request = request_of(rest_case)
    body = bytes(rest_case.answer)
    for end in range(0, len(body), 7):
        with pytest.raises(FrameError):
            request.parse(body[:end], RECEIVE_TIME)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"\xff", b"null", b"1", b"[" * 100_000, b'{"a":' * 100_000, b"[[[]]]"],
    ids=lambda body: f"{body[:8]!r} {len(body)}",
)
def test_a_body_that_is_no_answer_is_refused(rest_case: RestCase, body: bytes) -> None:
    with pytest.raises(FrameError):
        request_of(rest_case).parse(body, RECEIVE_TIME)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    value=st.none() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    draw=st.data(),
)
def test_a_random_value_in_an_answer_raises_nothing_else(
    value: Json, draw: st.DataObject, rest_case: RestCase
) -> None:
    tree = json.loads(bytes(rest_case.answer))
    part = tree
    while isinstance(part, dict | list) and part:
        keys = sorted(part) if isinstance(part, dict) else range(len(part))
        key = draw.draw(st.sampled_from(keys))
        if not isinstance(part[key], dict | list) or draw.draw(st.booleans()):
            part[key] = value
            break
        part = part[key]
    request = request_of(rest_case)
    try:
        answer = request.parse(msgspec.json.encode(tree), RECEIVE_TIME)
    except (FrameError, Throttled):
        # a code may be drawn that asks for a pause
        return
    if isinstance(answer, Page):
        answer = answer.rows
    rows = answer if isinstance(answer, list) else [answer]
    assert all(isinstance(row, msgspec.Struct) for row in rows)


def test_a_symbol_that_is_not_listed_is_refused(exchange: str) -> None:
    fresh = make_adapter(exchange)
    for call in (
        lambda: fresh.book("NOPE/NOPE"),
        lambda: fresh.trades("NOPE/NOPE"),
        lambda: fresh.candles("NOPE/NOPE", "1m", None, None),
    ):
        with pytest.raises(SymbolError, match="NOPE/NOPE"):
            call()


def test_an_interval_that_is_not_kept_is_refused(exchange: str, symbols: Symbols) -> None:
    with pytest.raises(SettingsError, match="7m"):
        make_adapter(exchange).candles(next(iter(symbols.pairs)), "7m", None, None)


def test_every_interval_that_is_pushed_has_a_history(exchange: str, symbols: Symbols) -> None:
    symbol = next(iter(symbols.pairs))
    fresh = make_adapter(exchange)
    candles = adapter(exchange).spec.channels["candle"]
    for interval in (*candles.intervals, *candles.polled):
        assert fresh.candles(symbol, interval, None, None).method == "GET"
