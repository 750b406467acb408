"""What is kept of a connection for the case of an incident, and what passes when nothing is."""

from __future__ import annotations

import random
from pathlib import Path

from collector_core.codec import decode
from collector_core.events import Event, Status, Trade
from collector_core.symbols import SymbolTable
from collector_exchanges.discovery import adapter
from collector_feed.outputs import Subscription
from collector_feed.session import Session
from collector_ingestor.incidents import Bystander, Incidents
from collector_runtime.recording import Recording, Source, read_manifest

AT = 1_790_000_000_000_000
SYMBOL = "BTC/USDT"


def trade(ident: int) -> bytes:
    return (
        f'{{"e":"trade","E":{AT // 1000},"s":"BTCUSDT","t":{ident},"p":"10.5","q":"1",'
        f'"T":{AT // 1000},"m":true}}'
    ).encode()


def session() -> Session:
    made = Session(
        adapter("binance")(SymbolTable([(SYMBOL, "BTCUSDT")])), "ws://x", random.Random(1).random
    )
    made.subscribe([Subscription("trade", SYMBOL)], 0.0)
    return made


def gap(seq: int) -> Status:
    return Status("binance", SYMBOL, None, AT, 1, seq, "gap", "trade", "trades are missing")


def test_without_a_folder_frames_and_rows_go_straight_on() -> None:
    rows: list[Event] = []
    of = session()
    nothing = Incidents(None, Source("binance", "ws://x"), 10.0).witness("c", of, rows.append)
    assert type(nothing) is Bystander
    assert nothing.take == of.on_frame
    assert nothing.publish == rows.append


async def test_the_frames_around_a_gap_are_written_with_its_row(tmp_path: Path) -> None:
    rows: list[Event] = []
    incidents = Incidents(tmp_path / "bundles", Source("binance", "ws://x"), 10.0)
    witness = incidents.witness("binance-0", session(), rows.append)
    witness.opened()
    witness.sent("subscribe")
    assert [type(row) for row in witness.take(trade(1), AT)] == [Trade]
    witness.publish(gap(7))
    witness.publish(Status("binance", SYMBOL, None, AT, 1, 8, "synced", "book"))
    witness.take(trade(3), AT + 1)
    witness.closed("gone")
    # a second end of the same socket is none
    witness.closed("gone again")
    witness.end()
    await incidents.close()
    (bundle,) = (tmp_path / "bundles").iterdir()
    assert bundle.name.endswith("-binance-0-gap")
    manifest = read_manifest(bundle)
    assert [incident.reason for incident in manifest.incidents] == ["gap"]
    assert decode(bytes(manifest.incidents[0].row)) == rows[0] == gap(7)
    said: list[str] = []
    lines = [(p.line.direction, p.line.payload) for p in Recording(bundle).lines(said.append)]
    assert said == []
    assert lines == [
        ("opened", ""),
        ("out", "subscribe"),
        ("in", trade(1).decode()),
        ("in", trade(3).decode()),
        ("closed", "gone"),
    ]


async def test_what_does_not_go_wrong_leaves_nothing(tmp_path: Path) -> None:
    incidents = Incidents(tmp_path / "bundles", Source("binance", "ws://x"), 10.0)
    witness = incidents.witness("binance-0", session(), lambda _row: None)
    witness.take(trade(1), AT)
    witness.closed("never opened")
    witness.end()
    await incidents.close()
    assert not (tmp_path / "bundles").exists()
