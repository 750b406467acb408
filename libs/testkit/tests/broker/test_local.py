from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from collector_core.errors import BrokerError
from collector_runtime.kafka.connection import KafkaSettings, reach
from collector_runtime.kafka.ports import free_ports, listens
from collector_runtime.kafka.provisioner import Plan, Provisioner
from collector_runtime.kafka.topology import Topic
from collector_testkit.broker import Broker, Unavailable, local, start_kafka
from collector_testkit.broker.jars import Installation, install, properties
from collector_testkit.broker.local import LocalBroker

pytestmark = pytest.mark.broker


@pytest.fixture
def installation(broker: Broker, pytestconfig: pytest.Config) -> Installation:
    if broker.kind != "local":
        pytest.skip("the broker of this run is not a process of this machine")
    return install(pytestconfig.rootpath / ".cache")


@pytest.mark.parametrize("end", ["stop", "crash"])
def test_a_broker_comes_back_with_its_data(
    controlled_broker: Broker, prefix: str, end: str
) -> None:
    settings = KafkaSettings(controlled_broker.bootstrap_servers)
    topic = Topic(f"{prefix}.a", 2, {})
    Provisioner(settings).ensure([topic])
    if end == "crash" and isinstance(controlled_broker, LocalBroker):
        # behind its back: the next start finds it dead
        process = controlled_broker._process
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        # a signal is sent, not done
        assert process.wait(60)
    else:
        controlled_broker.stop(kill=end == "crash")
    with pytest.raises(BrokerError):
        reach(settings, 0.2)
    controlled_broker.start()
    assert Plan() == Provisioner(settings).plan([topic])


def test_a_frozen_broker_is_silent_and_goes_on(controlled_broker: Broker) -> None:
    settings = KafkaSettings(controlled_broker.bootstrap_servers)
    controlled_broker.pause()
    with pytest.raises(BrokerError, match=r"no answer within 0\.3 s"):
        reach(settings, 0.3)
    controlled_broker.resume()
    assert reach(settings, 10)


def test_topics_are_not_made_by_asking(broker: Broker, prefix: str) -> None:
    settings = KafkaSettings(broker.bootstrap_servers)
    assert f"{prefix}.a" not in Provisioner(settings)._partitions()
    data = properties(Path("data"), 1, 2)
    assert "auto.create.topics.enable=false" in data.splitlines()


def test_a_broker_is_gone_after_the_block(installation: Installation) -> None:
    with start_kafka(installation.folder.parent) as broker:
        folder = broker._folder
        port = int(broker.bootstrap_servers.rpartition(":")[2])
        assert listens(port)
        assert folder.is_dir()
    assert not listens(port)
    assert not folder.exists()
    with pytest.raises(Unavailable, match="was stopped"):
        _ = broker.pid
    broker.pause()
    broker.resume()
    broker.stop()


HOLDER = """
import sys
from collector_testkit.broker import start_kafka
from pathlib import Path
with start_kafka(Path(sys.argv[1])) as broker:
    print(broker.pid, broker._folder, flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of a killed parent")
def test_a_broker_does_not_outlive_a_killed_test_run(installation: Installation) -> None:
    command = [sys.executable, "-c", HOLDER, str(installation.folder.parent)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        pid, folder = holder.stdout.readline().split()
        assert Path(f"/proc/{pid}").exists()
        holder.kill()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        os.sched_yield()
    assert not Path(f"/proc/{pid}").exists()
    # what a killed run cannot remove
    shutil.rmtree(folder)


def test_a_port_taken_meanwhile_is_replaced(
    installation: Installation, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = int(broker.bootstrap_servers.rpartition(":")[2])
    choices = iter([[taken, *free_ports()], free_ports(2)])
    monkeypatch.setattr(local, "free_ports", lambda _: next(choices))
    monkeypatch.setattr(local, "listens", lambda port: port != taken and listens(port))
    other = LocalBroker(installation)
    assert other.bootstrap_servers != broker.bootstrap_servers
    other.close()


def test_a_server_that_cannot_start_is_quoted(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = properties(Path("/proc/nowhere"), 1, 2).replace("node.id=1", "node.id=x")
    monkeypatch.setattr(local, "properties", lambda *_: wrong)
    with pytest.raises(Unavailable, match=r"Apache Kafka to start, (.|\n)*Invalid value x"):
        LocalBroker(installation)
