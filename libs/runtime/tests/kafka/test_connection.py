from __future__ import annotations

import pytest
from confluent_kafka import KafkaError

from collector_core.errors import BrokerError, SettingsError
from collector_runtime.kafka.connection import (
    KafkaSettings,
    client_config,
    producer_config,
    reach,
    reader_config,
    transient,
)
from collector_runtime.kafka.ports import free_ports, is_free, listens


@pytest.mark.parametrize("address", ["", "localhost", "localhost:", ":9092", "a:1,b", "a:70000"])
def test_an_address_needs_host_and_port(address: str) -> None:
    with pytest.raises(SettingsError, match="host:port"):
        KafkaSettings(address)


def test_security_settings_are_passed_through() -> None:
    security = {"security.protocol": "SASL_SSL", "sasl.password": "secret", "ssl.ca.location": "x"}
    settings = KafkaSettings("a:1,b:2", security=security)
    assert security.items() <= client_config(settings).items()
    assert "secret" not in repr(settings)


def test_other_settings_are_not_security() -> None:
    with pytest.raises(SettingsError, match=r"was 'acks'"):
        KafkaSettings("a:1", security={"acks": "0"})


def test_producers_are_idempotent_and_readers_committed() -> None:
    settings = KafkaSettings("a:1")
    producer = producer_config(settings)
    assert (
        producer["enable.idempotence"],
        producer["acks"],
        producer["compression.type"],
        producer["linger.ms"],
    ) == (True, "all", "lz4", 5)
    assert reader_config(settings)["isolation.level"] == "read_committed"
    assert reader_config(settings, committed=False)["isolation.level"] == "read_uncommitted"
    assert reader_config(settings)["auto.offset.reset"] == "error"


def test_an_unreachable_broker_is_named() -> None:
    [port] = free_ports()
    with pytest.raises(BrokerError, match=rf"127\.0\.0\.1:{port}.* within 0\.5 s.*refused") as told:
        reach(KafkaSettings(f"127.0.0.1:{port}"), 0.5)
    assert "\n" not in str(told.value)


def test_security_settings_that_the_client_refuses_are_an_error_of_settings() -> None:
    with pytest.raises(SettingsError, match=r"ssl\.nonsense"):
        reach(KafkaSettings("127.0.0.1:1", security={"ssl.nonsense": "1"}), 0.5)


@pytest.mark.broker
def test_a_broker_that_answers_tells_its_cluster(settings: KafkaSettings) -> None:
    assert reach(settings)
    port = int(settings.bootstrap_servers.rpartition(":")[2])
    assert listens(port)
    assert not is_free(port)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (KafkaError.LEADER_NOT_AVAILABLE, True),
        (KafkaError.UNKNOWN_LEADER_EPOCH, True),
        (KafkaError.FENCED_LEADER_EPOCH, True),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, False),
    ],
)
def test_a_topic_just_made_is_asked_about_again(code: int, *, expected: bool) -> None:
    assert transient(KafkaError(code)) is expected
