"""All that is asked of a played plan, and what of it does not hold."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from decimal import Decimal

from collector_core.codec import encode
from collector_core.events import Event, Status, Ticker
from collector_core.topics import Topics
from collector_feed.numbering import Numbering, channel_of

from .books import judge_books
from .plan import Plan, draw
from .play import Played, play
from .shown import levels_of
from .trades import judge_trades

__all__ = ["digest", "judge", "try_seed"]

_REFUSING = frozenset({"reject", "no_ack"})
_SHOWN = 4
"""Violations of one stream that are told."""


def try_seed(exchange: str, seed: int) -> list[str]:
    """Play a seed; return what does not hold, nothing if all does."""
    return judge(play(draw(exchange, seed)))


def judge(played: Played) -> list[str]:
    """Return what does not hold of a played plan."""
    plan, rig = played.plan, played.rig
    topics: dict[tuple[str, str], list[Event]] = defaultdict(list)
    # what the sessions say when they stop comes after what is judged
    for row in rig.rows[: played.end]:
        topics[channel_of(row), row.symbol].append(row)
    wrong: list[str] = []
    for symbol in plan.symbols:
        trades = topics["trade", symbol]
        wrong += _of(f"trade {symbol}", judge_trades(plan.exchange, symbol, trades, rig.truth))
        wrong += _of(f"book {symbol}", _books(played, symbol, topics["book", symbol]))
        if "ticker" in plan.channels:
            wrong += _of(f"ticker {symbol}", _tickers(played, symbol, topics["ticker", symbol]))
    refused = {(row.channel, row.symbol) for row in rig.of(Status) if row.state == "rejected"}
    if refused and not any(fault.kind in _REFUSING for _, fault in plan.faults):
        wrong.append(f"expected no rejection, was one of {sorted(refused)}")
    wrong += [
        f"expected {stream} to be whole at the end, was not"
        for stream in played.unwell
        if tuple(stream.split()) not in refused
    ]
    wrong += sorted(played.overfull)
    wrong += _dead_letters(played)
    wrong += _numbers(played)
    return wrong


def _of(stream: str, wrong: list[str]) -> list[str]:
    told = [f"{stream}: {text}" for text in wrong[:_SHOWN]]
    return [*told, f"{stream}: and {len(wrong) - _SHOWN} more"] if len(wrong) > _SHOWN else told


def _books(played: Played, symbol: str, rows: list[Event]) -> list[str]:
    plan = played.plan
    judge = judge_books(plan.exchange, rows, played.shown)
    wrong = judge.wrong
    if judge.rejected:
        return wrong
    if not judge.good:
        wrong.append("expected a book at the end, was none that is said to be right")
    else:
        market = played.rig.venue.market.symbol(symbol)
        if not judge.agrees(levels_of(market, plan.exchange)):
            wrong.append("expected the exchange's book at the end, was another")
    return wrong


def _tickers(played: Played, symbol: str, rows: list[Event]) -> list[str]:
    tickers = [row for row in rows if isinstance(row, Ticker)]
    states = [row.state for row in rows if isinstance(row, Status)]
    if "rejected" in states:
        return []
    last = played.rig.trades(symbol)[-1]
    if not tickers:
        return ["expected tickers, was none"]
    told = tickers[-1].last
    if told is None or Decimal(told) != Decimal(last.price):
        return [f"expected {last.price} as last price at the end, was {told}"]
    return []


def _dead_letters(played: Played) -> list[str]:
    buried = Counter(letter.frame for letter in played.undecodable)
    heard = Counter(played.unreadable)
    return [
        f"expected {heard[frame]} dead letters of {frame[:60]!r}, was {buried[frame]}"
        for frame in sorted({*buried, *heard})
        if buried[frame] != heard[frame]
    ]


def _numbers(played: Played) -> list[str]:
    """Publish the rows and read them as a consumer who wants to miss nothing."""
    numbering = Numbering(1, Topics())
    numbers: dict[tuple[str, str], int] = defaultdict(int)
    wrong = []
    for row in played.rig.rows:
        channel = channel_of(row)
        stream = numbering.open(channel, row.exchange, row.symbol)
        if isinstance(row, Status):
            numbering.stamp_in(row, stream)
        else:
            numbering.stamp(row)
        numbers[channel, row.symbol] += 1
        if (row.epoch, row.seq) != (1, numbers[channel, row.symbol]):
            wrong.append(f"expected seq {numbers[channel, row.symbol]} in {channel}, was {row.seq}")
    return wrong[:_SHOWN]


def digest(plan: Plan) -> str:
    """Return a digest of every row, dead letter and message that a plan leads to."""
    played = play(plan)
    found = hashlib.sha256()
    for row in played.rig.rows:
        found.update(encode(row))
    for output in played.rig.outputs:
        found.update(str(output).encode() if not hasattr(output, "request") else b"fetch")
    return found.hexdigest()
