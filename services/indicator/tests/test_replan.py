"""Another plan while an input is read: what is new catches up, the rest goes on."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from collector_core.codec import encode
from collector_core.events import Event, Indicator
from collector_indicator.intake import Intake, decode_all
from collector_indicator.sources import Source
from collector_indicator.state_rows import StoredStates
from collector_indicators.calculation import Calculation
from collector_indicators.engine import create
from collector_indicators.following import Following
from collector_indicators.plan import Entry, Plan
from collector_indicators.selection import parse_set
from collector_indicators.settings import CalculationSettings

from .rows import PLAN, SETTINGS, trades

STREAM = ("binance", "BTC/USDT")
SYMBOL = Source("trade", "binance", "md.trade.binance.BTC-USDT", 0, frozenset({"BTC/USDT"}), False)  # noqa: FBT003  # keyed
KEYED = Source("trade", "binance", "md.trade.binance", 3, frozenset({"BTC/USDT"}), True)  # noqa: FBT003  # keyed
MORE = CalculationSettings(
    "bar", ("1s", "5s"), parse_set("rsi:2,vwap,ema:3"), grace=0, live_every=None
)
LESS = CalculationSettings("bar", ("1s",), parse_set("vwap"), grace=0, live_every=None)


def plan_of(settings: CalculationSettings, pattern: str = "*:BTC/*") -> Plan:
    return Plan([Entry(Following([pattern]), settings)])


def fed(intake: Intake, first: int, end: int) -> list[Event]:
    intake.take(end - 1, trades(first, end))
    return intake.drain().rows


def readers(intake: Intake, end: int) -> dict[tuple[str, str], Calculation]:
    """Return calculations over the history that an intake wants."""
    assert intake.history_end == end
    found = {}
    for stream, settings in intake.history_wanted.items():
        reader = create(*stream, settings)
        reader.feed_many(decode_all(trades(0, end)))
        found[stream] = reader
    return found


def unnumbered(rows: Sequence[Event]) -> list[bytes]:
    return [encode(msgspec.structs.replace(row, epoch=0, seq=0)) for row in rows]


def test_what_is_added_goes_on_as_if_it_had_been_there_from_the_history_s_beginning() -> None:
    always = Intake(SYMBOL, plan_of(MORE))
    fed(always, 0, 50)
    expected = fed(always, 50, 80)
    changed = Intake(SYMBOL, PLAN)
    fed(changed, 0, 40)
    changed.replan(plan_of(MORE))
    # the history is read meanwhile; what is known goes on, what is new is silent
    meanwhile = fed(changed, 40, 50)
    assert {row.name for row in meanwhile if isinstance(row, Indicator)} == {"rsi", "vwap"}
    assert changed.waiting == 10
    changed.grow(readers(changed, 40))
    assert (changed.waiting, changed.history_wanted) == (0, {})
    assert unnumbered(expected) == unnumbered(fed(changed, 50, 80))


def test_a_restart_with_another_plan_takes_the_history_in_before_it_reads_on() -> None:
    always = Intake(SYMBOL, plan_of(MORE))
    fed(always, 0, 40)
    expected = fed(always, 40, 80)
    before = Intake(SYMBOL, PLAN)
    before.take(39, trades(0, 40))
    states = StoredStates()
    for key, value in before.drain().state:
        states.visit(key, value)
    after = Intake(SYMBOL, plan_of(MORE))
    after.restore(states.by_place()[SYMBOL.place])
    after.grow(readers(after, 40))
    assert unnumbered(expected) == unnumbered(fed(after, 40, 80))


def test_a_plan_that_only_leaves_out_needs_no_history() -> None:
    changed = Intake(SYMBOL, PLAN)
    fed(changed, 0, 40)
    changed.replan(plan_of(LESS))
    assert changed.history_wanted == {}
    assert changed.changed
    rows = fed(changed, 40, 60)
    assert {row.name for row in rows if isinstance(row, Indicator)} == {"vwap"}
    # the values are those of one that went on
    steady = Intake(SYMBOL, PLAN)
    fed(steady, 0, 40)
    expected = [row for row in fed(steady, 40, 60) if getattr(row, "name", "vwap") == "vwap"]
    assert unnumbered(expected) == unnumbered(rows)


def test_a_stream_that_is_wanted_no_more_is_left_with_its_state() -> None:
    changed = Intake(KEYED, PLAN)
    changed.take(79, trades(0, 40) + trades(0, 40, "ETH/USDT"))
    changed.drain()
    changed.replan(plan_of(SETTINGS))
    drained = changed.drain()
    assert drained.rows == []
    gone = {key.decode() for key, value in drained.state if value is None}
    assert gone == {
        f"md.trade.binance|3|binance|ETH/USDT|{kind}" for kind in ("open", "closed", "rebuild")
    }
    changed.take(99, trades(40, 50) + trades(40, 50, "ETH/USDT"))
    assert {row.symbol for row in changed.drain().rows} == {"BTC/USDT"}


def test_the_same_plan_changes_nothing() -> None:
    steady = Intake(SYMBOL, PLAN)
    fed(steady, 0, 40)
    steady.replan(plan_of(SETTINGS))
    assert not steady.changed
    assert steady.history_wanted == {}


def test_a_second_plan_begins_its_own_history() -> None:
    changed = Intake(SYMBOL, PLAN)
    fed(changed, 0, 20)
    changed.replan(plan_of(MORE))
    fed(changed, 20, 30)
    other = plan_of(msgspec.structs.replace(MORE, intervals=("1s", "3s")))
    changed.replan(other)
    assert changed.history_end == 30
    assert changed.waiting == 0
    assert changed.history_wanted[STREAM].intervals == ("1s", "3s")


def test_without_a_history_what_is_new_begins_here() -> None:
    changed = Intake(SYMBOL, PLAN)
    changed.take(39, trades(0, 40))
    changed.replan(plan_of(MORE))
    changed.give_history_up()
    assert changed.history_wanted == {}
    rows = fed(changed, 40, 50)
    assert {row.name for row in rows if isinstance(row, Indicator)} == {"rsi", "vwap", "ema"}
    assert (
        next(row.bars_seen for row in rows if isinstance(row, Indicator) and row.name == "ema") < 10
    )
