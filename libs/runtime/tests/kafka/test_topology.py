from __future__ import annotations

import pytest

from collector_core.errors import SettingsError
from collector_core.topics import Topics
from collector_runtime.kafka.topology import RETENTION, Topic, Topology

HOUR = 3_600_000
DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("channel", "cleanup", "retention"),
    [
        ("trade", "delete", 3 * DAY),
        ("book", "delete", 6 * HOUR),
        ("ticker", "compact,delete", DAY),
        ("depth", "compact,delete", DAY),
        ("instrument", "compact,delete", DAY),
        ("candle", "compact,delete", 30 * DAY),
        ("bar", "compact,delete", 30 * DAY),
        ("indicator", "compact,delete", 30 * DAY),
        ("status", "delete", 14 * DAY),
        ("dead-letter", "delete", 14 * DAY),
    ],
)
def test_each_channel_is_kept_as_the_design_says(
    channel: str, cleanup: str, retention: int
) -> None:
    [topic] = Topology(Topics()).streams([(channel, "binance", "BTC/USDT")])
    assert (cleanup, str(retention)) == (
        topic.config["cleanup.policy"],
        topic.config["retention.ms"],
    )
    assert int(topic.config["segment.ms"]) <= retention


def test_every_channel_with_a_retention_has_topics() -> None:
    streams = [(channel, "upbit", "BTC/KRW") for channel in RETENTION]
    assert len(RETENTION) == len(Topology(Topics()).streams(streams))


def test_a_topic_a_symbol() -> None:
    topology = Topology(Topics("md", "symbol"))
    streams = [("trade", "binance", s) for s in ("ETH/USDT", "BTC/USDT", "ETH/USDT")]
    assert [(topic.name, topic.partitions) for topic in topology.streams(streams)] == [
        ("md.trade.binance.BTC-USDT", 1),
        ("md.trade.binance.ETH-USDT", 1),
    ]


def test_a_topic_an_exchange() -> None:
    topology = Topology(Topics("md", "keyed", 8), replicas=3)
    streams = [("trade", "binance", s) for s in ("ETH/USDT", "BTC/USDT")]
    [topic] = topology.streams(streams)
    assert (topic.name, topic.partitions, topic.replicas) == ("md.trade.binance", 8, 3)


def test_topics_that_are_there_whatever_the_symbols() -> None:
    topology = Topology(Topics("x"))
    assert [topic.name for topic in topology.bus()] == ["x.catalog", "x.control"]
    assert {"compact"} == {topic.config["cleanup.policy"] for topic in topology.bus()}
    assert [topic.name for topic in topology.exchange("upbit")] == [
        "x.dead-letter.upbit",
        "x.instrument.upbit",
        "x.status.upbit",
    ]


def test_the_state_topic_is_compacted_in_small_segments() -> None:
    expected = {
        "cleanup.policy": "compact",
        "segment.bytes": "16777216",
        "segment.ms": "3600000",
        "min.cleanable.dirty.ratio": "0.1",
    }
    assert Topic("md.indicator-state", 16, expected) == Topology(Topics()).state(16)


def test_a_lease_topic_has_a_partition_a_shard_and_no_rows() -> None:
    expected = Topic("md.lease.binance", 8, {"cleanup.policy": "delete"}, 3)
    assert expected == Topology(Topics(), replicas=3).lease("binance", 8)


def test_retention_can_be_set() -> None:
    [topic] = Topology(Topics(), {"trade": HOUR}).streams([("trade", "binance", "BTC/USDT")])
    assert (str(HOUR), str(HOUR // 4)) == (topic.config["retention.ms"], topic.config["segment.ms"])


@pytest.mark.parametrize(
    ("retention", "text"), [({"trades": HOUR}, "'trades'"), ({"trade": 10}, "was 10")]
)
def test_a_retention_that_cannot_be_is_refused(retention: dict[str, int], text: str) -> None:
    with pytest.raises(SettingsError, match=text):
        Topology(Topics(), retention)


def test_a_channel_without_topics_is_refused() -> None:
    with pytest.raises(SettingsError, match="'trades'"):
        Topology(Topics()).streams([("trades", "binance", "BTC/USDT")])
