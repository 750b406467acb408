"""Kraken's recorded book through the pipeline: 510 frames in a row, each with its checksum.

There is no whole session of Kraken, but these frames of one subscription of ten levels. Their
numbers went through floats at the source, so the zeros at their ends are gone; the pair had one
decimal of a price and eight of an amount.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import msgspec
import pytest

from collector_core.events import Book, Event, Level, Status
from collector_core.symbols import SymbolTable
from collector_exchanges.kraken.adapter import KrakenAdapter
from collector_feed.pipeline import Pipeline
from collector_testkit.captures import tree, written_out

from .replaying import NaiveBook, values

pytestmark = pytest.mark.captures

# no connection was recorded, but the frames of a book
SESSIONS: Final = ()
RECORDED: Final = "kraken/samples-python-kraken-sdk/v2-book.jsonl"
SYMBOL: Final = "BTC/USD"
DEPTH: Final = 10
DECIMALS: Final = (1, 8)
INSTRUMENTS: Final = (
    b'{"channel":"instrument","type":"snapshot","data":{"assets":[],"pairs":[{"symbol":"BTC/USD",'
    b'"price_precision":1,"qty_precision":8}]}}'
)


class TenLevels(KrakenAdapter):
    """The adapter as it would be with the depth of the recording."""

    spec = msgspec.structs.replace(KrakenAdapter.spec, book_depth=DEPTH)


@pytest.fixture
def frames(captures: Path) -> list[bytes]:
    return (captures / RECORDED).read_bytes().splitlines()


def pipeline_of(*, precisions: bool = True) -> Pipeline:
    adapter = TenLevels(SymbolTable(fallback=KrakenAdapter.read_symbol))
    pipeline = Pipeline(adapter, accept_any=True)
    if precisions:
        assert pipeline.on_frame(INSTRUMENTS, None) == []
    return pipeline


def levels_of(side: list[dict[str, str]]) -> list[Level]:
    return [(written_out(level["price"]), written_out(level["qty"])) for level in side]


def crc_of(book: NaiveBook) -> int:
    """Return the checksum of a book by its definition, with decimal numbers."""
    bids, asks = book.levels()
    digits = ""
    for levels in (asks[:10], bids[:10]):
        for level in levels:
            for number, decimals in zip(level, DECIMALS, strict=True):
                digits += format(Decimal(number), f".{decimals}f").replace(".", "").lstrip("0")
    return crc32(digits.encode())


def cut(book: NaiveBook) -> None:
    bids, asks = book.levels()
    book.replace(bids[:DEPTH], asks[:DEPTH])


def test_the_recording_is_one_snapshot_and_its_updates(frames: list[bytes]) -> None:
    trees = [tree(frame) for frame in frames]
    assert len(trees) == 510
    assert [frame["type"] for frame in trees] == ["snapshot", *["update"] * 509]
    assert {(f["channel"], len(f["data"]), f["data"][0]["symbol"]) for f in trees} == {
        ("book", 1, SYMBOL)
    }


def test_every_frame_is_one_row_digit_for_digit_and_no_checksum_is_wrong(
    frames: list[bytes],
) -> None:
    pipeline = pipeline_of()
    synced, first = pipeline.on_frame(frames[0], 1)
    assert isinstance(synced, Status)
    assert synced.state == "synced"
    data = tree(frames[0])["data"][0]
    assert values(first, "kind", "bids", "asks", "exchange_time", "venue_sequence") == (
        *("snapshot", levels_of(data["bids"]), levels_of(data["asks"])),
        *(None, None),
    )
    for frame in frames[1:]:
        (row,) = pipeline.on_frame(frame, 1)
        assert isinstance(row, Book)
        assert (row.kind, row.symbol, row.venue_sequence) == ("delta", SYMBOL, None)
        data = tree(frame)["data"][0]
        for published, side in ((row.bids, data["bids"]), (row.asks, data["asks"])):
            told = [(p, a if Decimal(a) else "0") for p, a in levels_of(side)]
            assert published[: len(told)] == told
            # what a reader has to drop beside what Kraken says: it fell out of the depth
            assert {amount for _, amount in published[len(told) :]} <= {"0"}
    (stream,) = dict(pipeline.books()).values()
    assert (stream.gaps, stream.resyncs, stream.outdated) == (0, 0, 0)


def test_books_equal_plain_dicts_and_what_readers_hold_at_every_frame(frames: list[bytes]) -> None:
    pipeline = pipeline_of()
    plain, reader = NaiveBook(), NaiveBook()
    for frame in frames:
        data = tree(frame)["data"][0]
        bids, asks = levels_of(data["bids"]), levels_of(data["asks"])
        if tree(frame)["type"] == "snapshot":
            plain.replace(bids, asks)
        else:
            plain.apply(bids, asks)
            cut(plain)
        assert crc_of(plain) == int(data["checksum"])
        for row in pipeline.on_frame(frame, 1):
            if isinstance(row, Book):
                reader.take(row)
        held = dict(pipeline.books())[SYMBOL].book.depth(10 * DEPTH)
        assert plain.levels() == held
        assert plain.levels() == reader.levels()
        assert not plain.crossed()


def test_a_lost_frame_is_seen(frames: list[bytes]) -> None:
    seen = 0
    for lost in range(1, 500, 25):
        pipeline = pipeline_of()
        for frame in frames[:lost]:
            assert pipeline.on_frame(frame, 1)
        told: list[str] = []
        for frame in frames[lost + 1 :]:
            told += [r.state for r in pipeline.on_frame(frame, 1) if isinstance(r, Status)]
        assert told in ([], ["book_invalid", "resyncing"])
        seen += bool(told)
        if not told:
            # it changed nothing that was still there at the next frame
            skipped = dict(pipeline.books())[SYMBOL].book.depth(DEPTH)
            whole = pipeline_of()
            for frame in frames:
                whole.on_frame(frame, 1)
            assert skipped == dict(whole.books())[SYMBOL].book.depth(DEPTH)
    assert seen >= 18


def test_without_the_decimals_nothing_is_checked_and_nothing_is_in_doubt(
    frames: list[bytes],
) -> None:
    pipeline = pipeline_of(precisions=False)
    rows: list[Any] = [row for frame in frames for row in pipeline.on_frame(frame, 1)]
    assert [row.state for row in rows if isinstance(row, Status)] == ["synced"]


def test_rows_carry_the_times_of_their_frames(frames: list[bytes]) -> None:
    pipeline = pipeline_of()
    times = []
    for number, frame in enumerate(frames):
        for row in pipeline.on_frame(frame, number):
            assert isinstance(row, Event)
            assert row.receive_time == number
            if isinstance(row, Book) and row.kind == "delta":
                times.append(row.exchange_time or 0)
    # Kraken's own, in microseconds, each later than the one before
    assert times == sorted(set(times))
    assert times[0] == 1_690_730_998_343_415
