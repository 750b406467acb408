"""Trades and clock rows of a quiet market in real time, one of each a symbol and second."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Final, Self

from bench.processes import Failed
from bench.trades import Place, clock, put, trade
from confluent_kafka import KafkaError, Message, Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported without saying so
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from collector_core.codec import encode

__all__ = ["CLOSES", "SECOND", "Feed", "stamp_appends"]

SECOND: Final = 1_000_000
CLOSES: Final = 150_000
"""Microseconds past the end of a bar that its clock row tells of: more than the grace."""


class Feed:
    """Writes until its ``with`` block is left.

    At each second all symbols have a trade, half a second later all of them the clock row that
    ends the bar: at once, as an ingestor's timer writes them.

    Args:
        producer: its delivery reports are taken.
        places: where each symbol's rows go.
        symbols: their names.
        begin: open time of the first bar.
        number: rows of each symbol that are there already.
    """

    def __init__(
        self, producer: Producer, places: list[Place], symbols: list[str], begin: int, number: int
    ) -> None:
        self._producer = producer
        self._places = places
        self._symbols = symbols
        self._begin = begin
        self._number = number
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
        self._failure = ""
        self.appended: dict[tuple[str, int], float] = {}
        """By symbol and open time of the bar: when its clock row was appended, in s since 1970."""
        self.bars = 0
        """Seconds whose clock rows are all written."""

    def check(self) -> None:
        """Raise ``Failed`` if a row could not be written."""
        if self._failure:
            raise Failed(f"expected the feed's rows written, was {self._failure}")

    def end(self) -> None:
        """End the second that runs, and write no more. Idempotent."""
        self._ending.set()
        self._thread.join()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._ending.is_set():
            opened = self._begin + self.bars * SECOND
            for index, symbol in enumerate(self._symbols):
                row = trade(symbol, self._number, index, opened + SECOND // 4)
                put(self._producer, self._places[index], encode(row))
            self._until(due + 0.5)
            end = opened + SECOND + CLOSES
            for index, symbol in enumerate(self._symbols):
                self._close(index, encode(clock(symbol, self._number + 1, end)), symbol, opened)
            self._producer.flush(30)
            self._number += 2
            self.bars += 1
            due += 1.0
            self._until(due)

    def _close(self, index: int, row: bytes, symbol: str, opened: int) -> None:
        topic, partition, key = self._places[index]

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                self._failure = str(error)
            else:
                self.appended[symbol, opened] = message.timestamp()[1] / 1_000

        self._producer.produce(topic, row, key, partition, on_delivery=delivered)

    def _until(self, due: float) -> None:
        # the last second is ended, so that every bar has its clock row
        while (left := due - time.monotonic()) > 0 and not self._ending.is_set():
            self._producer.poll(min(left, 0.05))


def stamp_appends(bootstrap: str, topics: set[str]) -> None:
    """Let the broker stamp rows of the topics when it appends them."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    stamped = ConfigEntry(
        "message.timestamp.type",
        "LogAppendTime",
        incremental_operation=AlterConfigOpType.SET,
    )
    resources = [
        ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[stamped])
        for topic in sorted(topics)
    ]
    for future in admin.incremental_alter_configs(resources).values():
        future.result(15)
