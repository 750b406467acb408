from __future__ import annotations

from pathlib import Path

import pytest

from collector_runtime.kafka.ports import free_ports
from collector_testkit.broker import Broker, Unavailable, choice, open_broker
from collector_testkit.broker.contract import ExternalBroker
from collector_testkit.broker.docker import IMAGE, DockerBroker, environment
from collector_testkit.broker.jars import VERSION, default_cache, install


def test_a_named_broker_that_does_not_answer_is_not_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(choice, "_TIMEOUT", 0.3)
    address = f"127.0.0.1:{free_ports()[0]}"
    with pytest.raises(Unavailable, match=rf"KAFKA_BOOTSTRAP_SERVERS: .*{address}"):
        open_broker(environment={"KAFKA_BOOTSTRAP_SERVERS": address})


@pytest.mark.broker
def test_a_named_broker_is_used_and_left_alone(broker: Broker) -> None:
    named = open_broker(environment={"KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers})
    assert ("external", broker.bootstrap_servers) == (named.kind, named.bootstrap_servers)
    assert not named.controllable
    named.close()
    assert open_broker(environment={"KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers})


def test_a_named_broker_cannot_be_stopped() -> None:
    named = ExternalBroker("a:1")
    named.start()
    named.resume()
    with pytest.raises(Unavailable, match="not ours to be stopped"):
        named.stop()
    with pytest.raises(Unavailable, match="not ours to be killed"):
        named.stop(kill=True)
    with pytest.raises(Unavailable, match="not ours to be paused"):
        named.pause()


def test_without_any_broker_each_reason_is_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{free_ports()[0]}")
    with pytest.raises(Unavailable) as told:
        open_broker(tmp_path, {})
    assert "KAFKA_BOOTSTRAP_SERVERS is not set" in str(told.value)
    assert "expected a Docker engine that answers" in str(told.value)
    assert "expected java" in str(told.value)


def test_without_an_engine_no_container_is_tried(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr("collector_testkit.broker.docker._SOCKET", tmp_path / "docker.sock")
    with pytest.raises(Unavailable, match=r"expected a Docker engine at DOCKER_HOST or"):
        DockerBroker()


def test_the_container_is_the_version_that_maven_copies() -> None:
    assert f"apache/kafka:{VERSION}" == IMAGE
    assert environment(4711)["KAFKA_ADVERTISED_LISTENERS"] == "PLAINTEXT://127.0.0.1:4711"
    assert environment(4711)["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_the_cache_is_the_repositorys() -> None:
    cache = default_cache()
    assert cache.name == ".cache"
    assert (cache.parent / "libs" / "testkit").is_dir()


def script(folder: Path, name: str, text: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)


def test_a_failing_maven_is_quoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script(tmp_path, "java", "exit 0")
    script(tmp_path, "mvn", "echo no such mirror; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match=r"Maven .* exit status 1: no such mirror"):
        install(tmp_path / "cache")


def test_a_missing_maven_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script(tmp_path, "java", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="expected mvn"):
        install(tmp_path / "cache")


def test_a_folder_that_cannot_be_written_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script(tmp_path, "java", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match=rf"expected to write to {tmp_path}/java/kafka"):
        install(tmp_path / "java")


def test_a_storage_that_cannot_be_formatted_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script(tmp_path, "java", "echo no memory >&2; exit 1")
    script(tmp_path, "mvn", "exit 0")
    (tmp_path / "cache" / f"kafka-{VERSION}" / "jars").mkdir(parents=True)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="format its storage, was exit status 1: no memory"):
        install(tmp_path / "cache")
