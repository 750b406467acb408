"""The service, which kills itself at a named step: ``killed_at.py STEP OCCURRENCE DELAY``.

What the step is about is wrapped in this process alone; the rest is the service's own ``main``. At
the step it writes what it does to standard output and ends by SIGKILL, so that a test can count
which steps were hit.
"""

from __future__ import annotations

import faulthandler
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from itertools import count
from types import TracebackType
from typing import Any
from unittest.mock import patch

from confluent_kafka import Producer

from collector_indicator import restoring
from collector_indicator.__main__ import main
from collector_runtime.kafka import transactions
from collector_runtime.kafka.connection import KafkaSettings
from collector_runtime.kafka.lease import Lease
from collector_runtime.kafka.restore import read_to_end

BEGIN = "before begin"
PRODUCE = "while producing"
FLUSH = "after flush"
COMMIT = "during commit"
RESTORE = "during restore"
REBALANCE = "during a rebalance"
STEPS = (BEGIN, PRODUCE, FLUSH, COMMIT, RESTORE, REBALANCE)
MOMENT = "at any moment"
Visit = Callable[[bytes, bytes | None], None]
_WORDS = re.compile(r"^killed ([a-z ]+): ([a-z ]+)$", re.MULTILINE)


def last_words(output: str) -> tuple[str, str] | None:
    """Return the step at which a process said that it was killed, and where in it."""
    found = _WORDS.findall(output)
    return found[-1] if found else None


class Death:
    """A process's own end.

    Args:
        step: where.
        occurrence: how often the step comes until then; of a rebalance, how many grants.
        delay: seconds into the step.
    """

    def __init__(self, step: str, occurrence: int, delay: float) -> None:
        self.step = step
        self.occurrence = occurrence
        self.delay = delay
        self._lock = threading.Lock()
        # the step comes on several threads
        self._counted = count(1)

    def comes(self) -> int:
        """Count an occurrence; return how many are left, 0 at the one that it is about."""
        return self.occurrence - next(self._counted)

    def now(self, where: str) -> None:
        """Say it once, and end."""
        with self._lock:
            os.write(1, f"\nkilled {self.step}: {where}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)

    def later(self, where: str) -> None:
        """End after the delay, whatever this process does by then."""

        def end() -> None:
            time.sleep(self.delay)
            self.now(where)

        threading.Thread(target=end, daemon=True).start()


class UnderWay:
    """A block that is ended after a delay, if it is not over by then."""

    def __init__(self, death: Death, where: str) -> None:
        self._death = death
        self._where = where
        self._lock = threading.Lock()
        self._over = False

    def __enter__(self) -> None:
        threading.Thread(target=self._end, daemon=True).start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._over = True
        # was quicker than that: sooner the next time
        self._death.delay /= 2

    def _end(self) -> None:
        time.sleep(self._death.delay)
        with self._lock:
            if not self._over:
                self._death.now(self._where)


def kill_in_transactions(death: Death) -> None:
    """Let the producers of transactions end the process at the step."""

    class Mortal(Producer):
        def begin_transaction(self) -> None:
            if death.step == BEGIN and death.comes() == 0:
                death.now("rows drained")
            super().begin_transaction()

        def produce(self, *row: Any) -> None:  # noqa: ANN401  # the client's
            super().produce(*row)
            if death.step == PRODUCE and death.comes() == 0:
                # some of the rows before it, or all, reach the broker
                time.sleep(death.delay)
                death.now("row queued")

        def flush(self, timeout: float = -1) -> int:
            left = super().flush(timeout)
            if death.step == FLUSH and left == 0 and death.comes() == 0:
                death.now("all rows delivered")
            return left

        def commit_transaction(self, timeout: float = -1) -> None:
            # flushed before, so that what is left of the commit is its EndTxn
            if death.step == COMMIT and death.comes() <= 0:
                with UnderWay(death, "not returned"):
                    super().commit_transaction(timeout)
            else:
                super().commit_transaction(timeout)

    patch.object(transactions, "Producer", Mortal).start()


def kill_in_restore(death: Death) -> None:
    """End the process at a row of the state that it reads."""

    def reading(
        kafka: KafkaSettings, topic: str, partition: int, visit: Visit, *, timeout: float
    ) -> int:
        def counted(key: bytes, value: bytes | None) -> None:
            visit(key, value)
            if death.comes() == 0:
                death.now("state row read")

        return read_to_end(kafka, topic, partition, counted, timeout=timeout)

    patch.object(restoring, "read_to_end", reading).start()


def kill_in_rebalance(death: Death) -> None:
    """End the process within a grant or a revocation, or before the first grant."""
    begin, assign, revoke = Lease.__init__, Lease._on_assign, Lease._on_revoke

    def joining(lease: Lease, *given: Any, **named: Any) -> None:  # noqa: ANN401  # as Lease
        begin(lease, *given, **named)
        if death.occurrence == 0:
            death.later("join under way")

    def within(handler: Callable[..., None], where: str, *given: Any) -> None:  # noqa: ANN401  # as above
        with UnderWay(death, where):
            handler(*given)
        # the group does not know yet that it is done
        death.now(f"{where} handled")

    def assigned(lease: Lease, client: Any, partitions: list[Any]) -> None:  # noqa: ANN401  # as above
        if partitions and death.comes() <= 0:
            within(assign, "grant", lease, client, partitions)
        assign(lease, client, partitions)

    def revoked(lease: Lease, client: Any, partitions: list[Any]) -> None:  # noqa: ANN401  # as above
        if partitions:
            within(revoke, "revocation", lease, client, partitions)
        revoke(lease, client, partitions)

    patch.object(Lease, "__init__", joining).start()
    patch.object(Lease, "_on_assign", assigned).start()
    patch.object(Lease, "_on_revoke", revoked).start()


def arm(death: Death) -> None:
    """Prepare this process's end."""
    if death.step == MOMENT:
        death.later("whatever it did")
    elif death.step == RESTORE:
        kill_in_restore(death)
    elif death.step == REBALANCE:
        kill_in_rebalance(death)
    else:
        kill_in_transactions(death)


if __name__ == "__main__":
    # an end that is none of ours is to say where
    faulthandler.enable()
    arm(Death(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
    sys.exit(main())
