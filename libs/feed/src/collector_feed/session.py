"""One connection to an exchange as a state machine: what happened comes in, what to do goes out.

    idle ─start─► connecting ─► (login) ─► live ──lost──► waiting ─(backoff)─► connecting …
                                             └──stop──► stopped

The driver (runtime) owns the socket and the clock. It reports `on_connected`, `on_frame`,
`on_pong`, `on_closed`, `on_answer` and `on_time`, and carries out the outputs in order. Deadlines
are monotonic seconds, stamps are wall microseconds; a jump of the wall clock moves no deadline.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping
from enum import Enum
from typing import Any

from collector_core.errors import CollectorError
from collector_feed.adapter import Adapter
from collector_feed.backoff import Backoff
from collector_feed.liveness import Sign
from collector_feed.options import SessionOptions
from collector_feed.outputs import (
    Acknowledged,
    BookSnapshot,
    Connect,
    Disconnect,
    Output,
    Page,
    Ping,
    Send,
    Subscription,
)
from collector_feed.recent_trades import TradeSeed
from collector_feed.reconnection import Reconnection
from collector_feed.rotation import Rotation
from collector_feed.streams import Streams
from collector_feed.vitals import Vitals

__all__ = ["Phase", "Session"]


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
        path: of the channels it carries, where an exchange has several sockets.
        candle_seeds: what the bus has of each series of candles (see ``Pipeline``).
        successor: publish nothing until ``take_over``.
    """

    def __init__(
        self,
        adapter: Adapter,
        url: str,
        random: Callable[[], float],
        seeds: MutableMapping[str, TradeSeed] | None = None,
        options: SessionOptions | None = None,
        *,
        path: str = "",
        candle_seeds: dict[tuple[str, str], int] | None = None,
        successor: bool = False,
    ) -> None:
        self.options = options or SessionOptions()
        self.adapter = adapter
        self.streams = Streams(
            adapter, random, self.options, seeds, candle_seeds, successor=successor
        )
        self.pipeline = self.streams.pipeline
        self._take = self.pipeline.on_frame
        self.phase = Phase.IDLE
        self._url = adapter.url(url, path)
        self._keep_alive = adapter.spec.keep_alive
        self.vitals = Vitals(adapter.spec, self.options)
        self.streams.skew = self.vitals.skew
        self.streams.seen = lambda: max(self.vitals.received, self.vitals.answered) or None
        backoff = Backoff(random, base=self.options.backoff_base, cap=self.options.backoff_cap)
        self._reconnection = Reconnection(backoff, self.options.connect_timeout)
        self.rotation = Rotation(adapter.spec, self.options, random)
        self._started = False
        # why the connection is to be given up at the next look, None if it is not
        self._leaving: str | None = None

    @property
    def losses(self) -> dict[str, int]:
        """Losses of the connection by cause."""
        return self._reconnection.losses

    # --- what is wanted ----------------------------------------------------------------------

    def subscribe(self, subscriptions: Iterable[Subscription], now: float) -> list[Output]:
        """Want streams; each that cannot be had is rejected alone, by a status row."""
        out = self.streams.subscribe(subscriptions, now, live=self.phase is Phase.LIVE)
        if self.phase is Phase.IDLE and self._started:
            out.extend(self.start(now))
        return out

    def unsubscribe(
        self,
        subscriptions: Iterable[Subscription],
        now: float,
        reason: str | None = "no longer wanted",
    ) -> list[Output]:
        """Want streams no longer; each ends with a ``stopped`` row, without a reason in silence."""
        live = self.phase is Phase.LIVE
        return self.streams.unsubscribe(subscriptions, now, live=live, reason=reason)

    def start(self, now: float) -> list[Output]:
        """Begin to connect, or wait for something that needs a connection."""
        self._started = True
        if self.streams.wanted() and not self.streams.dialogue.wanted():
            return []
        self.phase = Phase.WAITING
        self._reconnection.wanted(now)
        return self._connect(now)

    def stop(self, reason: str) -> list[Output]:
        """End for good; each stream ends with a ``stopped`` row."""
        live = self.phase in {Phase.CONNECTING, Phase.LOGIN, Phase.LIVE}
        self.phase = Phase.STOPPED
        out = self.streams.finish(reason)
        if live:
            out.append(Disconnect(reason))
        return out

    # --- one connection after another ------------------------------------------------------------

    def rotation_due(self, now: float) -> bool:
        """Tell whether this connection should be replaced, by its age or the exchange's word."""
        return self.phase is Phase.LIVE and self.rotation.due(now)

    def ready(self, old: Session, now: float) -> bool:
        """Tell whether this successor can take over from ``old`` without losing a row."""
        settled = self.phase is Phase.LIVE and self.streams.settled()
        return (
            self.rotation.overlapped(now, settled=settled)
            # one that died unnoticed has not brought what was sent before we listened
            and self.rotation.covered(old.vitals.life)
            and self.streams.covers(old.streams)
        )

    def take_over(self, old: Session, reason: str, now: float, wall: int) -> list[Output]:
        """Publish from here on in the place of ``old``, which has to be retired."""
        self._reconnection.losses = old.losses
        return self.streams.take_over(old.streams, reason, now, wall)

    def retire(self, reason: str) -> list[Output]:
        """End without a word in the streams, which go on elsewhere."""
        self.phase = Phase.STOPPED
        return [Disconnect(reason)]

    # --- what happened -----------------------------------------------------------------------

    def on_attempt(self, began: float | None) -> None:
        """Know when the attempt that ``Connect`` asked for was really begun; its time runs then.

        None while it waits its turn (a budget, a breaker), which may take as long as it takes.
        """
        if self.phase is not Phase.CONNECTING:
            return
        if began is None:
            self._reconnection.queued()
        else:
            self._reconnection.begun(began)

    def on_connected(self, now: float, wall: int) -> list[Output]:
        """The socket is open."""
        self.phase = Phase.LIVE
        self._reconnection.connected(now)
        self.vitals.connected(now, wall)
        self.rotation.connected(now)
        out: list[Output] = []
        login = self.adapter.login()
        if login is not None:
            self.phase = Phase.LOGIN
            self.streams.dialogue.outbox.put(login, ())
        else:
            self.streams.opened(now)
        self.streams.flush(now, out)
        return out

    def on_frame(self, frame: bytes | memoryview, receive_time: int) -> list[Output]:
        """A data frame came; the hot path."""
        vitals = self.vitals
        vitals.received = receive_time
        vitals.rows = rows = self._take(frame, receive_time)
        if self.pipeline.attention:
            return self._settle([*rows], receive_time)
        return rows  # type: ignore[return-value]  # a list of rows is one of outputs

    def on_pong(self, wall: int) -> None:
        """The exchange answered a ping."""
        self.vitals.pong(wall)

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
        self.phase = Phase.WAITING
        if self.rotation.ended_by_plan():
            cause = "notice"
        self._reconnection.lost(cause, now, throttled=throttled, retry_after=retry_after)
        self._leaving = None
        self.vitals.disconnected()
        return self.streams.lost(reason, now, wall)

    def on_answer(
        self, token: int, answer: BookSnapshot | Page[Any] | CollectorError, now: float, wall: int
    ) -> list[Output]:
        """A REST request was answered, or failed."""
        if self.phase is Phase.STOPPED:
            return []
        return self.streams.on_answer(token, answer, now, wall)

    def on_time(self, now: float, wall: int) -> list[Output]:
        """Time went on: attempts, answers overdue, signs of life, clock rows, snapshots."""
        out: list[Output] = []
        if self.phase in {Phase.LIVE, Phase.LOGIN}:
            self._live_time(now, wall, out)
            return out
        if self.phase is Phase.WAITING:
            out.extend(self._connect(now))
        elif self.phase is Phase.CONNECTING and self._reconnection.due(now):
            self._give_up("connect timeout", now, wall, out)
        if self.phase is not Phase.STOPPED:
            self.streams.without_connection(now, wall, out)
        return out

    def next_deadline(self) -> float | None:
        """Return when ``on_time`` has something to do, in monotonic seconds; None for never."""
        if self.phase is Phase.STOPPED:
            return None
        live = self.phase in {Phase.LIVE, Phase.LOGIN}
        known = [self.streams.deadline(live=live)]
        if live:
            known.append(self.vitals.deadline())
        elif self.phase is not Phase.IDLE:
            known.append(self._reconnection.at)
        return min((at for at in known if at is not None), default=None)

    # --- the parts of it ---------------------------------------------------------------------

    def _connect(self, now: float) -> list[Output]:
        if not self._reconnection.due(now):
            return []
        self.phase = Phase.CONNECTING
        self._reconnection.begun(now)
        return [Connect(self._url)]

    def _live_time(self, now: float, wall: int, out: list[Output]) -> None:
        if self._leaving is not None:
            self._give_up(self._leaving, now, wall, out)
            return
        sign = self.vitals.sample(now, wall)
        if self.vitals.text_due(now):
            self.streams.dialogue.outbox.put(Send(self._keep_alive.text or ""), ())
        if sign is Sign.ASK:
            self._ask(now, wall, out)
        elif sign is not Sign.FINE:
            reason = "silent" if sign is Sign.DEAD else "no data"
            flowing = self.streams.dialogue.wanted()
            out.extend(self.streams.statuses(flowing, "stale", reason, wall))
            self._give_up(reason, now, wall, out)
            return
        if self.streams.on_time(now, wall, out):
            self._leaving = "deaf to a stream"
        second = self.vitals.passed()
        if second is not None:
            out.extend(self.pipeline.clock_rows(second, wall))

    def _ask(self, now: float, wall: int, out: list[Output]) -> None:
        outbox = self.streams.dialogue.outbox
        free = outbox.free(now)
        self.vitals.asked(now, wall, sent=free)
        if free:
            outbox.spend(now)
            out.append(Ping())

    def _give_up(self, reason: str, now: float, wall: int, out: list[Output]) -> None:
        out.append(Disconnect(reason))
        out.extend(self.on_closed(reason, now, wall, cause=reason))

    def _settle(self, rows: list[Output], wall: int) -> list[Output]:
        if self.phase is Phase.LOGIN and any(
            isinstance(item, Acknowledged) for item in self.pipeline.control
        ):
            self.phase = Phase.LIVE
            self.streams.opened(self.vitals.now)
        out, notices = self.streams.settle(rows, wall)
        if notices:
            self.rotation.announced()
        return out
