"""The loop of a process: lease, catalogue, shards and inputs, in one thread.

Everything that blocks (opening, provisioning, transactions) runs as a job on another thread; the
loop looks whether it is done. A turn stays far below the time after which the group gives a hung
member up, and hung work hangs the lease with it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import wait
from typing import Final

import structlog

from collector_core.errors import BrokerError, CollectorError, NumberError, SettingsError
from collector_core.records import CatalogEntry
from collector_indicator.counters import Counters
from collector_indicator.failures import retry_of
from collector_indicator.installation import Installation
from collector_indicator.jobs import Jobs
from collector_indicator.reader import Reader
from collector_indicator.settings import IndicatorSettings
from collector_indicator.shard import Circumstances, Shard
from collector_indicator.sources import Place, Source, shard_of
from collector_runtime.clock import monotonic
from collector_runtime.kafka.catalog import catalog_key, follow_catalog
from collector_runtime.kafka.lease import Lease
from collector_runtime.kafka.table import Table

__all__ = ["Worker"]

_CHUNK: Final = 5_000
"""Input rows a turn: some 20 ms of work."""
_WAIT: Final = 0.02
"""Seconds that an idle turn waits for input."""
_LOOK: Final = 0.1
"""Seconds between two looks at the catalogue."""
_FOLLOW: Final = 10.0
"""Seconds within which the catalogue must be readable at the start."""
_BACKLOG: Final = 20_000
"""Rows of one shard waiting for their transaction, at which reading pauses."""
_RELEASE: Final = 2.0
"""Seconds for the last transactions of shards that are taken from us."""
_LEAVE: Final = 3.0
_SLOW: Final = 10.0
"""Seconds without a turn after which the process does not call itself ready."""
_MOST_JOBS: Final = 16

_LOG: Final = structlog.get_logger("collector.indicator")


class _Held:
    """A shard that the group gave us."""

    def __init__(self, open_at: float) -> None:
        self.shard: Shard | None = None
        # when to open it, while it is not
        self.open_at = open_at
        # failures in a row
        self.failures = 0


class Worker:
    """Runs the shards that a process holds.

    Args:
        settings: what the operator wants.

    Raises:
        SettingsError: the address of Kafka or a retention is wrong.
    """

    def __init__(self, settings: IndicatorSettings) -> None:
        self.counters = Counters()
        self._settings = settings
        self._installation = Installation(settings)
        self._stopping = threading.Event()
        self._replanning = threading.Event()
        self._held: dict[int, _Held] = {}
        self._sources = self._installation.sources()
        self._by_shard: dict[int, dict[Place, Source]] = {}
        # partitions, and the shard that reads each
        self._shard_of: dict[Place, int] = {}
        # partitions with numbers that stop even a careful calculation
        self._halted: set[Place] = set()
        self._jobs = Jobs(min(settings.shards, _MOST_JOBS) + 2)
        self._here: Circumstances
        self._lease: Lease
        self._catalog: Table[CatalogEntry]
        self._look_at = 0.0
        self._turned_at = monotonic()
        self._unready: str | None = "has not joined its group yet"

    def stop(self) -> None:
        """Ask ``run`` to end; from any thread."""
        self._stopping.set()

    def reload(self) -> None:
        """Ask ``run`` to read the plan file again and follow it; from any thread."""
        self._replanning.set()

    def readiness(self) -> str | None:
        """Return why it is not doing its work, or None; from any thread."""
        late = monotonic() - self._turned_at
        return (
            f"expected a turn each second, was none for {late:.0f} s"
            if late > _SLOW
            else self._unready
        )

    def run(self) -> None:
        """Work until ``stop``; then write what is pending and give the shards back.

        Raises:
            SettingsError: the state topic has another number of shards.
            BrokerError: Kafka is unreachable at the start, or the group refuses us.
            StateError: a state cannot be continued.
        """
        self._installation.provision()
        kafka = self._installation.kafka
        with self._follow() as self._catalog:
            reader = Reader(kafka)
            self._here = Circumstances(
                self._installation, self._jobs, reader, self.counters, self._missing, set(), set()
            )
            self._take_entries(c.record for c in self._catalog.load())
            self._lease = Lease(
                kafka,
                self._installation.group,
                self._installation.state_topic,
                session_timeout=self._settings.session_timeout,
                instance_id=self._settings.instance_id,
                granted=self._granted,
                revoked=self._revoked,
                lost=self._lost,
            )
            try:
                while not self._stopping.is_set():
                    self._turn()
            finally:
                self._unready = "is stopping"
                self._revoked(list(self._held))
                # bounded, and of no consequence: without it the group waits for the session's end
                wait([self._jobs.submit(self._lease.close)], _LEAVE)
                reader.close()
        _LOG.info("stopped", commits=self.counters.commits)

    def _turn(self) -> None:
        now = monotonic()
        self._turned_at = now
        self._lease.poll()
        if now >= self._look_at:
            self._look_at = now + _LOOK
            self._take_entries(change.record for change in self._catalog.poll())
            self._unready = self._reason()
        if self._replanning.is_set():
            self._replanning.clear()
            self._replan()
        for number, held in self._held.items():
            self._advance(number, held, now)
        if any(h.shard is not None and h.shard.backlog > _BACKLOG for h in self._held.values()):
            self._stopping.wait(_WAIT)
        else:
            self._read(now)

    # --- the catalogue --------------------------------------------------------------------------

    def _follow(self) -> Table[CatalogEntry]:
        deadline = monotonic() + _FOLLOW
        while True:
            try:
                return follow_catalog(self._installation.kafka, self._installation.topics)
            except BrokerError:
                # a topic made a moment ago may have no leader yet
                if monotonic() > deadline or self._stopping.wait(_LOOK):
                    raise

    def _take_entries(self, entries: Iterable[CatalogEntry | None]) -> None:
        for entry in entries:
            source = None if entry is None else self._find(entry)
            if source is None:
                continue
            held = self._held.get(self._shard_of[source.place])
            if held is not None and held.shard is not None and source.place not in self._halted:
                held.shard.want(source)

    def _find(self, entry: CatalogEntry) -> Source | None:
        """Return the source of an entry if it is new, after noting where it belongs."""
        source = self._sources.add(entry)
        if source is not None:
            number = shard_of(source, self._settings.shards)
            self._by_shard.setdefault(number, {})[source.place] = source
            self._shard_of[source.place] = number
        return source

    def _replan(self) -> None:
        """Follow the plan as the file has it now; a wrong one is refused and changes nothing."""
        try:
            plan = self._settings.calculations()
        except SettingsError as error:
            _LOG.error("plan_refused", reason=str(error))
            return
        self._installation.plan = plan
        self._sources = self._installation.sources()
        # that of inputs which are left stays: rows of theirs may be on their way
        self._by_shard = {}
        for entry in self._catalog.rows.values():
            self._find(entry)
        for number, held in self._held.items():
            if held.shard is not None:
                wanted = self._by_shard.get(number, {})
                try:
                    held.shard.replan({p: s for p, s in wanted.items() if p not in self._halted})
                except NumberError as error:
                    self._failed(held, held.shard, error)
        _LOG.info("plan_taken", calculations=len(plan.entries), inputs=len(self._sources.by_place))

    def _missing(self, sources: Iterable[Source]) -> list[CatalogEntry]:
        rows = self._catalog.rows
        return [e for e in self._installation.entries(sources) if rows.get(catalog_key(e)) != e]

    # --- the lease ------------------------------------------------------------------------------

    def _granted(self, numbers: list[int]) -> None:
        if numbers:
            _LOG.info("shards_granted", shards=sorted(numbers))
        for number in numbers:
            self._held[number] = _Held(monotonic())

    def _revoked(self, numbers: list[int]) -> None:
        """Write what is pending, within a bound, then let go."""
        shards = self._released(numbers)
        if shards:
            _LOG.info("shards_revoked", shards=sorted(shard.number for shard in shards))
        deadline = monotonic() + _RELEASE

        def settle(shard: Shard) -> None:
            shard.await_commit(max(0.0, deadline - monotonic()))

        def finish(shard: Shard) -> None:
            shard.finish(monotonic())

        # side by side, for each transaction takes some milliseconds
        for step in (settle, finish, settle):
            shards = [shard for shard in shards if _done(step, shard)]
        for shard in shards:
            shard.drop()

    def _lost(self, numbers: list[int]) -> None:
        _LOG.warning("shards_lost", shards=numbers)
        for shard in self._released(numbers):
            shard.drop()

    def _released(self, numbers: Iterable[int]) -> list[Shard]:
        released = [held for number in numbers if (held := self._held.pop(number, None))]
        # whoever has them next finds out for itself
        gone = {p for p in self._here.rebuild if self._shard_of.get(p) not in self._held}
        self._here.rebuild.difference_update(gone)
        return [held.shard for held in released if held.shard is not None]

    # --- shards ---------------------------------------------------------------------------------

    def _advance(self, number: int, held: _Held, now: float) -> None:
        if held.shard is None:
            if now >= held.open_at:
                held.shard = Shard(number, self._here, thorough=held.failures > 0)
                for source in self._by_shard.get(number, {}).values():
                    if source.place not in self._halted:
                        held.shard.want(source)
            return
        try:
            held.shard.turn(now)
        except CollectorError as error:
            self._failed(held, held.shard, error)
        else:
            if held.shard.proven:
                held.failures = 0

    def _failed(self, held: _Held, shard: Shard, error: CollectorError) -> None:
        """Give a shard up, and plan when to open it again.

        Raises:
            StateError: and whatever else no repetition mends.
        """
        shard.drop()
        held.shard = None
        retry = retry_of(error, held.failures)
        if retry is None:
            raise error
        if isinstance(error, NumberError) and shard.uncomputable is not None:
            self._beware(shard.uncomputable, error)
        _LOG.warning("shard_failed", shard=shard.number, reason=str(error), again=retry.delay)
        held.failures = retry.failures
        held.open_at = monotonic() + retry.delay

    def _beware(self, place: Place, error: NumberError) -> None:
        if place in self._here.careful:
            self._halted.add(place)
            _LOG.error("input_halted", topic=place[0], partition=place[1], reason=str(error))
        self._here.careful.add(place)

    def _read(self, now: float) -> None:
        reader = self._here.reader
        for run in reader.read(_CHUNK, _WAIT):
            held = self._held.get(self._shard_of[run.place])
            if held is None or held.shard is None:
                continue
            try:
                held.shard.take(run)
            except NumberError as error:
                self._failed(held, held.shard, error)
        for place in reader.gone:
            self._rebuild(place, now)

    def _rebuild(self, place: Place, now: float) -> None:
        """Begin a partition anew whose stored offset is before its first row or past its last."""
        _LOG.warning("input_gone", topic=place[0], partition=place[1])
        self._here.rebuild.add(place)
        held = self._held.get(self._shard_of[place])
        if held is not None and held.shard is not None:
            held.shard.drop()
            held.shard = None
            held.open_at = now

    def _reason(self) -> str | None:
        if not self._lease.joined:
            return "has not joined its group yet"
        behind = [n for n, h in self._held.items() if h.shard is None or not h.shard.running]
        if behind:
            return f"expected {len(self._held)} shards to run, was without {len(behind)}"
        if self._halted:
            topic, partition = min(self._halted)
            return f"halted by a number in {len(self._halted)} inputs, {topic} [{partition}] first"
        return None


def _done(step: Callable[[Shard], None], shard: Shard) -> bool:
    """Take a step of a shard's end; tell whether it did not fail."""
    try:
        step(shard)
    except CollectorError as error:
        # its heir reads those rows again
        _LOG.warning("last_rows_dropped", shard=shard.number, reason=str(error))
        shard.drop()
        return False
    return True
