"""The compose file, as far as it can be checked without a Docker engine."""

from __future__ import annotations

import base64
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from collector_testkit.broker.docker import IMAGE

FILE = Path(__file__).parents[1] / "docker-compose.yml"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return loaded


@pytest.fixture(scope="module")
def kafka(compose: dict[str, Any]) -> dict[str, Any]:
    service: dict[str, Any] = compose["services"]["kafka"]
    return service


def test_kafka_is_the_version_that_the_tests_run_on(kafka: dict[str, Any]) -> None:
    assert kafka["image"] == IMAGE


def test_kafka_is_alone_and_reached_on_loopback_only(
    compose: dict[str, Any], kafka: dict[str, Any]
) -> None:
    assert list(compose["services"]) == ["kafka"]
    assert kafka["ports"] == ["127.0.0.1:9092:9092"]
    assert "HOST://127.0.0.1:9092" in kafka["environment"]["KAFKA_ADVERTISED_LISTENERS"]


def test_every_listener_has_a_protocol(kafka: dict[str, Any]) -> None:
    environment = kafka["environment"]
    listeners = {entry.partition(":")[0] for entry in environment["KAFKA_LISTENERS"].split(",")}
    protocols = environment["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(",")
    assert listeners == {entry.partition(":")[0] for entry in protocols}
    assert environment["KAFKA_CONTROLLER_LISTENER_NAMES"] in listeners
    assert environment["KAFKA_INTER_BROKER_LISTENER_NAME"] in listeners


def test_topics_are_not_made_by_asking(kafka: dict[str, Any]) -> None:
    assert kafka["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_one_node_holds_all_replicas(kafka: dict[str, Any]) -> None:
    environment = kafka["environment"]
    assert environment["KAFKA_PROCESS_ROLES"] == "broker,controller"
    factors = [value for name, value in environment.items() if "REPLICATION_FACTOR" in name]
    assert factors == ["1", "1"]


def test_data_stays_in_a_named_volume(compose: dict[str, Any], kafka: dict[str, Any]) -> None:
    [mount] = kafka["volumes"]
    volume, _, folder = mount.partition(":")
    assert volume in compose["volumes"]
    assert folder == kafka["environment"]["KAFKA_LOG_DIRS"]
    # Kafka's ids are 16 bytes
    assert len(base64.urlsafe_b64decode(kafka["environment"]["CLUSTER_ID"] + "==")) == 16


def test_health_is_a_request_of_the_protocol(kafka: dict[str, Any]) -> None:
    assert "kafka-broker-api-versions.sh" in " ".join(kafka["healthcheck"]["test"])


def test_compose_itself_takes_the_file() -> None:
    docker = shutil.which("docker")
    if docker is None:
        pytest.skip("no docker client")
    if subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("the docker client has no compose")
    done = subprocess.run(
        [docker, "compose", "-f", str(FILE), "config", "-q"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == 0
