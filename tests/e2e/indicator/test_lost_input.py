"""What cannot be continued is begun anew, and says so; what was published stands."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pytest

from collector_core.codec import decode
from collector_core.events import Bar, Event, Indicator

from .bus import Bus, Rows, count, eventually, offline
from .conftest import MakeBus
from .market import Market
from .scenario import CALCULATIONS, OPTIONS, complete, feed, open_all

pytestmark = [pytest.mark.broker, pytest.mark.e2e]

SYMBOL = "BTC/USDT"


def closed_times(rows: Rows) -> dict[str, int]:
    """Return the last open time published as closed, by series."""
    found: dict[str, int] = {}
    for row in events(rows):
        if row.closed:
            found[series(row)] = max(found.get(series(row), 0), row.open_time)
    return found


def events(rows: Rows) -> Iterable[Bar | Indicator]:
    for values in rows.values():
        for value in values:
            row = decode(value)
            assert isinstance(row, Bar | Indicator)
            yield row


def series(row: Bar | Indicator) -> str:
    name = row.size if isinstance(row, Bar) else f"{row.input} {row.interval} {row.name}"
    return f"{type(row).__name__} {name}"


def unnumbered(rows: Iterable[Event]) -> list[bytes]:
    """Return rows as bytes, in order, without their place in a stream."""
    return sorted(msgspec.json.encode(msgspec.structs.replace(r, epoch=0, seq=0)) for r in rows)


def counted_on(before: Rows, rows: Iterable[Bar | Indicator]) -> list[Bar | Indicator]:
    """Return rows of a calculation begun anew, its bars counted on from the last published close.

    Without it, a bar by trades or by value would take the key of another one.
    """
    last: dict[str, int] = {}
    for row in events(before):
        if isinstance(row, Bar) and row.closed and row.bar_kind != "time":
            last[series(row)] = max(last.get(series(row), 0), row.ordinal)
    raised: dict[str, int] = {}
    counted: list[Bar | Indicator] = []
    for row in rows:
        if isinstance(row, Bar) and row.bar_kind != "time":
            by = raised.setdefault(series(row), last.get(series(row), -1) + 1 - row.ordinal)
            counted.append(msgspec.structs.replace(row, ordinal=row.ordinal + by))
        else:
            counted.append(row)
    return counted


def added(before: Rows, after: Rows) -> Rows:
    """Return what was published since; what was published before must still stand."""
    new = {}
    for key, values in after.items():
        old = before.get(key, [])
        assert old == values[: len(old)]
        if len(values) > len(old):
            new[key] = values[len(old) :]
    return new


def check_rebuilt(bus: Bus, before: Rows, fresh: Rows) -> None:
    """Compare what a rebuild published with what follows from the rows that are left."""
    closes = closed_times(before)
    wanted = [row for row in events(fresh) if row.open_time > closes.get(series(row), 0)]
    assert wanted
    total = count(before) + len(wanted)
    eventually(lambda: bus.published("binance", [SYMBOL]) >= total, 60, f"{total} rows")
    new = added(before, bus.outputs("binance", [SYMBOL]))
    assert unnumbered(wanted) == unnumbered(events(new))
    old_epochs = {row.epoch for row in events(before)}
    for kind in (Bar, Indicator):
        for source in ("bar", "candle"):
            own = [
                row
                for row in events(new)
                if isinstance(row, kind) and getattr(row, "input", "bar").startswith(source)
            ]
            assert len({row.epoch for row in own}) <= 1
            assert not old_epochs & {row.epoch for row in own}
            assert list(range(1, len(own) + 1)) == sorted(row.seq for row in own)


def test_input_that_retention_removed(make_bus: MakeBus) -> None:
    bus = make_bus(**OPTIONS)
    open_all(bus, [SYMBOL])
    market = Market("binance", SYMBOL, 7)
    feed(bus, [market], 600)
    with bus.process() as first:
        complete(bus, [SYMBOL])
        first.end()
    before = bus.outputs("binance", [SYMBOL])
    feed(bus, [market], 600)
    [trades] = bus.read([("trade", "binance", SYMBOL)]).values()
    bus.forget("trade", "binance", SYMBOL, len(trades) - 150)
    # candles go on where they were
    whole = offline(bus, "binance", [SYMBOL], {"candle": CALCULATIONS["candle"]})
    left = offline(bus, "binance", [SYMBOL], {"trade": CALCULATIONS["trade"]})
    closes = closed_times(before)
    rebuilt = counted_on(
        before, (row for row in events(left) if row.open_time > closes.get(series(row), 0))
    )
    assert rebuilt
    total = len(rebuilt) + count(whole) + count(before)
    total -= sum(1 for r in events(before) if isinstance(r, Indicator) and r.input == "candle")
    with bus.process() as second:
        eventually(lambda: bus.published("binance", [SYMBOL]) >= total, 60, f"{total} rows")
        second.end()
    after = bus.outputs("binance", [SYMBOL])
    new = added(before, after)
    from_trades = [r for r in events(new) if isinstance(r, Bar) or r.input != "candle"]
    assert unnumbered(rebuilt) == unnumbered(from_trades)
    assert {row.epoch for row in from_trades}.isdisjoint(row.epoch for row in events(before))
    bars = sorted(row.seq for row in from_trades if isinstance(row, Bar))
    assert list(range(1, len(bars) + 1)) == bars
    candles = {k: v for k, v in after.items() if b"|candle|" in k[2]}
    assert whole == candles
    # and from then on it is a calculation as any other
    feed(bus, [market], 300)
    with bus.process() as third:
        eventually(lambda: bus.published("binance", [SYMBOL]) > total, 60, "more rows")
        third.end()


def test_state_that_is_gone(make_bus: MakeBus) -> None:
    bus = make_bus(**OPTIONS)
    open_all(bus, [SYMBOL])
    market = Market("binance", SYMBOL, 8)
    feed(bus, [market], 500)
    with bus.process() as first:
        complete(bus, [SYMBOL])
        first.end()
    before = bus.outputs("binance", [SYMBOL])
    bus.delete_state()
    feed(bus, [market], 500)
    fresh = offline(bus, "binance", [SYMBOL], CALCULATIONS)
    with bus.process() as second:
        check_rebuilt(bus, before, fresh)
        second.end()


def test_rows_that_are_no_events_or_no_numbers(make_bus: MakeBus) -> None:
    bus = make_bus(**OPTIONS)
    open_all(bus, [SYMBOL])
    market = Market("binance", SYMBOL, 9)
    feed(bus, [market], 200)
    bus.write_raw("trade", "binance", SYMBOL, b"no json at all")
    with bus.process() as process:
        complete(bus, [SYMBOL])
        [trades] = bus.read([("trade", "binance", SYMBOL)]).values()
        poison = trades[0][1].replace(b'"price":"', b'"price":"x')
        bus.write_raw("trade", "binance", SYMBOL, poison)
        feed(bus, [market], 200)
        complete(bus, [SYMBOL])
        eventually(process.ready, 10, "readiness")
        process.end()
