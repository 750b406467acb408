"""Opening a shard and its inputs: the calls that block, for threads of their own.

The order is what makes it exact (docs/adr/0040): the producer inits, which ends what an earlier
owner left and fences it; only then the state is read, to its end; only then the inputs are
assigned, at the offsets that stand in the state.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

import structlog

from collector_core.errors import StateError
from collector_core.events import Event
from collector_core.records import CatalogEntry
from collector_indicator.history import read_history
from collector_indicator.installation import Installation
from collector_indicator.intake import Intake, decode_all
from collector_indicator.rebuild import Rebuild, last_closes
from collector_indicator.sources import Place, Source, Stream, outputs_of
from collector_indicator.state_rows import Stored, StoredStates
from collector_indicators.plan import INPUTS
from collector_runtime.clock import monotonic
from collector_runtime.kafka.restore import read_to_end
from collector_runtime.kafka.tail import last_rows
from collector_runtime.kafka.transactions import TransactionalProducer

__all__ = ["Opened", "Order", "open_shard", "prepare"]

_BACK: Final = 2_000
"""Published rows looked back over for the last closes of a stream without state."""
_INIT: Final = 15.0
_READ: Final = 60.0

_LOG: Final = structlog.get_logger("collector.indicator")


class Opened(NamedTuple):
    """A shard that is ours, and what is stored of it."""

    producer: TransactionalProducer
    stored: dict[Place, Stored]
    seconds: float


class Order(NamedTuple):
    """What ``prepare`` is to do."""

    sources: Sequence[Source]
    stored: Mapping[Place, Stored]
    missing: Sequence[CatalogEntry]
    """Of the outputs, those that the catalogue does not have yet."""
    rebuild: Collection[Place]
    """Partitions whose input at the stored offset is gone."""
    careful: Collection[Place]
    """Partitions with a row whose numbers are none."""


def open_shard(installation: Installation, shard: int) -> Opened:
    """Take a shard over and read its state.

    Raises:
        FencedError: another process took it over while we did.
        BrokerError: not in time, or refused.
        StateError: a row of the state topic is none of ours.
    """
    begun = monotonic()
    producer = TransactionalProducer.open(
        installation.kafka, installation.transactional_id(shard), timeout=_INIT
    )
    try:
        states = StoredStates()
        read_to_end(
            installation.kafka, installation.state_topic, shard, states.visit, timeout=_READ
        )
        stored = states.by_place()
    except BaseException:
        producer.close()
        raise
    return Opened(producer, stored, monotonic() - begun)


def prepare(installation: Installation, order: Order) -> list[Intake]:
    """Make the outputs of new inputs, and the inputs' calculations as they stood.

    Raises:
        BrokerError: topics or catalogue entries could not be made, or published rows not read.
        StateError: a state cannot be continued.
    """
    made = installation.announce(order.missing) if order.missing else frozenset()
    begin_anew = [
        source
        for source in order.sources
        if source.place in order.rebuild or source.place not in order.stored
    ]
    rebuilds = _rebuilds(installation, begin_anew, made)
    return [
        _intake(installation, source, order, rebuilds.get(source.place, {}))
        for source in order.sources
    ]


def _intake(
    installation: Installation,
    source: Source,
    order: Order,
    rebuilds: Mapping[tuple[str, str], Rebuild],
) -> Intake:
    def create() -> Intake:
        return Intake(source, installation.plan, rebuilds)

    intake = create()
    stored = order.stored.get(source.place)
    if stored is not None and source.place in order.rebuild:
        intake.discard(stored)
    elif stored is not None:
        try:
            intake.restore(stored)
        except StateError as error:
            where = f"{source.topic} [{source.partition}]"
            if not installation.settings.rebuild:
                raise StateError(
                    f"state of {where}: {error} (COLLECTOR_REBUILD=true builds it anew from the "
                    f"rows that the topic still has)"
                ) from error
            _LOG.warning("state_discarded", input=where, reason=str(error))
            made: frozenset[str] = frozenset()
            rebuilds = _rebuilds(installation, [source], made).get(source.place, {})
            intake = create()
            intake.discard(stored)
    wanted = intake.history_wanted
    if wanted:
        rows = installation.settings.history_rows
        intake.grow(read_history(installation.kafka, source, wanted, intake.history_end, rows))
    intake.careful = source.place in order.careful
    return intake


def _rebuilds(
    installation: Installation, sources: Sequence[Source], made: Collection[str]
) -> dict[Place, dict[tuple[str, str], Rebuild]]:
    """Return what begins over rows that are published already, by input partition and symbol."""
    places: dict[Place, list[tuple[Source, Stream]]] = {}
    for source in sources:
        for stream in outputs_of(source):
            address = installation.topics.address(*stream)
            if address.topic not in made:
                place = address.topic, address.partition
                places.setdefault(place, []).append((source, stream))
    if not places:
        return {}
    published: dict[tuple[Source, str], list[Event]] = {}
    for place, rows in last_rows(installation.kafka, places, _BACK).items():
        events = decode_all([row.value for row in rows])
        for source, (_, _, symbol) in places[place]:
            published.setdefault((source, symbol), []).extend(
                event
                for event in events
                if event.symbol == symbol and event.exchange == source.exchange
            )
    found: dict[Place, dict[tuple[str, str], Rebuild]] = {}
    for (source, symbol), events in published.items():
        closes = last_closes(events, INPUTS[source.channel])
        if closes:
            _LOG.warning("rebuilding", exchange=source.exchange, symbol=symbol, input=source.topic)
            found.setdefault(source.place, {})[source.exchange, symbol] = Rebuild(closes)
    return found
