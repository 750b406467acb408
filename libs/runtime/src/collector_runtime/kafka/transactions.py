"""A transactional producer that is either sure of its last commit or gone.

Exactly once rests on one rule: whatever is unclear (a timeout, a fatal error, one that asks for an
abort) ends the producer, and its heir, here or in another process, inits with the same id before
it reads the state. A commit that was under way is then either seen whole or not at all; a producer
that went on after a timeout could have a delayed end of one transaction end the next one
(KAFKA-17754). So each failure below closes the producer before it is raised. The client's own
repetition of an end, after a lost connection, is such a case too: it is never waited for.

Calls block and release the interpreter's lock: run them on a thread, one at a time per producer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Final, Literal, NamedTuple, NoReturn, TypeAlias

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from collector_core.errors import BrokerError, FencedError
from collector_runtime.kafka.connection import ClientConfig, KafkaSettings, producer_config

__all__ = ["OutRow", "TransactionalProducer", "Verdict", "verdict"]

Verdict: TypeAlias = Literal["retry", "fenced", "destroy"]

_FENCED: Final = frozenset(
    {
        KafkaError._FENCED,  # noqa: SLF001 - librdkafka's name
        KafkaError.PRODUCER_FENCED,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.FENCED_INSTANCE_ID,
    }
)
_ATTEMPT: Final = 5.0
"""Seconds a single call to the client may take before it is asked again."""
_PAUSE: Final = 0.02
_BACKOFF: Final = 1.0
"""Seconds after which the client sends a request again, less a jitter of a fifth."""
_END: Final = 0.75
"""Seconds for the end of a transaction, its rows being there."""
_SENT_ONCE: Final = 0.8 * _BACKOFF
"""Seconds within which an end has not been sent a second time."""
_QUEUE: Final = 0.05


class OutRow(NamedTuple):
    """A row to write; a null value is a tombstone."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None


def verdict(error: KafkaError) -> Verdict:
    """Return what an error of a transactional call asks for (docs/adr/0013).

    Errors that would allow an abort are ``destroy`` too: rows are made from the log again, never
    from memory.
    """
    if error.code() in _FENCED:
        return "fenced"
    if error.retriable() and not error.fatal() and not error.txn_requires_abort():
        return "retry"
    return "destroy"


class TransactionalProducer:
    """One ``transactional.id``, held until it is closed or fenced. Made by ``open``."""

    def __init__(self, config: ClientConfig) -> None:
        self.transactional_id: str = config["transactional.id"]
        # The only reference, here and in every method below: dropping it ends librdkafka's
        # threads at once, which a local variable in the frames of a kept traceback would prevent.
        self._client: Producer | None = Producer(config)
        self._begun = False

    @classmethod
    def open(
        cls,
        settings: KafkaSettings,
        transactional_id: str,
        *,
        timeout: float = 30.0,
        transaction_timeout: float = 15.0,
    ) -> TransactionalProducer:
        """Take the id over: end what an earlier holder left open, and fence it.

        Returns only after that, so what is read from then on is final.

        Args:
            settings: where Kafka is.
            transactional_id: who we are; one holder at a time.
            timeout: seconds to try for.
            transaction_timeout: seconds after which the broker aborts what we left open.

        Raises:
            FencedError: another one took the id over while we did.
            BrokerError: not within ``timeout`` seconds, or refused.
        """
        config = producer_config(settings) | {
            "transactional.id": transactional_id,
            "transaction.timeout.ms": round(transaction_timeout * 1000),
            # a row must not outlive its transaction
            "delivery.timeout.ms": round(transaction_timeout * 1000),
            # the commit flushes anyway
            "linger.ms": 0,
            "retry.backoff.ms": round(_BACKOFF * 1000),
            "retry.backoff.max.ms": round(_BACKOFF * 1000),
        }
        try:
            opened = cls(config)
        except KafkaException as error:
            raise BrokerError(f"expected to make a producer, was {error.args[0].str()}") from error
        opened._call(
            lambda left: opened._producer.init_transactions(left),  # noqa: PLW0108 - a bound method is a reference
            "init",
            timeout,
        )
        return opened

    @property
    def closed(self) -> bool:
        """Whether it is of no more use: closed by us, or by a failure."""
        return self._client is None

    def write(
        self,
        rows: Iterable[OutRow],
        *,
        timeout: float = 10.0,
        offsets: Sequence[TopicPartition] = (),
        group: Any = None,  # noqa: ANN401 - the client's own opaque type
    ) -> int:
        """Write rows as one transaction and return their number once it is committed.

        Args:
            rows: what is seen by read_committed readers whole or not at all.
            timeout: seconds for all of it.
            offsets: consumed offsets to commit with it, as a second fence (KIP-447).
            group: ``consumer_group_metadata()`` of the consumer they belong to.

        Raises:
            FencedError: another one holds the id now; nothing was committed.
            BrokerError: unclear or refused. Whether it was committed, the topic says: open again,
                and read.
        """
        deadline = time.monotonic() + timeout
        self.begin()
        count = 0
        for row in rows:
            self.produce(row, max(0.0, deadline - time.monotonic()))
            count += 1
        if offsets:
            self.send_offsets(offsets, group, max(0.0, deadline - time.monotonic()))
        self.commit(max(0.0, deadline - time.monotonic()))
        return count

    def begin(self) -> None:
        """Begin a transaction.

        Raises:
            FencedError, BrokerError: as ``write``.
        """
        try:
            self._producer.begin_transaction()
        except KafkaException as error:
            self._fail(error.args[0], "begin a transaction")
        self._begun = True

    def produce(self, row: OutRow, timeout: float = 10.0) -> None:
        """Add a row to the transaction; waits at most ``timeout`` seconds while the queue is full.

        Raises:
            FencedError, BrokerError: as ``write``.
        """
        deadline = time.monotonic() + timeout
        while True:
            try:
                self._producer.produce(row.topic, row.value, row.key, row.partition)
            except BufferError:
                if time.monotonic() > deadline:
                    self.close()
                    raise BrokerError(
                        f"expected room in the queue of {self.transactional_id} within "
                        f"{timeout:g} s, was full"
                    ) from None
                self._producer.poll(_QUEUE)
            except KafkaException as error:
                self._fail(error.args[0], f"write to {row.topic}")
            else:
                return

    def send_offsets(
        self,
        offsets: Sequence[TopicPartition],
        group: Any,  # noqa: ANN401 - the client's own opaque type
        timeout: float = 10.0,
    ) -> None:
        """Commit consumed offsets with the transaction.

        Raises:
            FencedError, BrokerError: as ``write``.
        """
        self._call(
            lambda left: self._producer.send_offsets_to_transaction(list(offsets), group, left),
            "send offsets",
            timeout,
        )

    def commit(self, timeout: float = 10.0) -> None:
        """Commit, within ``timeout`` seconds, once all rows are delivered.

        Raises:
            FencedError, BrokerError: as ``write``.
        """
        deadline = time.monotonic() + timeout
        try:
            left = self._producer.flush(timeout)
        except KafkaException as error:
            self._fail(error.args[0], "commit")
        if left:
            self._give_up(f"commit within {timeout:.3g} s", f"without delivery of {left} rows")
        self._end(
            lambda left: self._producer.commit_transaction(left),  # noqa: PLW0108 - a bound method is a reference
            "commit",
            max(0.0, deadline - time.monotonic()),
        )

    def abort(self, timeout: float = 5.0) -> None:
        """Take back what the transaction has so far; the producer can be used again.

        Raises:
            FencedError, BrokerError: as ``write``; the broker or the heir aborts it then.
        """
        self._end(
            lambda left: self._producer.abort_transaction(left),  # noqa: PLW0108 - a bound method is a reference
            "abort",
            timeout,
        )

    def close(self, timeout: float = 0.0) -> None:
        """End the producer, at once or after trying to abort for ``timeout`` seconds. Idempotent.

        An abort spares readers the wait for an open transaction; without it they wait until the
        heir's init or the transaction's timeout. Rows still queued are dropped, never written.
        """
        if self._begun and timeout > 0:
            # failing, it has closed the producer: whoever inits next, or the broker's timeout,
            # aborts in its place
            with suppress(BrokerError):
                self.abort(timeout)
        if self._client is not None:
            # not Producer.close: it flushes and aborts without a bound (12 s without a broker)
            self._client.purge(blocking=False)
            self._client = None

    @property
    def _producer(self) -> Producer:
        if self._client is None:
            raise BrokerError(f"expected an open producer {self.transactional_id}, was closed")
        return self._client

    def _call(self, call: Callable[[float], None], doing: str, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while True:
            left = max(0.001, deadline - time.monotonic())
            try:
                call(min(left, _ATTEMPT))
            except KafkaException as error:
                cause = error.args[0]
                if verdict(cause) != "retry" or time.monotonic() >= deadline:
                    self._fail(cause, doing)
                # "call again to resume": the client goes on where it was
                time.sleep(min(_PAUSE, max(0.0, deadline - time.monotonic())))
            else:
                return

    def _end(self, call: Callable[[float], None], doing: str, timeout: float) -> None:
        """End the transaction before the client could send that a second time.

        Having lost the connection, it does so without a word, and succeeds; what it sent at first
        may still come, and would end the next transaction, of which the broker cannot tell it.
        """
        begun = time.monotonic()
        self._call(call, doing, min(timeout, _END))
        if time.monotonic() - begun >= _SENT_ONCE:
            self._give_up(doing, "slow, and may have said so twice")
        self._begun = False

    def _fail(self, cause: KafkaError, doing: str) -> NoReturn:
        if verdict(cause) == "fenced":
            self._begun = False
            self.close()
            raise FencedError(f"expected {self.transactional_id} to {doing}, was {cause.str()}")
        self._give_up(doing, cause.str())

    def _give_up(self, doing: str, cause: str) -> NoReturn:
        self._begun = False
        self.close()
        raise BrokerError(f"expected {self.transactional_id} to {doing}, was {cause}")
