from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from collector_runtime import metrics
from collector_runtime.metrics import DEFINITIONS, Exporter, Latency, Sample


def scrape(exporter: Exporter) -> dict[str, float]:
    """Return what Prometheus reads: each sample with its labels, and its value."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(exporter)
    text = generate_latest(registry).decode()
    return {
        sample.name
        + "".join(f"|{value}" for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_plain_counters_are_read_when_scraped_and_only_then() -> None:
    counted = {"rows": 0}
    asked: list[int] = []

    def source() -> Iterator[Sample]:
        asked.append(1)
        yield metrics.ROWS.sample(counted["rows"], "binance", "trade")
        yield metrics.QUEUE.sample(7, "binance")

    exporter = Exporter()
    exporter.add(source)
    counted["rows"] = 41
    assert asked == []
    assert scrape(exporter) == {
        "collector_rows_total|trade|binance": 41.0,
        "collector_producer_queue_rows|binance": 7.0,
    }
    counted["rows"] += 1
    assert scrape(exporter)["collector_rows_total|trade|binance"] == 42.0


def test_equal_labels_add_up_and_counts_outlive_their_source() -> None:
    def source(count: int) -> metrics.Source:
        latency = Latency()
        latency.observe(count)
        return lambda: [
            metrics.FRAMES.sample(count, "binance", "trade"),
            metrics.CONNECTIONS.sample(1, "binance"),
            metrics.LATENCY.sample(latency, "binance", "trade"),
        ]

    first, second = source(10), source(5)
    exporter = Exporter()
    exporter.add(first)
    exporter.add(second)
    both = scrape(exporter)
    assert both["collector_frames_total|trade|binance"] == 15
    assert both["collector_connections|binance"] == 2
    assert both["collector_receive_to_produce_seconds_count|trade|binance"] == 2
    exporter.remove(first)
    one = scrape(exporter)
    assert one["collector_frames_total|trade|binance"] == 15
    assert one["collector_connections|binance"] == 1
    assert one["collector_receive_to_produce_seconds_count|trade|binance"] == 2


@given(st.lists(st.integers(-1_000, 2**27), max_size=50))
def test_a_latency_counts_each_observation_in_its_bucket(values: list[int]) -> None:
    latency = Latency()
    for value in values:
        latency.observe(value)
    times = [max(value, 0) for value in values]
    for bound, count in latency.buckets():
        limit = float(bound)
        assert count == sum(time / 1e6 < limit for time in times)
    assert latency.total == sum(times)


def test_a_sample_has_the_labels_and_kind_of_its_definition() -> None:
    with pytest.raises(ValueError, match="labels"):
        metrics.ROWS.sample(1, "binance")
    with pytest.raises(ValueError, match="histogram"):
        metrics.LATENCY.sample(1.0, "binance", "trade")
    with pytest.raises(ValueError, match="counter"):
        metrics.FRAMES.sample(Latency(), "binance", "trade")


def test_definitions_keep_the_rules_of_prometheus() -> None:
    assert len({definition.name for definition in DEFINITIONS}) == len(DEFINITIONS)
    everything = {
        value for value in vars(metrics).values() if isinstance(value, metrics.Definition)
    }
    assert everything == set(DEFINITIONS)
    for definition in DEFINITIONS:
        assert definition.name.startswith("collector_")
        assert definition.name.endswith("_total") == (definition.kind == "counter")
        assert definition.help.endswith(".")
        assert definition.services
