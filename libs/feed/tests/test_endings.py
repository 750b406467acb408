"""How streams end: with their reason, in silence, or not yet."""

from __future__ import annotations

from collector_core.events import Status
from collector_feed.outputs import Send, Subscription

from .scripted import BTC, Exchange, books, trades


def live(*subscriptions: Subscription) -> Exchange:
    exchange = Exchange()
    exchange.start(*subscriptions)
    exchange.run(0.5)
    exchange.forget()
    return exchange


def test_a_stream_ends_with_its_reason() -> None:
    exchange = live(*trades(BTC), *books(BTC))
    out = exchange.session.unsubscribe(trades(BTC), exchange.time.monotonic, "delisted")
    rows = [row for row in out if isinstance(row, Status)]
    assert [(row.channel, row.state, row.reason) for row in rows] == [
        ("trade", "stopped", "delisted")
    ]


def test_without_a_reason_it_ends_in_silence() -> None:
    exchange = live(*trades(BTC))
    out = exchange.session.unsubscribe(trades(BTC), exchange.time.monotonic, None)
    assert [type(output) for output in out] == [Send]
    assert exchange.session.streams.wanted() == []


def test_candles_end_with_their_last_interval() -> None:
    minutes, hours = (Subscription("candle", BTC, interval) for interval in ("1m", "1h"))
    exchange = live(minutes, hours)
    exchange.carry(exchange.session.unsubscribe([minutes], exchange.time.monotonic))
    assert exchange.states() == []
    exchange.carry(exchange.session.unsubscribe([hours], exchange.time.monotonic))
    assert exchange.states() == ["stopped"]
