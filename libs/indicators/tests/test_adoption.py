"""Changed settings: what is new goes on as if it had been chosen when the history began."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector_core.codec import encode
from collector_core.events import Event
from collector_indicators.calculation import Calculation
from collector_indicators.engine import create

from .book_rows import book_logs
from .rows import SECOND, calculation, candle, feed
from .test_determinism import candle_logs, trade_logs

OLD = {
    "bar": ("20s", "rsi:2,vwap"),
    "candle": ("1m", "rsi:2"),
    "book": ("20s", "spread"),
}
NEW = {
    "bar": ("5s,20s,1m", "rsi:2,bollinger:3:2,ema:2"),
    "candle": ("1m,5m", "macd:2:3:2,rsi:2,ema:2"),
    "book": ("5s,20s,1m", "book_imbalance:2,spread,book_imbalance:4"),
}
LOGS = {"bar": trade_logs(), "candle": candle_logs(), "book": book_logs()}


def made(kind: str, chosen: dict[str, tuple[str, str]], live: int | None) -> Calculation:
    intervals, indicators = chosen[kind]
    return calculation(intervals, indicators, input=kind, live_every=live)  # type: ignore[arg-type]  # one of three


def restored(old: Calculation, fresh: Calculation) -> Calculation:
    fresh.restore(old.open_state(), old.closed_state())
    return fresh


def unnumbered(rows: list[Event]) -> list[bytes]:
    return [encode(msgspec.structs.replace(row, epoch=0, seq=0)) for row in rows]


@pytest.mark.parametrize("kind", LOGS)
@given(data=st.data())
def test_what_is_new_is_as_if_it_had_always_been_there(kind: str, data: st.DataObject) -> None:
    log = data.draw(LOGS[kind])
    cut = data.draw(st.integers(0, len(log)))
    live = data.draw(st.sampled_from([None, SECOND]))
    always = made(kind, NEW, live)
    feed(always, *log[:cut])
    expected = feed(always, *log[cut:])
    old, reader = made(kind, OLD, live), made(kind, NEW, live)
    feed(old, *log[:cut])
    feed(reader, *log[:cut])
    changed = restored(old, made(kind, NEW, live))
    begins = changed.begins
    changed.adopt(reader)
    assert (begins, changed.begins) == (True, False)
    assert unnumbered(expected) == unnumbered(feed(changed, *log[cut:]))


@pytest.mark.parametrize("kind", LOGS)
@given(data=st.data())
def test_adopting_changes_the_state_that_is_stored(kind: str, data: st.DataObject) -> None:
    log = data.draw(LOGS[kind])
    old, reader = made(kind, OLD, None), made(kind, NEW, None)
    feed(old, *log)
    feed(reader, *log)
    changed = restored(old, made(kind, NEW, None))
    changed.adopt(reader)
    assert changed.closed_changed
    again = create(changed.exchange, changed.symbol, changed.settings)
    again.restore(changed.open_state(), changed.closed_state())
    assert not again.begins
    assert changed.open_state() == again.open_state()


def test_a_history_that_begins_too_late_gives_nothing() -> None:
    old, reader = made("candle", OLD, None), made("candle", NEW, None)
    rows = [candle(60 * minute, str(10 + minute)) for minute in range(9)]
    feed(old, *rows)
    feed(reader, rows[-1])
    changed = restored(old, made("candle", NEW, None))
    changed.adopt(reader)
    given = [row.bars_seen for row in feed(changed, candle(60 * 9)) if row.name == "ema"]  # type: ignore[attr-defined]  # indicator rows
    # the two candles that are kept for revisions, and this one
    assert given == [3]


def test_settings_that_add_nothing_begin_nothing() -> None:
    old = made("bar", NEW, None)
    assert not restored(old, made("bar", NEW, None)).begins
    assert not restored(old, calculation("20s", "ema:2", input="bar")).begins
