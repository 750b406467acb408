"""The trades of a frame, alone or many in one, whatever the exchange calls its fields."""

from __future__ import annotations

import json
import random

import pytest

from collector_testkit.dialects import Delivery, Request, load
from collector_testkit.dialects.carried import Carried
from collector_testkit.dialects.venue import Venue
from collector_testkit.faults import Fault
from collector_testkit.truth import TruthFault, TruthRecord, TruthTrade

START = 1_795_305_600_250_250
SECOND = 1_000_000


def venue(name: str, truth: list[TruthRecord], taker_share: float = 0.25) -> Venue:
    made = Venue(
        load(name), random.Random(5), START, rate=200.0, taker_share=taker_share,
        truth=truth.extend,
    )  # fmt: skip
    made.advance(START + 3 * SECOND)
    return made


def frame(content: object, symbol: str = "") -> Delivery:
    return Delivery(json.dumps(content).encode(), (1,), channel="trade", symbol=symbol)


@pytest.mark.parametrize("symbol", ["BTC/KRW", ""])
def test_a_frame_of_many_trades_names_them_all(symbol: str) -> None:
    truth: list[TruthRecord] = []
    made = venue("upbit", truth)
    trades = [t for t in truth if isinstance(t, TruthTrade) and t.symbol == "BTC/KRW"][-20:]
    rows = [
        {"i": trade.id, "p": float(trade.price), "v": trade.amount, "S": "Buy", "seq": 1}
        for trade in trades
    ]
    batch = {"topic": "publicTrade", "ts": 1, "data": {"events": [{"trades": rows}]}}
    carried = Carried(made.dialect, made.market)
    assert carried(frame(batch, symbol)) == tuple(trade.id for trade in trades)
    # an id by itself, or with another trade's price, is none
    assert carried(frame({"i": trades[0].id, "p": "1", "v": trades[0].amount}, symbol)) == ()
    assert carried(frame([trades[0].id, trades[0].price, trades[0].amount], symbol)) == ()
    assert carried(Delivery(b'{"cut', (1,), channel="trade", symbol=symbol)) == ()
    assert carried(Delivery(b"{}", (1,), channel="book", symbol=symbol)) == ()


def test_trades_of_later_and_of_symbols_that_are_gone() -> None:
    truth: list[TruthRecord] = []
    made = venue("upbit", truth)
    carried = Carried(made.dialect, made.market)
    assert carried(frame({}, "BTC/KRW")) == ()
    made.advance(made.now + SECOND)
    last = [t for t in truth if isinstance(t, TruthTrade) and t.symbol == "BTC/KRW"][-1]
    row = {"i": last.id, "p": last.price, "v": last.amount}
    assert carried(frame(row, "BTC/KRW")) == (last.id,)
    made.delist_symbol("BTC/KRW")
    assert carried(frame(row, "BTC/KRW")) == ()


@pytest.mark.parametrize("path", ["/ws/btcusdt@aggTrade", "/stream?streams=btcusdt@aggTrade"])
def test_an_aggregate_names_each_of_its_trades(path: str) -> None:
    truth: list[TruthRecord] = []
    made = venue("binance", truth, taker_share=0.5)
    head, _, streams = path.partition("?streams=")
    made.open(1, Request(head, {"streams": streams} if streams else {}))
    made.start(Fault("drop", channel="trade", duration=20.0))
    truth.clear()
    assert made.advance(made.now + 20 * SECOND) == []
    lost = [r.trades for r in truth if isinstance(r, TruthFault)]
    assert max(len(ids) for ids in lost) > 1
    told = [r.id for r in truth if isinstance(r, TruthTrade) and r.symbol == "BTC/USDT"]
    named = [identity for ids in lost for identity in ids]
    # the last group is sent with what follows it
    assert named == told[: len(named)]
    assert len(named) > len(told) - 10
