"""Recorded minutes that go on without a hole, and the verdict over what was seen."""

from __future__ import annotations

import pytest
from bench.processes import Failed
from bench.soak import Load, parse_load
from bench.soak_frames import ROUND, Round, name, record
from bench.soak_watch import Sample, line, verdict

from collector_core.events import Book, Candle, Event, Status, Ticker, Trade
from collector_core.symbols import SymbolTable
from collector_exchanges.discovery import adapter as adapter_of
from collector_feed.outputs import BookSnapshot, Undecodable
from collector_feed.pipeline import Pipeline

MODELS = 2
AT = 1_795_305_600_000_000


@pytest.fixture(scope="module", params=["binance", "upbit"])
def minute(request: pytest.FixtureRequest) -> Round:
    """Return a minute of 6 frames a second of each of two symbols, or more where books ask."""
    each = 30.0 if request.param == "binance" else 6.0
    return record(request.param, MODELS, each, 100.0)


def pipeline_of(minute: Round) -> Pipeline:
    """Return a pipeline that wants trades and books of the models."""
    kind = adapter_of(minute.exchange)
    names = [wire.decode() for wire in minute.names]
    pipeline = Pipeline(kind(SymbolTable((kind.read_symbol(n), n) for n in names)))
    for number in range(MODELS):
        symbol = name(-1 - number, minute.exchange)
        pipeline.open_trades(symbol)
        pipeline.open_book(symbol)
        for channel in ("trade", "book"):
            pipeline.begin(channel, symbol, AT, [])
    return pipeline


def rows_of(minute: Round, rounds: int) -> list[Event | Undecodable]:
    """Return the rows of a few rounds; books that need a snapshot get it in the middle."""
    pipeline = pipeline_of(minute)
    rows: list[Event | Undecodable] = []
    for number in range(rounds):
        for place, template in enumerate(minute.templates):
            now = AT + number * ROUND + template.offset
            if number == 0 and place == len(minute.templates) // 2 and minute.books:
                for model in range(MODELS):
                    request = pipeline.adapter.book(name(-1 - model, minute.exchange))
                    answer = request.parse(minute.snapshot(model, number, place), now)
                    assert isinstance(answer, BookSnapshot)
                    rows += pipeline.on_snapshot(answer, now)
            moves = minute.moves(template.model, number, number * ROUND // 1000)
            rows += pipeline.on_frame(template.frame(*moves), now)
    return rows


def test_rounds_go_on_without_a_hole(minute: Round) -> None:
    rounds = 3
    rows = rows_of(minute, rounds)
    assert [r for r in rows if isinstance(r, Undecodable)] == []
    broken = [r for r in rows if isinstance(r, Status) and r.state not in {"synced", "resyncing"}]
    assert broken == []
    for number in range(MODELS):
        own = [
            r
            for r in rows
            if isinstance(r, Event) and r.symbol == name(-1 - number, minute.exchange)
        ]
        assert sum(isinstance(r, Status) and r.state == "synced" for r in own) == 1
        ids = [r.id for r in own if isinstance(r, Trade)]
        assert len(ids) == len(set(ids)) == rounds * minute.trades[number] > 0
        times = [r.exchange_time or 0 for r in own if isinstance(r, Trade)]
        assert times == sorted(times)
        assert times[-1] - times[0] > (rounds - 1) * ROUND
        opened = [r.open_time for r in own if isinstance(r, Candle)]
        assert opened == sorted(opened)
        assert max(opened) - min(opened) >= (rounds - 1) * ROUND
        assert {Book, Ticker} <= {type(r) for r in own}


def test_names_are_of_one_length() -> None:
    for exchange in ("binance", "upbit"):
        assert len({len(name(number, exchange)) for number in (-1, -10, 0, 499)}) == 1


def test_more_frames_than_the_market_makes_are_refused() -> None:
    with pytest.raises(Failed, match="frames of upbit a minute, was 1200000"):
        record("upbit", 2, 10_000.0, 5.0)


def test_a_load_is_read() -> None:
    assert parse_load("upbit:500:keyed:12000") == Load("upbit", 500, "keyed", 12_000)


def samples(**last: float) -> list[Sample]:
    """Return ten minutes in which all is well, but for the last two, which have ``last``."""
    found = []
    for number in range(61):
        at = number * 10.0
        rows = number * 10_000
        fields: dict[str, object] = {
            "at": at, "frames": rows, "late": 0.0, "waiting": 0, "received": rows, "rows": rows,
            "delivered": rows, "memory": 100_000_000, "cpu": at / 2, "gaps": 0, "losses": 0,
            "undecodable": 0, "settled": at >= 30, "buckets": {"0.001": number, "+Inf": number},
        }  # fmt: skip
        if at >= 480:
            fields |= last
        found.append(Sample(**fields))  # type: ignore[arg-type]  # one of each kind, as above
    return found


def test_a_steady_load_holds() -> None:
    figures, wrong = verdict(samples())
    assert wrong == []
    assert figures[0] == "over 450 s: 1,000 frames/s, 1,000 rows/s, 50 % of a core"


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        ({"memory": 102_100_000}, "expected memory"),
        ({"memory": 97_000_000}, "expected memory"),
        ({"late": 0.6}, "growth of the lag"),
        ({"waiting": 5_000_000}, "growth of the lag"),
        ({"delivered": 400_000}, "growth of the queue"),
        ({"gaps": 1}, "expected no gap"),
        ({"losses": 1}, "expected no lost connection"),
        ({"undecodable": 1}, "expected no undecodable frame"),
    ],
)
def test_what_grows_or_breaks_is_said(last: dict[str, float], reason: str) -> None:
    wrong = verdict(samples(**last))[1]
    assert len(wrong) == 1
    assert reason in wrong[0]


def test_what_never_settled_or_was_too_short_is_no_proof() -> None:
    assert verdict([s for s in samples() if s.at < 30])[1] == [
        "not every book was whole before the end"
    ]
    assert verdict(samples()[:20])[1] == [
        "expected at least 12 looks after two whole minutes, was 5"
    ]


def test_a_line_has_the_rates_between_two_looks() -> None:
    before, now = samples()[5:7]
    text = line("upbit 500 keyed", before, now)
    assert "1,000 frames/s sent" in text
    assert "p50 <1 p99 <1 ms" in text
    assert "50 % CPU" in text
