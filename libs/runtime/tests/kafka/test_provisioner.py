from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from collector_core.errors import BrokerError
from collector_core.topics import Layout, Topics
from collector_runtime.kafka.connection import KafkaSettings
from collector_runtime.kafka.ports import free_ports
from collector_runtime.kafka.provisioner import Applied, Difference, Plan, Provisioner
from collector_runtime.kafka.topology import Topic, Topology

broker = pytest.mark.broker


def desired(prefix: str, layout: Layout = "symbol") -> list[Topic]:
    topology = Topology(Topics(prefix, layout, 4))
    symbols = "BTC/USDT", "ETH/USDT"
    channels = "trade", "book", "ticker", "candle"
    return [
        *topology.bus(),
        *topology.exchange("binance"),
        *topology.streams((c, "binance", s) for c in channels for s in symbols),
        topology.state(4),
    ]


@broker
@pytest.mark.parametrize("layout", ["symbol", "keyed"])
def test_topics_are_made_once(settings: KafkaSettings, prefix: str, layout: Layout) -> None:
    provisioner = Provisioner(settings)
    topics = desired(prefix, layout)
    plan = provisioner.plan(topics)
    assert tuple(sorted(topics)) == plan.create
    done = provisioner.apply(plan)
    assert [topic.name for topic in plan.create] == sorted(done.created)
    assert Plan() == provisioner.plan(topics)
    assert Applied() == provisioner.ensure(topics)
    assert provisioner.drift(topics) == []


@broker
def test_a_plan_that_somebody_else_has_carried_out_is_no_error(
    settings: KafkaSettings, prefix: str
) -> None:
    provisioner = Provisioner(settings)
    plan = provisioner.plan(desired(prefix))
    assert plan.create
    Provisioner(settings).apply(plan)
    assert Applied() == provisioner.apply(plan)


@broker
def test_configurations_are_set_right(settings: KafkaSettings, prefix: str) -> None:
    provisioner = Provisioner(settings)
    name = f"{prefix}.a"
    provisioner.ensure([Topic(name, 1, {"retention.ms": "1000", "segment.ms": "5000"})])
    topics = [Topic(name, 1, {"retention.ms": "2000", "cleanup.policy": "compact,delete"})]
    differences = [
        Difference(name, "cleanup.policy", "compact,delete", "delete"),
        Difference(name, "retention.ms", "2000", "1000"),
    ]
    assert differences == provisioner.drift(topics)
    assert Applied((), tuple(differences)) == provisioner.ensure(topics)
    assert provisioner.drift(topics) == []
    # what the desired state does not name is left as it is
    assert provisioner.drift([Topic(name, 1, {"segment.ms": "5000"})]) == []


@broker
@pytest.mark.parametrize("partitions", [2, 6])
def test_partitions_are_reported_and_never_changed(
    settings: KafkaSettings, prefix: str, partitions: int
) -> None:
    provisioner = Provisioner(settings)
    name = f"{prefix}.a"
    provisioner.ensure([Topic(name, 4, {})])
    wrong = Difference(name, "partitions", str(partitions), "4")
    plan = provisioner.plan([Topic(name, partitions, {})])
    assert Plan(drift=(wrong,)) == plan
    assert plan.empty
    assert Applied() == provisioner.apply(plan)
    assert [wrong] == provisioner.drift([Topic(name, partitions, {})])
    assert f"{name}: expected partitions {partitions}, was 4" == str(wrong)


@broker
def test_missing_topics_are_drift(settings: KafkaSettings, prefix: str) -> None:
    topic = Topic(f"{prefix}.a", 3, {})
    assert [Difference(topic.name, "partitions", "3", None)] == Provisioner(settings).drift([topic])


@broker
def test_hundreds_of_topics_are_made_in_batches(settings: KafkaSettings, prefix: str) -> None:
    topics = [Topic(f"{prefix}.{number}", 1, {}) for number in range(250)]
    assert len(Provisioner(settings).ensure(topics).created) == 250
    assert Plan() == Provisioner(settings).plan(topics)


@broker
def test_what_the_broker_refuses_names_the_topic(settings: KafkaSettings, prefix: str) -> None:
    topic = Topic(f"{prefix}.a", 1, {"retention.ms": "soon"})
    with pytest.raises(BrokerError, match=rf"create the topic {prefix}\.a, was .*retention\.ms"):
        Provisioner(settings).ensure([topic])
    Provisioner(settings).ensure([Topic(topic.name, 1, {})])
    with pytest.raises(BrokerError, match=rf"alter the configuration of {prefix}\.a"):
        Provisioner(settings).ensure([topic])


def test_a_broker_that_is_not_there_is_an_error() -> None:
    settings = KafkaSettings(f"127.0.0.1:{free_ports()[0]}")
    with pytest.raises(BrokerError, match="expected to list the topics"):
        Provisioner(settings, timeout=0.3).plan([])


@broker
@pytest.mark.parametrize(
    ("call", "note"),
    [
        ("describe_configs", "configurations not compared: no such call"),
        ("incremental_alter_configs", "configurations not altered: no such call"),
    ],
)
def test_a_broker_that_lacks_a_call_is_served_as_far_as_it_goes(
    settings: KafkaSettings, prefix: str, call: str, note: str
) -> None:
    class Lacking(Provisioner):
        def __init__(self) -> None:
            super().__init__(settings)
            setattr(self._admin, call, refuse)

    provisioner = Lacking()
    provisioner.ensure([Topic(f"{prefix}.a", 1, {"retention.ms": "1000"})])
    topics = [Topic(f"{prefix}.a", 1, {"retention.ms": "2000"}), Topic(f"{prefix}.b", 1, {})]
    assert Applied((f"{prefix}.b",), (), (note,)) == provisioner.ensure(topics)


def refuse(resources: list[Any], **_: object) -> dict[Any, Future[Any]]:
    answer: Future[Any] = Future()
    answer.set_exception(KafkaException(KafkaError(KafkaError.UNSUPPORTED_VERSION, "no such call")))
    return dict.fromkeys(resources, answer)


@broker
def test_topics_that_do_not_appear_are_an_error(
    settings: KafkaSettings, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    provisioner = Provisioner(settings, timeout=10)
    plan = provisioner.plan([Topic(f"{prefix}.a", 1, {})])
    provisioner.apply(plan)
    blind: Callable[[], dict[str, int]] = dict
    monkeypatch.setattr(provisioner, "_partitions", blind)
    monkeypatch.setattr(provisioner, "_timeout", 0.05)
    with pytest.raises(BrokerError, match=rf"1 new topics .* without {prefix}\.a"):
        provisioner._await(plan.create)
