"""What the measured service computes, and what it and the peer tell."""

from __future__ import annotations

import pytest
from bench.calculation import TEN, Calculation, memory_of_status, total
from bench.processes import Failed
from bench.quixstreams import committed
from bench.service import CLOSED, CPU, RATE, STEADY, Figures, Measured
from bench.trades import START, Load, places
from confluent_kafka import OFFSET_INVALID, TopicPartition

from collector_indicators.selection import parse_set

METRICS = """# TYPE collector_indicator_rows_out_total counter
collector_indicator_rows_out_total{channel="bar"} 12.0
collector_indicator_rows_out_total{channel="indicator"} 30.0
collector_indicator_commits_total 4.0
"""


def test_there_are_ten_different_indicators_and_all_of_them_are_ours() -> None:
    assert len({choice.name for choice in parse_set(",".join(TEN))}) == 10


def test_states_are_symbols_by_intervals_by_indicators() -> None:
    assert Calculation(("1s", "1m", "5m")).states(500) == 15_000


def test_a_metric_is_the_sum_of_its_samples() -> None:
    assert total(METRICS, "collector_indicator_rows_out_total") == 42
    assert total(METRICS, "collector_indicator_commits_total") == 4
    assert total(METRICS, "collector_indicator_aborts_total") == 0


def test_memory_is_what_is_resident() -> None:
    assert memory_of_status("Name:\tpython\nVmHWM:\t 9999 kB\nVmRSS:\t  1000 kB\n") == 1.024


def test_a_program_that_ended_has_no_memory() -> None:
    with pytest.raises(Failed, match="expected a process with memory"):
        memory_of_status("Name:\tpython\nState:\tZ (zombie)\n")


def test_partitions_without_a_commit_count_for_none() -> None:
    parts = [TopicPartition("t", 0, 7), TopicPartition("t", 1, OFFSET_INVALID)]
    assert committed(parts) == 7


def test_trades_keep_their_pace_even_below_one_a_second() -> None:
    assert Load(1, 10, 0.1).time(2) == START + 20_000_000
    assert Load(1, 10, 300).time(3) == START + 10_000


def test_a_keyed_load_is_one_topic_and_every_symbol_its_partition() -> None:
    found = places("p", Load(40, 1, 1, "keyed"))
    assert {topic for topic, _, _ in found} == {"p.trade.bench"}
    assert len({partition for _, partition, _ in found}) > 8
    assert len({topic for topic, _, _ in places("p", Load(40, 1, 1))}) == 40


def test_the_peer_is_compared_with_our_closed_values() -> None:
    figures = Figures(Load(500, 1, 300, "keyed"))
    figures.add(CLOSED, Measured(5.0, 100_000.0, 300.0, 200.0, 0.05), 1.0)
    figures.add_peer("mean", (30.0, 10_000.0, 100), 1.0)
    mean = figures.peer("mean")
    medians = {(f.subject, f.quantity): f.median for f in figures.all()}
    found = {(f.subject, f.quantity): f.ratio for f in figures.all()}
    # 150,000 trades a second of 5 µs are 750 ms, of 15,000 states
    assert medians[figures.name(CLOSED), STEADY] == 50.0
    assert found[mean, CPU] == 6.0
    assert found[mean, RATE] == 0.1
