"""What a connection asks REST for: snapshots of books, trades and candles that were missed.

REST never runs inside the frame handler: wishes come up there, and are turned into fetches here,
each symbol's by itself, each with a backoff of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from collector_core.errors import CollectorError
from collector_core.events import Event
from collector_feed.audit import Audit
from collector_feed.backfill import Backfill
from collector_feed.backoff import Backoff
from collector_feed.candle_history import CandleHistory
from collector_feed.options import SessionOptions
from collector_feed.outputs import BookSnapshot, Fetch, Output, Page, Subscription
from collector_feed.pipeline import Pipeline
from collector_feed.resync import Renewal, Resync

__all__ = ["Repairs"]


class Repairs:
    """The repairs of one connection's streams.

    Args:
        pipeline: whose streams are repaired.
        random: returns a float in [0, 1), for backoff and spreading.
        options: the operator's settings.
        renew: subscribes streams anew.
        skew: returns the exchange's clock less ours in microseconds, None while it is not known.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        random: Callable[[], float],
        options: SessionOptions,
        renew: Callable[[list[Subscription]], object],
        skew: Callable[[], int | None],
    ) -> None:
        self._renew = renew
        self._backfill = options.backfill

        def backoff() -> Backoff:
            return Backoff(random, base=options.backoff_base, cap=options.backoff_cap)

        tokens = count(1)
        self._books = Resync(pipeline, backoff, tokens)
        self._trades = Backfill(pipeline, backoff, tokens, options.backfill_timeout)
        self._candles = CandleHistory(pipeline, backoff, tokens, random)
        self.audit = Audit(pipeline, tokens, options.audit_every, skew)

    def begin(self, subscription: Subscription, now: float, *, polled: bool = False) -> None:
        """A stream flows from now on, or a polled series of candles is wanted."""
        if subscription.channel == "candle" and (polled or self._backfill):
            self._candles.begin(subscription, now, polled=polled)

    def forget(self, subscription: Subscription) -> None:
        """A stream is wanted no longer."""
        if subscription.channel == "candle":
            self._candles.forget(subscription)

    def wanted(self, out: list[Output]) -> None:
        """Append what frames have made necessary at once."""
        self._carry_out(self._books.wanted(), out)

    def on_time(self, now: float, wall: int, out: list[Output], *, live: bool = True) -> None:
        """Append what is due; without a connection only what needs none."""
        rows: list[Event] = []
        fetches: list[Fetch] = []
        if live:
            self._carry_out(self._books.on_time(now), out)
            fetches += self._trades.on_time(now, wall, rows)
            fetches += self.audit.on_time(now, wall, rows)
            self._carry_out(self._books.wanted(), out)
        fetches += self._candles.on_time(now, wall)
        out.extend(rows)
        out.extend(fetches)

    def on_answer(
        self, token: int, answer: BookSnapshot | Page[Any] | CollectorError, now: float, wall: int
    ) -> list[Output]:
        """Take the answer to a fetch; return the rows and fetches that follow."""
        rows: list[Event] = []
        fetches: list[Fetch] = []
        # each knows its own tokens
        fetches += self.audit.on_answer(token, answer, now, wall, rows)
        if not isinstance(answer, Page):
            rows += self._books.on_answer(token, answer, now, wall)
        if not isinstance(answer, BookSnapshot):
            fetches += self._trades.on_answer(token, answer, now, wall, rows)
            fetches += self._candles.on_answer(token, answer, now, wall, rows)
        out: list[Output] = [*rows, *fetches]
        self._carry_out(self._books.wanted(), out)
        return out

    def deadline(self) -> float | None:
        """Return when ``on_time`` has something to do, in monotonic seconds."""
        times = [part.deadline() for part in (self._books, self._trades, self._candles)]
        return min((at for at in times if at is not None), default=None)

    def clear(self, now: float) -> None:
        """The connection is gone; answers to what is under way come too late."""
        self._books.clear()
        self._trades.clear()
        self._candles.clear(now)
        self.audit.clear()

    def _carry_out(self, steps: Sequence[Fetch | Renewal], out: list[Output]) -> None:
        out.extend(step for step in steps if isinstance(step, Fetch))
        again = [Subscription("book", s.symbol) for s in steps if isinstance(s, Renewal)]
        if again:
            self._renew(again)
