"""Another plan without a restart: what is new warms up from history while the rest runs on."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from collector_core.codec import decode
from collector_core.events import Bar, Indicator
from collector_core.topics import Layout
from collector_indicators.plan import channel_of
from collector_indicators.plan_file import read_plan
from collector_indicators.settings import CalculationSettings

from .bus import Bus, Process, Rows, eventually, offline
from .conftest import MakeBus
from .scenario import SYMBOLS, feed, markets_of, open_all

pytestmark = [pytest.mark.broker, pytest.mark.e2e]

FEW = """\
calculations:
  - {symbols: ["*:*"], input: bar, intervals: [1s], indicators: [rsi:3, vwap], live: off}
  - {symbols: ["*:*"], input: candle, intervals: [1s], indicators: [rsi:3], live: off}
"""
MORE = """\
calculations:
  - {symbols: ["*:*"], input: bar, intervals: [1s, 3s], indicators: [rsi:3, vwap, ema:9], live: off}
  - {symbols: ["*:*"], input: candle, intervals: [1s], indicators: [macd:3:6:2, rsi:3], live: off}
"""
Values = dict[bytes, dict[str, float | None]]


def settings_in(path: Path) -> dict[str, CalculationSettings]:
    return {
        channel_of(entry.settings): entry.settings
        for entry in read_plan(path.read_text(), path.name).entries
    }


def values(rows: Rows) -> Values:
    """Return the last values of each indicator row, and the close of each bar, by key."""
    found: Values = {}
    for (_, _, key), texts in rows.items():
        row = decode(texts[-1])
        if isinstance(row, Indicator):
            found[key] = row.values
        elif isinstance(row, Bar):
            found[key] = {"close": float(row.close), "volume": float(row.volume)}
    return found


def whole(bus: Bus, settings: Mapping[str, CalculationSettings], process: Process) -> Values:
    """Wait until the rows of these settings are there up to the last one; return all values."""
    expected = values(offline(bus, "binance", SYMBOLS, settings))
    newest = max(expected, key=lambda key: int(key.rpartition(b"|")[2]))

    def published() -> Values | None:
        found = values(bus.outputs("binance", SYMBOLS))
        return found if newest in found else None

    found = eventually(published, 40, f"{newest.decode()} published")
    assert found is not None, process.child.output()
    return found


@pytest.mark.parametrize("layout", ["symbol", "keyed"])
def test_a_plan_is_followed_without_a_restart(
    make_bus: MakeBus, layout: Layout, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(FEW)
    bus = make_bus(layout, COLLECTOR_PLAN=str(plan), COLLECTOR_CHECKPOINT="0.3")
    open_all(bus, SYMBOLS)
    markets = markets_of(SYMBOLS)
    feed(bus, markets, 800)
    with bus.process() as process:
        whole(bus, settings_in(plan), process)
        plan.write_text(MORE)
        process.child.send(signal.SIGHUP)
        eventually(lambda: "history_read" in process.child.output(), 60, "a history read")
        before = values(bus.outputs("binance", SYMBOLS))
        feed(bus, markets, 800)
        found = whole(bus, settings_in(plan), process)
        expected = values(offline(bus, "binance", SYMBOLS, settings_in(plan)))
        # all that was published since then is as if the plan had always been this one
        assert found.keys() - before.keys() <= expected.keys()
        assert {key: expected[key] for key in found} == found
        # and what was computed before has no hole
        for name in (b"|rsi|3|", b"|vwap|utc|"):
            missing = expected.keys() - found.keys()
            lost = {key for key in missing if name in key and b"|3s|" not in key}
            assert lost == set()
        # a wrong plan changes nothing and is said with its line
        plan.write_text(MORE.replace("ema:9", "emma:9"))
        process.child.send(signal.SIGHUP)
        eventually(
            lambda: "plan.yaml line 2: indicators: expected an indicator" in process.child.output(),
            20,
            "the refusal in the log",
        )
        plan.write_text(MORE)
        feed(bus, markets, 200)
        whole(bus, settings_in(plan), process)
        assert process.ready()
        process.end()
