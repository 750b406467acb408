"""Frames to events, with time taken from the recording: what a live session does, without a socket.

What only time brings comes as it does live, on the clock of the receive times: a snapshot row of
each delta book every 10 s, and the closing of candles that carry no flag. Clock rows are left out,
for they vouch for a healthy connection, of which a recording says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from collector_cli.replay.answers import Snapshots
from collector_core.errors import FrameError
from collector_core.events import Event
from collector_feed.adapter import Adapter
from collector_feed.outputs import Undecodable
from collector_feed.pipeline import Pipeline
from collector_runtime.recording.line import request_text

__all__ = ["NO_SNAPSHOT", "Player"]

NO_SNAPSHOT: Final = "REST snapshot wanted but not given"
_BOOKS_EVERY: Final = 10_000_000
_CANDLES_EVERY: Final = 1_000_000
_NEVER: Final = 1 << 62


class Player:
    """Plays one stream of frames.

    Args:
        adapter: the exchange's decoder.
        snapshots: the given book snapshots.
        complain: is told of each snapshot that cannot be read.
        answered: REST answers stand in the recording where they came, and are waited for.
    """

    def __init__(
        self,
        adapter: Adapter,
        snapshots: Snapshots,
        complain: Callable[[str], None],
        *,
        answered: bool = False,
    ) -> None:
        self._pipeline = Pipeline(adapter, accept_any=True)
        self._take = self._pipeline.on_frame
        self._snapshots = snapshots
        self._complain = complain
        self._answered = answered
        # symbols that wait for a recorded answer, by what the request asks
        self._asked: dict[str, str] = {}
        # recorded answers that nobody waited for yet, with their receive times
        self._early: dict[str, tuple[bytes, int]] = {}
        # symbols whose book was asked for on this connection
        self._met: set[str] = set()
        # receive times at which something is due without a frame
        self._books_at = _NEVER
        self._candles_at = _NEVER
        self._due = 0

    def play(self, frame: bytes, receive_time: int | None) -> Sequence[Event | Undecodable]:
        """Return the rows of a frame, after those that were due before it."""
        if receive_time is not None and receive_time >= self._due:
            rows: list[Event | Undecodable] = [*self._on_time(receive_time)]
            rows += self._take(frame, receive_time)
        else:
            rows = self._take(frame, receive_time)
        if self._pipeline.attention:
            rows += self._settle(receive_time)
        return rows

    def answer(self, request: str, body: bytes, receive_time: int) -> list[Event]:
        """Return the rows that follow from a recorded REST answer, where it stands.

        One that comes before its wish is kept: live, a book is asked for before its first frame.
        """
        symbol = self._asked.pop(request, None)
        if symbol is None:
            self._early[request] = body, receive_time
            return []
        return self._apply(symbol, request, body, receive_time)

    def interrupted(self) -> None:
        """The connection was lost here; what comes next is another one."""
        self._pipeline.interrupted()
        self._pipeline.adapter.reset()
        self._asked.clear()
        self._early.clear()
        self._met.clear()

    def _on_time(self, now: int) -> list[Event]:
        spec = self._pipeline.adapter.spec
        rows: list[Event] = []
        if self._due == 0:
            # the recording begins
            self._books_at = _NEVER if spec.book_rule == "whole" else now + _BOOKS_EVERY
            self._candles_at = _NEVER if spec.candle_flag else _after(now, _CANDLES_EVERY)
        if now >= self._candles_at:
            rows += self._pipeline.closed_candles(now)
            self._candles_at = _after(now, _CANDLES_EVERY)
        if now >= self._books_at:
            # after a pause of minutes one row, for nothing changed in between
            rows += self._pipeline.book_rows(now - (now - self._books_at) % _BOOKS_EVERY)
            self._books_at += (now - self._books_at) // _BOOKS_EVERY * _BOOKS_EVERY + _BOOKS_EVERY
        self._due = min(self._books_at, self._candles_at)
        return rows

    def _settle(self, receive_time: int | None) -> list[Event]:
        pipeline = self._pipeline
        wishes, pipeline.snapshots_wanted = pipeline.snapshots_wanted, []
        # acknowledgements and refusals answer messages that nobody here has sent
        pipeline.control.clear()
        pipeline.attention = False
        rows: list[Event] = []
        for symbol in wishes:
            if self._answered and not self._snapshots.given(symbol):
                rows += self._ask(symbol)
                continue
            while pipeline.wants_snapshot(symbol):
                rows += self._answer(symbol, receive_time)
        # answered in the loop above, as often as they came up
        pipeline.snapshots_wanted.clear()
        pipeline.attention = False
        return rows

    def _ask(self, symbol: str) -> list[Event]:
        spec = self._pipeline.adapter.spec
        if not (spec.book_by_rest or spec.book_audit):
            # the stream itself brings it: live, the session subscribed anew
            return []
        request = request_text(self._pipeline.adapter.book(symbol))
        early = None if symbol in self._met else self._early.pop(request, None)
        self._met.add(symbol)
        if early is None:
            self._asked[request] = symbol
            return []
        return self._apply(symbol, request, *early)

    def _apply(self, symbol: str, request: str, body: bytes, receive_time: int) -> list[Event]:
        pipeline = self._pipeline
        rows: list[Event] = []
        try:
            snapshot = pipeline.adapter.book(symbol).parse(body, receive_time)
        except FrameError as error:
            self._complain(f"{request}: {error}")
        else:
            rows = pipeline.on_snapshot(snapshot, receive_time)
        pipeline.snapshots_wanted.clear()
        pipeline.attention = False
        if pipeline.wants_snapshot(symbol):
            # too old, or not an answer at all: live, the next one was asked for as well
            self._asked[request] = symbol
        return rows

    def _answer(self, symbol: str, receive_time: int | None) -> list[Event]:
        try:
            snapshot = self._snapshots.next(symbol, receive_time)
        except FrameError as error:
            self._complain(str(error))
            # the next one, if the file has more
            return []
        if snapshot is None:
            return self._pipeline.without_snapshot(symbol, NO_SNAPSHOT, receive_time)
        return self._pipeline.on_snapshot(snapshot, receive_time)


def _after(now: int, grid: int) -> int:
    return (now // grid + 1) * grid
