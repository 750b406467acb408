"""One shard for as long as one producer holds it: opened, run, and given up. Never reopened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import Final, NamedTuple

import structlog

from collector_core.codec import encode
from collector_core.errors import BrokerError, NumberError
from collector_core.events import Bar, Event
from collector_core.records import CatalogEntry
from collector_core.topics import Topics, key_of
from collector_indicator.counters import Counters
from collector_indicator.history import Readers, read_history
from collector_indicator.installation import Installation
from collector_indicator.intake import Drained, Intake
from collector_indicator.jobs import Jobs
from collector_indicator.reader import Reader, Run
from collector_indicator.restoring import Opened, Order, open_shard, prepare
from collector_indicator.schedule import Schedule
from collector_indicator.sources import Place, Source
from collector_indicator.state_rows import Stored
from collector_runtime.kafka.transactions import OutRow, TransactionalProducer

__all__ = ["Circumstances", "Shard"]

_WRITE: Final = 5.0
"""Seconds for a transaction; what takes longer is unclear, and the topic will tell."""
_ABORT: Final = 1.0
_PREPARE_AGAIN: Final = 1.0
_HISTORY_AGAIN: Final = 1.0
_WAITING: Final = 500_000
"""Rows kept of an input whose history is read, at which what is new begins without one."""

_LOG: Final = structlog.get_logger("collector.indicator")


class Circumstances(NamedTuple):
    """What a shard finds in its process."""

    installation: Installation
    jobs: Jobs
    reader: Reader
    counters: Counters
    missing: Callable[[Iterable[Source]], list[CatalogEntry]]
    """Outputs of sources that the catalogue does not have."""
    rebuild: set[Place]
    """Partitions whose input at the stored offset is gone; a commit takes them out."""
    careful: set[Place]
    """Partitions with a row whose numbers are none."""


class Shard:
    """The loop calls ``turn`` and ``take``; whatever they raise ends the tenure: ``drop`` it.

    Args:
        number: which shard.
        circumstances: what is around it.
        thorough: look for the output topics themselves, whatever the catalogue says of them.
    """

    def __init__(
        self, number: int, circumstances: Circumstances, *, thorough: bool = False
    ) -> None:
        self.number = number
        # the partition whose numbers ended the tenure
        self.uncomputable: Place | None = None
        # a transaction was committed: what failed before is over
        self.proven = False
        self._here = circumstances
        self._installation = circumstances.installation
        settings = self._installation.settings
        self._schedule = Schedule(settings.tick, settings.checkpoint)
        self._opening: Future[Opened] | None = circumstances.jobs.submit(
            open_shard, self._installation, number
        )
        self._producer: TransactionalProducer | None = None
        self._stored: dict[Place, Stored] = {}
        self._intakes: dict[Place, Intake] = {}
        # sources that are new, or name more symbols than before
        self._wanted: dict[Place, Source] = {}
        self._preparing: Future[list[Intake]] | None = None
        self._prepared: Sequence[Source] = ()
        self._prepare_at = 0.0
        self._thorough = thorough
        self._committing: Future[Counter[str]] | None = None
        self._committed: Sequence[Place] = ()
        # the history that is read for what another plan added, one input at a time
        self._history: tuple[Intake, Future[Readers]] | None = None
        self._history_at = 0.0
        # inputs that are read no more, until their last rows are written
        self._leaving: set[Place] = set()

    @property
    def running(self) -> bool:
        """Whether it is restored and reads all that it is to read."""
        return self._opening is None and not self._wanted and self._preparing is None

    @property
    def backlog(self) -> int:
        """Rows to publish that no transaction has taken yet."""
        return sum(len(intake.pending) for intake in self._intakes.values())

    def want(self, source: Source) -> None:
        """Read a partition too, or publish one symbol more of it."""
        self._wanted[source.place] = source

    def replan(self, wanted: Mapping[Place, Source]) -> None:
        """Follow the installation's plan, which is another one from here on.

        Args:
            wanted: the inputs of this shard by that plan; those that are new are read too.

        Raises:
            NumberError: as ``take``.
        """
        self._wanted = {place: source for place, source in self._wanted.items() if place in wanted}
        for place, intake in self._intakes.items():
            self._replan(intake)
            if place not in wanted:
                self._leaving.add(place)
        self._here.reader.unassign(self._leaving)
        for place, source in wanted.items():
            if place not in self._intakes:
                self.want(source)

    # --- work -----------------------------------------------------------------------------------

    def take(self, run: Run) -> None:
        """Take rows of one of its partitions.

        Raises:
            NumberError: a number in them is none; ``uncomputable`` says where.
        """
        intake = self._intakes.get(run.place)
        if intake is None:
            return
        with self._numbers_of(intake):
            intake.take(run.last_offset, run.values)
        self._here.counters.rows_in[intake.source.channel] += len(run.values)

    def turn(self, now: float) -> None:
        """Let what has ended follow, and begin what is due.

        Raises:
            FencedError, BrokerError: the shard is not ours any more, or that is unclear.
            NumberError: as ``take``.
            StateError: the state cannot be continued.
        """
        if self._opening is not None:
            if not self._opening.done():
                return
            self._opened(self._opening.result())
        if self._preparing is not None and self._preparing.done():
            self._activate(self._preparing, now)
        if self._wanted and self._preparing is None and now >= self._prepare_at:
            self._prepare()
        self._read_history(now)
        if self._committing is not None and self._committing.done():
            self._settle(self._committing)
        if self._committing is None:
            self._leave()
            self._commit(now)

    def _opened(self, opened: Opened) -> None:
        self._opening = None
        self._producer, self._stored = opened.producer, opened.stored
        self._here.counters.restores[self.number] = opened.seconds
        _LOG.info("shard_opened", shard=self.number, seconds=round(opened.seconds, 3))

    # --- inputs ---------------------------------------------------------------------------------

    def _prepare(self) -> None:
        sources, self._wanted = list(self._wanted.values()), {}
        fresh = [source for source in sources if source.place not in self._intakes]
        order = Order(
            fresh,
            {s.place: self._stored[s.place] for s in fresh if s.place in self._stored},
            self._installation.entries(sources) if self._thorough else self._here.missing(sources),
            frozenset(self._here.rebuild),
            frozenset(self._here.careful),
        )
        self._prepared = sources
        self._preparing = self._here.jobs.submit(prepare, self._installation, order)

    def _activate(self, preparing: Future[list[Intake]], now: float) -> None:
        self._preparing = None
        try:
            intakes = preparing.result()
        except BrokerError as error:
            # its other inputs run on
            _LOG.warning("inputs_unavailable", shard=self.number, reason=str(error))
            self._prepare_at = now + _PREPARE_AGAIN
            self._thorough = True
            for source in self._prepared:
                self._wanted.setdefault(source.place, source)
            return
        self._thorough = False
        for intake in intakes:
            # the plan may be another one since
            self._replan(intake)
            self._intakes[intake.source.place] = intake
            self._stored.pop(intake.source.place, None)
        self._here.reader.assign((i.source.place, i.next_offset) for i in intakes)
        if intakes:
            _LOG.info("inputs_started", shard=self.number, count=len(intakes))

    def _leave(self) -> None:
        for place in [p for p in self._leaving if not self._intakes[p].changed]:
            self._leaving.discard(place)
            del self._intakes[place]

    # --- another plan -------------------------------------------------------------------------

    def _replan(self, intake: Intake) -> None:
        with self._numbers_of(intake):
            intake.replan(self._installation.plan)

    def _read_history(self, now: float) -> None:
        """Let inputs to which a plan added something catch up, one after another."""
        if self._history is None:
            intake = next((i for i in self._intakes.values() if i.history_wanted), None)
            if intake is not None and now >= self._history_at:
                self._history = (
                    intake,
                    self._here.jobs.submit(
                        read_history,
                        self._installation.kafka,
                        intake.source,
                        intake.history_wanted,
                        intake.history_end,
                        self._installation.settings.history_rows,
                    ),
                )
            return
        intake, reading = self._history
        if intake.waiting > _WAITING:
            _LOG.warning("history_given_up", input=intake.source.topic, rows=intake.waiting)
            self._history = None
            with self._numbers_of(intake):
                intake.give_history_up()
        elif reading.done():
            self._history = None
            self._grow(intake, reading, now)

    def _grow(self, intake: Intake, reading: Future[Readers], now: float) -> None:
        try:
            readers = reading.result()
        except BrokerError as error:
            _LOG.warning("history_unavailable", input=intake.source.topic, reason=str(error))
            self._history_at = now + _HISTORY_AGAIN
            return
        # yet another plan in between began another history
        wanted = intake.history_wanted
        if {stream: reader.settings for stream, reader in readers.items()} == wanted:
            with self._numbers_of(intake):
                intake.grow(readers)
            _LOG.info("history_read", input=intake.source.topic, symbols=len(readers))

    @contextmanager
    def _numbers_of(self, intake: Intake) -> Iterator[None]:
        """Remember which partition it is whose numbers are none."""
        try:
            yield
        except NumberError:
            self.uncomputable = intake.source.place
            raise

    # --- transactions ---------------------------------------------------------------------------

    def _commit(self, now: float, *, last: bool = False) -> None:
        changed = [intake for intake in self._intakes.values() if intake.changed]
        if not changed or self._producer is None:
            return
        rows = any(intake.pending for intake in changed)
        due = "everything" if last else self._schedule.due(now, rows=rows, changed=True)
        if due == "nothing":
            return
        chosen = [i for i in changed if due == "everything" or i.pending]
        drained = [self._drain(intake) for intake in chosen]
        self._schedule.written(now, due)
        self._committed = [intake.source.place for intake in chosen]
        self._committing = self._here.jobs.submit(
            _write, self._installation, self._producer, self.number, drained
        )

    def _drain(self, intake: Intake) -> Drained:
        with self._numbers_of(intake):
            drained = intake.drain()
        late = intake.late_since_told()
        if late:
            self._here.counters.late[intake.source.exchange] += late
        return drained

    def _settle(self, committing: Future[Counter[str]]) -> None:
        self._committing = None
        counters = self._here.counters
        try:
            counters.rows_out.update(committing.result())
        except BrokerError:
            counters.aborts += 1
            raise
        counters.commits += 1
        self.proven = True
        self._here.rebuild.difference_update(self._committed)

    # --- the end --------------------------------------------------------------------------------

    def finish(self, now: float) -> None:
        """Begin the last transaction, with all that changed, if none is under way.

        Raises:
            FencedError, BrokerError, NumberError: as ``turn``.
        """
        if self._committing is None:
            self._commit(now, last=True)

    def await_commit(self, timeout: float) -> None:
        """Wait a bounded time for the transaction under way, if there is one.

        Raises:
            FencedError, BrokerError: it failed.
        """
        committing = self._committing
        if committing is not None and wait([committing], timeout).done:
            self._settle(committing)

    def drop(self) -> None:
        """Give the shard up: read no more, and close the producer once no call uses it."""
        self._here.reader.unassign(list(self._intakes))
        self._intakes = {}
        self._here.counters.restores.pop(self.number, None)
        if self._opening is not None:
            self._opening.add_done_callback(_close_opened)
        elif self._committing is not None:
            self._committing.add_done_callback(lambda _: self._close())
        else:
            self._here.jobs.submit(self._close)

    def _close(self) -> None:
        if self._producer is not None:
            self._producer.close(_ABORT)


def _close_opened(opening: Future[Opened]) -> None:
    if opening.exception() is None:
        opening.result().producer.close()


def _write(
    installation: Installation,
    producer: TransactionalProducer,
    shard: int,
    drained: Sequence[Drained],
) -> Counter[str]:
    """Write one transaction; return how many rows of each channel it published.

    Raises:
        FencedError, BrokerError: as ``TransactionalProducer.write``.
    """
    written: Counter[str] = Counter()
    state_topic = installation.state_topic
    rows: list[OutRow] = []
    for part in drained:
        for event in part.rows:
            channel = "bar" if type(event) is Bar else "indicator"
            written[channel] += 1
            rows.append(_out_row(installation.topics, channel, event))
        rows += [OutRow(state_topic, shard, key, value) for key, value in part.state]
    producer.write(rows, timeout=_WRITE)
    return written


def _out_row(topics: Topics, channel: str, event: Event) -> OutRow:
    address = topics.address(channel, event.exchange, event.symbol)
    return OutRow(address.topic, address.partition, key_of(event).encode(), encode(event))
