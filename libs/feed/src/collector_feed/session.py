"""One connection to an exchange as a state machine: what happened comes in, what to do goes out.

    idle ─start─► connecting ─► (login) ─► live ──lost──► waiting ─(backoff)─► connecting …
                                             └──stop──► stopped

The driver (runtime) owns the socket and the clock. It reports `on_connected`, `on_frame`,
`on_pong`, `on_closed`, `on_answer` and `on_time`, and carries out the outputs in order. Deadlines
are monotonic seconds, stamps are wall microseconds; a jump of the wall clock moves no deadline.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping, Sequence
from enum import Enum
from typing import Final

from collector_core.errors import CollectorError, SettingsError, SymbolError
from collector_core.events import Event, State, Status
from collector_feed.adapter import Adapter
from collector_feed.backoff import Backoff
from collector_feed.dialogue import Dialogue
from collector_feed.exchange_clock import ExchangeClock
from collector_feed.liveness import Liveness, Sign
from collector_feed.options import SessionOptions
from collector_feed.outputs import (
    Acknowledged,
    BookSnapshot,
    Connect,
    Disconnect,
    Notice,
    Output,
    Ping,
    Rejected,
    Send,
    Subscription,
)
from collector_feed.pipeline import Pipeline
from collector_feed.resync import Resync
from collector_feed.status_rows import status_rows
from collector_feed.subscriptions import check
from collector_feed.trade_stream import TradeSeed

__all__ = ["Phase", "Session"]

_SETTLED: Final = 60.0
"""Seconds of flowing data after which the next loss starts its backoff from the base again."""


class Phase(Enum):
    """Where a connection stands."""

    IDLE = "idle"
    CONNECTING = "connecting"
    LOGIN = "login"
    LIVE = "live"
    WAITING = "waiting"
    STOPPED = "stopped"


class Session:
    """One connection.

    Args:
        adapter: the exchange's adapter, for this connection alone.
        url: where to connect.
        random: returns a float in [0, 1), for backoff.
        seeds: what the bus has of each symbol's trades (see ``Pipeline``).
        options: the operator's settings.
    """

    def __init__(
        self,
        adapter: Adapter,
        url: str,
        random: Callable[[], float],
        seeds: MutableMapping[str, TradeSeed] | None = None,
        options: SessionOptions | None = None,
    ) -> None:
        self.options = options or SessionOptions()
        self.adapter = adapter
        self.pipeline = Pipeline(adapter, seeds, book_levels=self.options.book_levels)
        self._take = self.pipeline.on_frame
        self.phase = Phase.IDLE
        # losses of the connection by reason, for metrics
        self.losses: dict[str, int] = {}
        self._spec = adapter.spec
        self._url = adapter.url(url)
        self._random = random
        self._dialogue = Dialogue(adapter)
        self._clock = ExchangeClock(round(self.options.clock_lag * 1_000_000))
        self._liveness = Liveness(self._spec.keep_alive, self.options.data_timeout)
        self._backoff = self._new_backoff()
        # monotonic deadlines: the next attempt, or the end of an attempt under way
        self._attempt_at: float | None = None
        self._connected_at = 0.0
        self._next_books = 0.0
        self._last_second = 0
        # receive time of the last frame, and the last rows, sampled by on_time
        self._received = 0
        # wall time of the last pong
        self._answered = 0
        self._last_rows: Sequence[Output] = ()
        self._resync = Resync(self.pipeline, self._new_backoff)
        # why the connection is to be given up at the next look, None if it is not
        self._leaving: str | None = None
        # when the exchange's own keep-alive text is due, None if it has none
        self._next_text: float | None = None

    # --- what is wanted ----------------------------------------------------------------------

    def subscribe(self, subscriptions: Iterable[Subscription], now: float) -> list[Output]:
        """Want streams; each that cannot be had is rejected alone, by a status row."""
        out: list[Output] = []
        fit: list[Subscription] = []
        for subscription in subscriptions:
            try:
                check(self._spec, subscription)
                self.adapter.symbols.to_venue(subscription.symbol)
            except (SettingsError, SymbolError) as error:
                out.extend(self._statuses([subscription], "rejected", str(error)))
            else:
                fit.append(subscription)
        live = self.phase is Phase.LIVE
        for subscription in self._dialogue.want(fit, say=live):
            self._open(subscription)
        if live:
            self._flush(now, out)
        return out

    def unsubscribe(self, subscriptions: Iterable[Subscription], now: float) -> list[Output]:
        """Want streams no longer; each ends with a ``stopped`` row."""
        live = self.phase is Phase.LIVE
        gone = self._dialogue.drop(subscriptions, say=live)
        out: list[Output] = []
        if live:
            self._flush(now, out)
        left = {(s.channel, s.symbol) for s in self._dialogue.wanted()}
        for subscription in gone:
            if (subscription.channel, subscription.symbol) not in left:
                self.pipeline.close(subscription.channel, subscription.symbol)
        out.extend(self._statuses(gone, "stopped", "no longer wanted"))
        return out

    def start(self, now: float) -> list[Output]:
        """Begin to connect."""
        self.phase = Phase.WAITING
        self._attempt_at = now
        return self._connect(now)

    def stop(self, reason: str) -> list[Output]:
        """End for good; each stream ends with a ``stopped`` row."""
        live = self.phase in {Phase.CONNECTING, Phase.LOGIN, Phase.LIVE}
        self.phase = Phase.STOPPED
        out: list[Output] = [*self._statuses(self._dialogue.wanted(), "stopped", reason)]
        if live:
            out.append(Disconnect(reason))
        return out

    # --- what happened -----------------------------------------------------------------------

    def on_connected(self, now: float, wall: int) -> list[Output]:
        """The socket is open."""
        self.phase = Phase.LIVE
        self._attempt_at = None
        self._connected_at = now
        self._received = wall
        self._liveness.started(now)
        self._next_books = now + self.options.book_snapshot_every
        text = self._spec.keep_alive.text
        self._next_text = None if text is None else now + self._spec.keep_alive.interval
        out: list[Output] = []
        login = self.adapter.login()
        if login is not None:
            self.phase = Phase.LOGIN
            self._dialogue.outbox.put(login, ())
        else:
            self._dialogue.say_all()
        self._flush(now, out)
        return out

    def on_frame(self, frame: bytes | memoryview, receive_time: int) -> list[Output]:
        """A data frame came; the hot path."""
        self._received = receive_time
        self._last_rows = rows = self._take(frame, receive_time)
        if self.pipeline.attention:
            return self._settle([*rows], receive_time)
        return rows  # type: ignore[return-value]  # a list of rows is one of outputs

    def on_pong(self, wall: int) -> None:
        """The exchange answered a ping."""
        self._answered = wall
        self._liveness.answered()
        self._clock.answered()

    def on_closed(
        self,
        reason: str,
        now: float,
        wall: int,
        *,
        cause: str = "lost",
        throttled: bool = False,
        retry_after: float | None = None,
    ) -> list[Output]:
        """The socket is gone, or could not be opened.

        ``cause`` is one of few words, for metrics; ``reason`` is the sentence for the status rows.
        Not to be called for a socket that was closed on ``Disconnect``.
        """
        if self.phase in {Phase.STOPPED, Phase.WAITING}:
            return []
        was_live = self.phase is not Phase.CONNECTING
        if was_live and now - self._connected_at >= _SETTLED:
            self._backoff.reset()
        self.losses[cause] = self.losses.get(cause, 0) + 1
        self.phase = Phase.WAITING
        self._attempt_at = now + self._backoff.next(throttled=throttled, retry_after=retry_after)
        lost = self._dialogue.disconnected()
        self._resync.clear()
        self._clock.disconnected()
        self._leaving = None
        self._last_rows = ()
        self.pipeline.interrupted()
        self.adapter.reset()
        return [*self._statuses(lost, "disconnected", reason, wall)]

    def on_answer(
        self, token: int, answer: BookSnapshot | CollectorError, now: float, wall: int
    ) -> list[Output]:
        """A REST request was answered, or failed."""
        return [*self._resync.on_answer(token, answer, now, wall)]

    def on_time(self, now: float, wall: int) -> list[Output]:
        """Time went on: attempts, answers overdue, signs of life, clock rows, snapshots."""
        out: list[Output] = []
        if self.phase is Phase.WAITING:
            out.extend(self._connect(now))
        elif self.phase is Phase.CONNECTING:
            if self._attempt_at is not None and now >= self._attempt_at:
                self._give_up("connect timeout", now, wall, out)
        elif self.phase in {Phase.LIVE, Phase.LOGIN}:
            self._live_time(now, wall, out)
        return out

    def next_deadline(self) -> float | None:
        """Return when ``on_time`` has something to do, in monotonic seconds; None for never."""
        if self.phase in {Phase.IDLE, Phase.STOPPED}:
            return None
        if self.phase in {Phase.WAITING, Phase.CONNECTING}:
            return self._attempt_at
        known = [
            self._next_books,
            self._liveness.deadline(),
            self._dialogue.deadline(),
            self._resync.deadline(),
            self._next_text,
        ]
        return min(deadline for deadline in known if deadline is not None)

    # --- the parts of it ---------------------------------------------------------------------

    def _connect(self, now: float) -> list[Output]:
        if self._attempt_at is None or now < self._attempt_at:
            return []
        self.phase = Phase.CONNECTING
        self._attempt_at = now + self.options.connect_timeout
        return [Connect(self._url)]

    def _live_time(self, now: float, wall: int, out: list[Output]) -> None:
        if self._leaving is not None:
            self._give_up(self._leaving, now, wall, out)
            return
        self._sample(now, wall)
        if self._next_text is not None and now >= self._next_text:
            self._next_text = now + self._spec.keep_alive.interval
            self._dialogue.outbox.put(Send(self._spec.keep_alive.text or ""), ())
        sign = self._liveness.on_time(now, self._received)
        if sign is Sign.ASK:
            self._ask(now, wall, out)
        elif sign is not Sign.FINE:
            reason = "silent" if sign is Sign.DEAD else "no data"
            out.extend(self._statuses(self._dialogue.wanted(), "stale", reason, wall))
            self._give_up(reason, now, wall, out)
            return
        self._flush(now, out)
        out.extend(self._dialogue.overdue(now, wall))
        self._flush(now, out)
        out.extend(self._resync.on_time(now))
        out.extend(self.pipeline.closed_candles(wall))
        second = self._clock.passed()
        if second is not None and second > self._last_second:
            self._last_second = second
            out.extend(self.pipeline.clock_rows(second, wall))
        if now >= self._next_books:
            self._next_books = now + self.options.book_snapshot_every
            out.extend(self.pipeline.book_rows(wall))

    def _sample(self, now: float, wall: int) -> None:
        rows, self._last_rows = self._last_rows, ()
        if rows:
            self._liveness.data(now)
            row = rows[-1]
            if isinstance(row, Event) and row.exchange_time and row.receive_time:
                self._clock.sample(row.exchange_time, row.receive_time)
        # after the sample: a jump of the wall clock voids this one too
        self._clock.on_time(now, wall)

    def _ask(self, now: float, wall: int, out: list[Output]) -> None:
        self._liveness.asked(now)
        if self._dialogue.outbox.free(now):
            self._dialogue.outbox.spend(now)
            self._clock.asked(wall)
            out.append(Ping())

    def _give_up(self, reason: str, now: float, wall: int, out: list[Output]) -> None:
        out.append(Disconnect(reason))
        out.extend(self.on_closed(reason, now, wall, cause=reason))

    def _settle(self, rows: list[Output], wall: int) -> list[Output]:
        out = rows
        if self._dialogue.unproven:
            proven = self._dialogue.prove(self.pipeline.decoded)
            self._confirmed(proven, wall, out, first=True)
        control, self.pipeline.control = self.pipeline.control, []
        for item in control:
            match item:
                case Acknowledged():
                    if self.phase is Phase.LOGIN:
                        self.phase = Phase.LIVE
                        self._dialogue.say_all()
                    self._confirmed(self._dialogue.acknowledged(item), wall, out)
                case Rejected():
                    out.extend(self._dialogue.rejected(item, wall))
                case Notice():
                    self._leaving = "notice"
        out.extend(self._resync.wanted())
        # a stream that is still to be proven by its first data wants every frame looked at
        self.pipeline.attention = bool(self._dialogue.unproven)
        return out

    def _confirmed(
        self, new: list[Subscription], wall: int, out: list[Output], *, first: bool = False
    ) -> None:
        rows = self._statuses(new, "subscribed", None, wall)
        # the first data of a stream proves its subscription, and stands below that row
        out[:] = [*rows, *out] if first else [*out, *rows]
        events: list[Event] = []
        for subscription in new:
            self.pipeline.begin(subscription.channel, subscription.symbol, wall, events)
        out.extend(events)

    def _open(self, subscription: Subscription) -> None:
        if subscription.channel == "trade":
            self.pipeline.open_trades(subscription.symbol)
        elif subscription.channel == "book":
            self.pipeline.open_book(subscription.symbol)

    def _flush(self, now: float, out: list[Output]) -> None:
        out.extend(self._dialogue.flush(now))
        if self._dialogue.unproven:
            self.pipeline.attention = True

    def _new_backoff(self) -> Backoff:
        options = self.options
        return Backoff(self._random, base=options.backoff_base, cap=options.backoff_cap)

    def _statuses(
        self,
        subscriptions: Iterable[Subscription],
        state: State,
        reason: str | None,
        wall: int | None = None,
    ) -> list[Status]:
        time = wall or max(self._received, self._answered) or None
        return status_rows(self._spec.exchange, subscriptions, state, reason, time)
