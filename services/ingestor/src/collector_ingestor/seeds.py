"""What the bus holds already of the streams that are about to open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import structlog

from collector_core.codec import decode
from collector_core.errors import CodecError
from collector_core.events import Candle, Clock, Event, Trade
from collector_core.topics import PER_EXCHANGE, Topics
from collector_feed.numbering import channel_of
from collector_feed.recent_trades import TradeSeed
from collector_feed.trade_fill import content
from collector_runtime.kafka.connection import KafkaSettings
from collector_runtime.kafka.tail import Place, TailRow, last_rows

__all__ = ["Previous", "previous_rows"]

_BACK: Final = 1_000
"""Rows looked back over in a topic; a stream without a row in them has no known past."""
_FURTHER: Final = (4 * _BACK, 16 * _BACK)
"""Likewise in a partition in which others have gone on: what some processes write in 10 s."""
_TRADE: Final = b'{"type":"trade"'
_CLOSED: Final = b'"closed":true'

_LOG: Final = structlog.get_logger("collector.seeds")


class Previous(NamedTuple):
    """Where a stream left off; ``trades`` and ``candles`` only for those channels."""

    epoch: int
    seq: int
    trades: TradeSeed | None
    candles: dict[str, int]
    """By interval the end of the last closed candle."""


def previous_rows(
    settings: KafkaSettings,
    topics: Topics,
    exchange: str,
    streams: Iterable[tuple[str, str]],
    *,
    crowded: bool = False,
) -> dict[tuple[str, str], Previous]:
    """Return where each (channel, symbol) left off; those without a past are left out.

    Args:
        settings: where Kafka is.
        topics: their names.
        exchange: whose streams.
        streams: channel and symbol of each.
        crowded: others have gone on writing to the partitions; look further back for what is not
            among the last rows.

    Raises:
        BrokerError: the topics cannot be read.
    """
    wanted: dict[Place, list[tuple[str, str]]] = {}
    for channel, symbol in streams:
        address = topics.address(channel, exchange, symbol)
        wanted.setdefault((address.topic, address.partition), []).append((channel, symbol))
    rows: dict[Place, list[TailRow]] = {}
    for enough, places in _groups(topics, wanted).items():
        rows |= last_rows(settings, places, _BACK, enough=enough, committed=False)
    found: dict[tuple[str, str], Previous] = {}
    for place, here in wanted.items():
        found |= _read(rows.get(place, ()), here)
    for back in _FURTHER if crowded and topics.layout == "keyed" else ():
        lacking = {
            place: here
            for place, here in wanted.items()
            if here[0][0] not in PER_EXCHANGE
            and len(rows.get(place, ())) >= _BACK
            and not all(_known(found.get(stream)) for stream in here)
        }
        if lacking:
            for place, more in last_rows(settings, lacking, back, committed=False).items():
                found |= _read(more, lacking[place])
    return found


def _groups(
    topics: Topics, wanted: Mapping[Place, Sequence[tuple[str, str]]]
) -> dict[Callable[[Sequence[TailRow]], bool] | None, list[Place]]:
    # a topic of one symbol tells with its very last row, its trades with the last trade; a
    # partition of several symbols has to be read as far as the bound goes
    groups: dict[Callable[[Sequence[TailRow]], bool] | None, list[Place]] = {}
    for place, streams in wanted.items():
        if topics.layout == "keyed" or streams[0][0] in PER_EXCHANGE:
            groups.setdefault(None, []).append(place)
        elif streams[0][0] == "trade":
            groups.setdefault(_has_trade, []).append(place)
        elif streams[0][0] == "candle":
            groups.setdefault(_has_closed, []).append(place)
        else:
            groups.setdefault(bool, []).append(place)
    return groups


def _known(previous: Previous | None) -> bool:
    # a trade stream's last rows may be status rows alone, which do not tell of its last trade
    return previous is not None and (previous.trades is None or previous.trades.time is not None)


def _has_trade(rows: Sequence[TailRow]) -> bool:
    return any(row.value is not None and row.value.startswith(_TRADE) for row in rows)


def _has_closed(rows: Sequence[TailRow]) -> bool:
    return any(row.value is not None and _CLOSED in row.value for row in rows)


def _read(
    rows: Sequence[TailRow], streams: Sequence[tuple[str, str]]
) -> Mapping[tuple[str, str], Previous]:
    last: dict[tuple[str, str], Event] = {}
    trades: dict[str, list[Trade]] = {}
    clocks: dict[str, int] = {}
    candles: dict[str, dict[str, int]] = {}
    of_status = streams[0][0] == "status"
    for row in rows:
        if row.value is None:
            continue
        try:
            event = decode(row.value)
        except CodecError as error:
            # somebody else's row in our topic says nothing of where we left off
            _LOG.warning("foreign_row", offset=row.offset, error=str(error))
            continue
        # a row of the exchange's status topic is of that stream, whatever channel it tells of
        stream = "status" if of_status else channel_of(event), event.symbol
        if stream not in streams:
            continue
        last.setdefault(stream, event)
        if isinstance(event, Trade):
            trades.setdefault(event.symbol, []).append(event)
        elif isinstance(event, Clock):
            clocks.setdefault(event.symbol, event.time)
        elif isinstance(event, Candle) and event.closed:
            ends = candles.setdefault(event.symbol, {})
            ends[event.interval] = max(event.close_time, ends.get(event.interval, 0))
    return {
        stream: Previous(
            event.epoch,
            event.seq,
            _seed(trades.get(stream[1], []), clocks.get(stream[1]))
            if stream[0] == "trade"
            else None,
            candles.get(stream[1], {}) if stream[0] == "candle" else {},
        )
        for stream, event in last.items()
    }


def _seed(newest_first: list[Trade], clock: int | None) -> TradeSeed:
    ids = tuple(t.id for t in reversed(newest_first) if t.id is not None)
    times = [t.exchange_time or t.receive_time or 0 for t in newest_first]
    if clock is not None:
        times.append(clock)
    contents = tuple(content(t) for t in reversed(newest_first) if t.id is not None)
    return TradeSeed(ids, max(times, default=None), contents)
