"""Apache Kafka's jars and a formatted storage folder, fetched by Maven once and kept."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Final

from collector_testkit.broker.contract import Unavailable

__all__ = ["VERSION", "Installation", "default_cache", "install", "properties"]

VERSION: Final = "4.1.1"
CLUSTER_ID: Final = "Y29sbGVjdG9yLXRlc3RzIQ"
"""Any 16 bytes in URL-safe base64; the data lives as long as a test run."""
_FETCH_TIMEOUT: Final = 600
_FORMAT_TIMEOUT: Final = 60


class Installation:
    """What ``install`` left in the cache folder."""

    def __init__(self, folder: Path, java: str) -> None:
        self.folder = folder
        self.java = java
        self.jars = folder / "jars"
        # log folder as ``format`` leaves it: it holds no address, so each start copies it
        self.formatted = folder / "formatted"
        # classes as the JVM keeps them parsed (class data sharing): halves the start
        self.archive = folder / "classes.jsa"

    def command(self, main: str, *arguments: str) -> list[str]:
        """Return the command line that runs a main class on the jars."""
        classpath = os.pathsep.join(str(jar) for jar in sorted(self.jars.glob("*.jar")))
        options = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"]
        if self.archive.exists():
            options.append(f"-XX:SharedArchiveFile={self.archive}")
        level = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
        return [self.java, *options, "-Xlog:cds=off", level, "-cp", classpath, main, *arguments]


def default_cache() -> Path:
    """Return ``.cache`` of the repository that this file stands in, else of the user."""
    for folder in Path(__file__).resolve().parents:
        if (folder / "pyproject.toml").is_file() and (folder / "libs").is_dir():
            return folder / ".cache"
    return Path.home() / ".cache" / "collector"


def install(cache: Path | None = None) -> Installation:
    """Fetch the jars and format a storage folder, unless both are there.

    Raises:
        Unavailable: no Java, no Maven, or one of them failed; the text has what it said.
    """
    java, maven = shutil.which("java"), shutil.which("mvn")
    if java is None:
        raise Unavailable("expected java (17 or newer) on the PATH to run Apache Kafka, was none")
    folder = (cache or default_cache()) / f"kafka-{VERSION}"
    done = Installation(folder, java)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _lock(folder / "lock"):
            if not done.jars.is_dir():
                if maven is None:
                    raise Unavailable(
                        "expected mvn on the PATH to fetch Apache Kafka's jars, was none"
                    )
                _fetch(maven, done.jars)
            if not done.formatted.is_dir():
                _format(done)
    except OSError as error:
        raise Unavailable(f"expected to write to {folder}, was {error}") from error
    return done


def properties(data: Path, port: int, controller: int) -> str:
    """Return the configuration of a single node, broker and controller in one, on loopback."""
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(data),
        # production has it off, and a test that forgets to provision must fail
        "auto.create.topics.enable": "false",
        # one node: its own topics cannot have the three replicas that are the default
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        # no other member is awaited, as all of a test's start together
        "group.initial.rebalance.delay.ms": "0",
        # defaults 9 s and 2 s: a killed broker that starts again waits for its own old session
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
        # default 10 s: a test of a dead producer's transaction would wait for it
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _fetch(maven: str, jars: Path) -> None:
    unfinished = jars.with_name(f"jars-{os.getpid()}")
    with resources.as_file(resources.files(__package__) / "pom.xml") as pom:
        _run(
            [
                maven,
                "--quiet",
                "--batch-mode",
                f"--file={pom}",
                "dependency:copy-dependencies",
                f"-DoutputDirectory={unfinished}",
                f"-Dkafka.version={VERSION}",
            ],
            _FETCH_TIMEOUT,
            "Maven to copy Apache Kafka's jars",
        )
    unfinished.rename(jars)


def _format(done: Installation) -> None:
    unfinished = done.folder / f"formatted-{os.getpid()}"
    configuration = done.folder / f"format-{os.getpid()}.properties"
    configuration.write_text(properties(unfinished, 1, 2))
    try:
        _run(
            done.command(
                "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(configuration)
            ),
            _FORMAT_TIMEOUT,
            "Apache Kafka to format its storage",
        )
    finally:
        configuration.unlink()
    unfinished.rename(done.formatted)


def _run(command: list[str], timeout: float, what: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"expected {what} within {timeout:g} s, was not done") from error
    if done.returncode:
        said = (done.stdout + done.stderr).strip()[-1_000:]
        raise Unavailable(f"expected {what}, was exit status {done.returncode}: {said}")


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    # test runs beside each other must not fetch into the same folder
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
