"""What one connection carries: its subscriptions, their integrity, and their repairs.

The session decides whether there is a connection; everything that is the same whether it is the
first, a later one or the successor of another stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping
from typing import Any

from collector_core.errors import CollectorError, SettingsError, SymbolError
from collector_core.events import Event, State, Status
from collector_feed.adapter import Adapter
from collector_feed.dialogue import Dialogue
from collector_feed.options import SessionOptions
from collector_feed.outputs import (
    Acknowledged,
    BookSnapshot,
    Notice,
    Output,
    Page,
    Rejected,
    Subscription,
)
from collector_feed.overheard import Overheard
from collector_feed.pipeline import Pipeline
from collector_feed.quiet import Quiet
from collector_feed.recent_trades import TradeSeed
from collector_feed.repairs import Repairs
from collector_feed.status_rows import status_rows
from collector_feed.subscriptions import check, polled

__all__ = ["Streams"]


class Streams:
    """The streams of one connection.

    Args:
        adapter: the exchange's adapter, for this connection alone.
        random: returns a float in [0, 1), for backoff.
        options: the operator's settings.
        seeds: what the bus has of each symbol's trades (see ``Pipeline``).
        candle_seeds: what the bus has of each series of candles (see ``Pipeline``).
        successor: publish nothing until ``take_over``.
    """

    def __init__(
        self,
        adapter: Adapter,
        random: Callable[[], float],
        options: SessionOptions,
        seeds: MutableMapping[str, TradeSeed] | None = None,
        candle_seeds: dict[tuple[str, str], int] | None = None,
        *,
        successor: bool = False,
    ) -> None:
        self._adapter = adapter
        self._spec = adapter.spec
        self._options = options
        self.pipeline = Pipeline(
            adapter,
            seeds,
            candle_seeds=candle_seeds,
            fills=options.backfill,
            book_levels=options.book_levels,
        )
        if successor:
            self.pipeline.overheard = Overheard(adapter.spec)
        self.dialogue = Dialogue(adapter)
        self.quiet = Quiet(self.pipeline, options.quiet_floor)
        # the exchange's clock less ours, in microseconds
        self.skew: Callable[[], int | None] = lambda: None
        self._repairs = Repairs(
            self.pipeline,
            random,
            options,
            self.dialogue.renew,
            lambda: self.skew(),  # noqa: PLW0108  # the session sets it later
        )
        # for metrics
        self.audit = self._repairs.audit
        # candles that are fetched as they close
        self._polled: set[Subscription] = set()
        self._next_books = 0.0
        # monotonic time of the last look
        self._now = 0.0
        # latest wall time of the connection's life, for rows that have no time of their own
        self.seen: Callable[[], int | None] = lambda: None

    # --- what is wanted ----------------------------------------------------------------------

    def subscribe(
        self, subscriptions: Iterable[Subscription], now: float, *, live: bool
    ) -> list[Output]:
        """Want streams; each that cannot be had is rejected alone, by a status row."""
        out: list[Output] = []
        fit: list[Subscription] = []
        for subscription in subscriptions:
            try:
                check(self._spec, subscription)
                self._adapter.symbols.to_venue(subscription.symbol)
            except (SettingsError, SymbolError) as error:
                out.extend(self.statuses([subscription], "rejected", str(error)))
                continue
            if not polled(self._spec, subscription):
                fit.append(subscription)
            elif subscription not in self._polled:
                self._polled.add(subscription)
                out.extend(self.statuses([subscription], "subscribed", "fetched over REST"))
                if self.pipeline.overheard is None:
                    self._repairs.begin(subscription, now, polled=True)
        for subscription in self.dialogue.want(fit, say=live):
            self._open(subscription)
        if live:
            self.flush(now, out)
        return out

    def unsubscribe(
        self,
        subscriptions: Iterable[Subscription],
        now: float,
        *,
        live: bool,
        reason: str | None = "no longer wanted",
    ) -> list[Output]:
        """Want streams no longer; each ends with a ``stopped`` row, without a reason in silence."""
        subscriptions = [*subscriptions]
        gone = self.dialogue.drop(subscriptions, say=live)
        gone += [s for s in subscriptions if s in self._polled]
        self._polled.difference_update(subscriptions)
        for subscription in gone:
            self._repairs.forget(subscription)
            self.quiet.forget(subscription)
        out: list[Output] = []
        if live:
            self.flush(now, out)
        left = {(s.channel, s.symbol) for s in self.wanted()}
        ended = [s for s in gone if (s.channel, s.symbol) not in left]
        rows: list[Output] = []
        for subscription in ended:
            rows += self.pipeline.close(subscription.channel, subscription.symbol)
        rows += self.statuses(ended, "stopped", reason)
        return out if reason is None else [*out, *rows]

    def wanted(self) -> list[Subscription]:
        """Return everything but the rejected."""
        return [*self.dialogue.wanted(), *self._polled]

    def finish(self, reason: str) -> list[Output]:
        """End every stream for good, with a ``stopped`` row each."""
        return [*self.pipeline.finish(), *self.statuses(self.wanted(), "stopped", reason)]

    # --- the connection comes and goes -----------------------------------------------------------

    def opened(self, now: float) -> None:
        """There is a connection; say what is wanted of it."""
        self._next_books = now + self._options.book_snapshot_every
        for message in self._adapter.opening():
            self.dialogue.outbox.put(message, ())
        self.dialogue.say_all()

    def lost(self, reason: str, now: float, wall: int) -> list[Output]:
        """The connection is gone; return the rows that say so."""
        gone = self.dialogue.disconnected()
        self._repairs.clear(now)
        self.quiet.disconnected()
        self.pipeline.interrupted()
        self._adapter.reset()
        return [*self.statuses(gone, "disconnected", reason, wall)]

    def covers(self, old: Streams) -> bool:
        """Tell whether all that was overheard goes on where the streams of ``old`` stand."""
        heard = self.pipeline.overheard
        return heard is not None and heard.joins(old.pipeline.trades(), old.pipeline.books())

    def settled(self) -> bool:
        """Tell whether everything that is wanted flows to this successor, its books whole."""
        heard = self.pipeline.overheard
        books = {s.symbol for s in self.dialogue.wanted() if s.channel == "book"}
        streamed = self._spec.book_rule != "whole" and not self._spec.book_by_rest
        whole = heard is not None and not (streamed and books - heard.snapshots)
        return whole and self.dialogue.settled()

    def take_over(self, old: Streams, reason: str, now: float, wall: int) -> list[Output]:
        """Go on with the streams of ``old`` and publish what was overheard."""
        rows = self.pipeline.adopt(old.pipeline)
        self.audit.adopt(old.audit)
        out: list[Output] = [*self.statuses(self.wanted(), "rotated", reason, wall), *rows]
        for subscription in self._polled:
            self._repairs.begin(subscription, now, polled=True)
        for subscription in self.dialogue.wanted():
            self._open(subscription)
        self._next_books = now + self._options.book_snapshot_every
        self._repairs.wanted(out)
        return out

    # --- what happens ------------------------------------------------------------------------

    def settle(self, rows: list[Output], wall: int) -> tuple[list[Output], list[Notice]]:
        """Take what a frame says beside rows; return all rows in order, and announcements."""
        out = rows
        if self.dialogue.unproven:
            proven = self.dialogue.prove(self.pipeline.decoded)
            self._confirmed(proven, wall, out, first=True)
        control, self.pipeline.control = self.pipeline.control, []
        notices = []
        for item in control:
            match item:
                case Acknowledged():
                    self._confirmed(self.dialogue.acknowledged(item), wall, out)
                case Rejected():
                    self._refused(self.dialogue.rejected(item, wall), out)
                case Notice():
                    notices.append(item)
        self._repairs.wanted(out)
        # a stream that is still to be proven by its first data wants every frame looked at
        self.pipeline.attention = bool(self.dialogue.unproven)
        return out, notices

    def on_answer(
        self, token: int, answer: BookSnapshot | Page[Any] | CollectorError, now: float, wall: int
    ) -> list[Output]:
        """A REST request was answered, or failed."""
        return self._repairs.on_answer(token, answer, now, wall)

    def on_time(self, now: float, wall: int, out: list[Output]) -> bool:
        """Append what is due on a live connection; tell whether it is deaf to a stream."""
        self._now = now
        self.flush(now, out)
        self._refused(self.dialogue.overdue(now, wall), out)
        deaf = self._watch(now, wall, out)
        self._repairs.on_time(now, wall, out)
        self.flush(now, out)
        out.extend(self.pipeline.closed_candles(wall))
        if now >= self._next_books:
            self._next_books = now + self._options.book_snapshot_every
            out.extend(self.pipeline.book_rows(wall))
        return deaf

    def without_connection(self, now: float, wall: int, out: list[Output]) -> None:
        """Append what is due that needs no connection."""
        self._repairs.on_time(now, wall, out, live=False)

    def deadline(self, *, live: bool) -> float | None:
        """Return when there is something to do, in monotonic seconds; None for never."""
        known = [self._repairs.deadline()]
        if live:
            known += [self._next_books, self.quiet.deadline(), self.dialogue.deadline()]
        return min((at for at in known if at is not None), default=None)

    def flush(self, now: float, out: list[Output]) -> None:
        """Append the messages that may go."""
        out.extend(self.dialogue.flush(now))
        if self.dialogue.unproven:
            self.pipeline.attention = True

    def statuses(
        self,
        subscriptions: Iterable[Subscription],
        state: State,
        reason: str | None,
        wall: int | None = None,
    ) -> list[Status]:
        """Return a row for each stream; none from a successor, which is not heard yet."""
        if self.pipeline.overheard is not None:
            return []
        return status_rows(
            self._spec.exchange, subscriptions, state, reason, wall or self.seen() or None
        )

    # --- the parts of it ---------------------------------------------------------------------

    def _watch(self, now: float, wall: int, out: list[Output]) -> bool:
        stale, deaf = self.quiet.on_time(now)
        if stale:
            out.extend(self.statuses(stale, "stale", "silent for longer than it ever was", wall))
        for subscription in self.dialogue.renew(stale):
            if subscription.channel == "trade":
                self._doubt(subscription.symbol)
        return deaf

    def _doubt(self, symbol: str) -> None:
        # ask the history whether the exchange has forgotten us
        stream = self.pipeline.trade_stream(symbol)
        if stream is not None:
            stream.interrupted()
            stream.begin()
            if stream.filling is not None:
                stream.filling.doubted = True
            self.pipeline.note(symbol)

    def _refused(self, rows: list[Status], out: list[Output]) -> None:
        if self.pipeline.overheard is not None:
            return
        for row in rows:
            if row.state == "rejected" and not self._carries(row.channel, row.symbol):
                # nothing of it comes any more, and nobody is to watch or to repair it
                out.extend(self.pipeline.close(row.channel, row.symbol))
                self.quiet.forget(Subscription(row.channel, row.symbol))
            out.append(row)

    def _carries(self, channel: str, symbol: str) -> bool:
        return any((s.channel, s.symbol) == (channel, symbol) for s in self.wanted())

    def _confirmed(
        self, new: list[Subscription], wall: int, out: list[Output], *, first: bool = False
    ) -> None:
        if self.pipeline.overheard is not None:
            return
        rows = self.statuses(new, "subscribed", None, wall)
        # the first data of a stream proves its subscription, and stands below that row
        out[:] = [*rows, *out] if first else [*out, *rows]
        events: list[Event] = []
        for subscription in new:
            self.pipeline.begin(subscription.channel, subscription.symbol, wall, events)
            self._repairs.begin(subscription, self._now)
        out.extend(events)

    def _open(self, subscription: Subscription) -> None:
        if self.pipeline.overheard is not None:
            # the predecessor's streams will be taken as they are
            return
        if subscription.channel == "trade":
            self.pipeline.open_trades(subscription.symbol)
        elif subscription.channel == "book":
            self.pipeline.open_book(subscription.symbol)
