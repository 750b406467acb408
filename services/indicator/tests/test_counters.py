from __future__ import annotations

from collector_indicator.counters import Counters
from collector_runtime import metrics


def test_every_metric_of_the_service_has_its_samples() -> None:
    counters = Counters()
    counters.rows_in["trade"] += 5
    counters.rows_out["bar"] += 2
    counters.late["binance"] += 1
    counters.commits, counters.aborts = 3, 1
    counters.restores = {4: 0.25, 7: 0.5}
    found = {(s.definition.name, s.labels): s.value for s in counters.samples()}
    assert found == {
        ("collector_indicator_rows_in_total", ("trade",)): 5,
        ("collector_indicator_rows_out_total", ("bar",)): 2,
        ("collector_indicator_late_trades_total", ("binance",)): 1,
        ("collector_indicator_restore_seconds", ("4",)): 0.25,
        ("collector_indicator_restore_seconds", ("7",)): 0.5,
        ("collector_indicator_shards", ()): 2,
        ("collector_indicator_commits_total", ()): 3,
        ("collector_indicator_aborts_total", ()): 1,
    }
    own = {d.name for d in metrics.DEFINITIONS if d.services == ("indicator",)}
    assert own == {name for name, _ in found}
