"""Every exchange's ingestor over a simulated exchange and a real Kafka, held against the truth."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from collector_core.codec import decode_record
from collector_core.events import Book, Candle, Event, Instrument, Ticker, Trade
from collector_core.records import DeadLetter
from collector_exchanges.discovery import adapter
from collector_testkit.broker import Broker
from collector_testkit.eventually import eventually
from collector_testkit.rows import read_raw
from tests.e2e.ingestor import ledger
from tests.e2e.ingestor.stage import EXCHANGES, PATIENCE, Stage, staged

pytestmark = [pytest.mark.broker, pytest.mark.e2e]

KINDS: dict[str, type[Event]] = {
    "ticker": Ticker,
    "book": Book,
    "candle": Candle,
    "instrument": Instrument,
}


def has(stage: Stage, channel: str, symbol: str) -> bool:
    return any(isinstance(row, KINDS[channel]) for row in stage.rows(channel, symbol))


def has_interval(stage: Stage, interval: str) -> bool:
    rows = stage.rows("candle", stage.symbols[0])
    return any(isinstance(row, Candle) and row.interval == interval for row in rows)


@pytest.mark.parametrize("name", EXCHANGES)
def test_every_channel_flows_and_every_trade_is_one_row(
    name: str, broker: Broker, prefix: str, tmp_path: Path
) -> None:
    # a past that holds the end of each interval below, the longest of which is 10 minutes
    with staged(name, broker, prefix, tmp_path, rate=200, preroll=700) as stage:
        candles = stage.spec.channels["candle"]
        # one interval that is pushed and one that is fetched, where there are both
        intervals = [*candles.intervals[:1], *candles.polled[:1]]
        with stage.ingestor(COLLECTOR_INTERVALS=",".join(intervals)) as service:
            stage.flows(100)
            for channel in KINDS:
                for symbol in stage.symbols:
                    what = f"rows of the {channel} of {symbol}"
                    eventually(partial(has, stage, channel, symbol), what, timeout=PATIENCE)
            for interval in intervals:
                what = f"candles of {interval}"
                eventually(partial(has_interval, stage, interval), what, timeout=PATIENCE)
            assert service.terminate() == 0
        for symbol in stage.symbols:
            rows = stage.whole(symbol)
            assert ledger.states(rows) == ["started", "subscribed", "stopped"]
            for channel in KINDS:
                ledger.stream_whole(stage.rows(channel, symbol))


@pytest.mark.parametrize("name", EXCHANGES)
def test_killed_under_load_and_started_again(
    name: str, broker: Broker, prefix: str, tmp_path: Path
) -> None:
    # Some exchanges tell their newest trades alone (Bybit 60): at 200/s on a busy machine these are
    # already all younger than the first live one, and nothing of the hole can be had.
    forgets = adapter(name).spec.channels["trade"].history == "recent"
    rate, count = (20, 30) if forgets else (200, 100)
    with staged(name, broker, prefix, tmp_path, rate=rate) as stage:
        with stage.ingestor(COLLECTOR_CHANNELS="trade,book") as service:
            stage.flows(count)
            service.kill()
        with stage.ingestor(COLLECTOR_CHANNELS="trade,book") as service:
            stage.flows(count)
            assert service.terminate() == 0
        for symbol in stage.symbols:
            rows = stage.whole(symbol)
            # the second ``started`` names the last row before it: stream_whole has compared them
            assert ledger.states(rows).count("started") == 2
            assert any(isinstance(row, Trade) and row.backfilled for row in rows)
            ledger.stream_whole(stage.rows("book", symbol))
            ledger.stream_whole(stage.rows("status", symbol))


@pytest.mark.parametrize("name", EXCHANGES)
def test_faults_of_frames_are_healed_or_named(
    name: str, broker: Broker, prefix: str, tmp_path: Path
) -> None:
    """Dropped, doubled, reordered and corrupt frames of trades, one kind after another."""
    with staged(name, broker, prefix, tmp_path, rate=200) as stage:
        with stage.ingestor(COLLECTOR_CHANNELS="trade") as service:
            stage.flows(30)
            for kind in ("drop", "double", "reorder", "corrupt"):
                stage.exchange.control("fault", kind=kind, channel="trade", count=3)
                stage.flows(50)
            assert service.terminate() == 0
        for symbol in stage.symbols:
            rows = stage.trades(symbol)
            ledger.stream_whole(rows)
            truth = stage.truth(symbol)
            told = ledger.account(rows, truth, rest_ids=stage.spec.rest_trade_ids)
            if stage.spec.channels["trade"].loss == "at_once":
                # seen by their neighbours, and fetched
                assert told.missing == []
                assert ledger.unmissed(rows, told.missing) == set()
            else:
                # found by an audit alone, which comes later than this test waits
                assert {trade.id for trade in told.missing} <= stage.hit(symbol)
        raw = read_raw(broker.bootstrap_servers, [(f"{stage.topics.prefix}.dead-letter.{name}", 0)])
        letters = [decode_record(value, DeadLetter) for _, value in raw]
        assert len(letters) == 3
        assert all(letter.exchange == name and letter.frame for letter in letters)
