"""Callbacks of in-process users: who hears which rows, and what became of each call.

A callback is called in the feed itself, row by row, in the order in which callbacks were added.
What one of them does harms neither another one nor the feed: an exception is caught, reported and
counted, and the next callback is called. None is ever taken away for its faults.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from inspect import iscoroutinefunction
from typing import Final, Literal, NamedTuple, TypeAlias, TypedDict

import msgspec

from collector_core.errors import SettingsError
from collector_core.events import Bar, Event, Indicator

__all__ = ["Callback", "Fault", "Faults", "Listener", "Listeners", "Wanted", "Wish"]

Callback: TypeAlias = Callable[..., object]
"""Takes a row of the kind that it wished for; what it returns is not looked at."""

_BAR: Final = "bar"
_EVERYTHING: Final = "*"


class Wanted(TypedDict, total=False):
    """Of which streams, and whether closed alone; what is left out stands for all, and for that."""

    exchange: str | None
    symbol: str | None
    interval: str | None
    closed_only: bool


class Wish(NamedTuple):
    """Which rows are wanted; None stands for all."""

    name: str
    """An indicator (``rsi``, or ``rsi:14`` where there are several), ``bar``, or ``*``."""
    exchange: str | None
    symbol: str | None
    interval: str | None
    """Of a bar its size, which is the interval of a time bar."""
    closed_only: bool


class Listener:
    """A callback that was added, with what became of its calls; ``cancel`` ends it.

    Attributes:
        wish: what it hears.
        calls: how often it was called.
        errors: calls that raised.
        errors_in_a_row: the same, since the last call that did not.
        slow: calls that took longer than ``slow_after``.
        lags: times that what waits for an iterator became too much.
        last_error: the last exception, None before the first.
    """

    __slots__ = (
        "_cancel",
        "callback",
        "calls",
        "errors",
        "errors_in_a_row",
        "lags",
        "last_error",
        "slow",
        "wish",
    )

    def __init__(
        self, wish: Wish, callback: Callback, cancel: Callable[[Listener], object]
    ) -> None:
        self.wish = wish
        self.callback = callback
        self.calls = 0
        self.errors = 0
        self.errors_in_a_row = 0
        self.slow = 0
        self.lags = 0
        self.last_error: Exception | None = None
        self._cancel: Callable[[Listener], object] | None = cancel

    @property
    def active(self) -> bool:
        """Whether it still hears."""
        return self._cancel is not None

    def cancel(self) -> None:
        """Hear nothing any more, not even what is being delivered now; twice is as once."""
        cancel, self._cancel = self._cancel, None
        if cancel is not None:
            cancel(self)

    def wants(self, row: Event) -> bool:
        """Tell whether a row, closed or not, is one of those wished for."""
        wish = self.wish
        if isinstance(row, Indicator):
            names: tuple[str, ...] = (row.name, f"{row.name}:{row.params}", _EVERYTHING)
            interval: str | None = row.interval
        elif isinstance(row, Bar):
            names, interval = (_BAR, _EVERYTHING), row.size
        else:
            names, interval = (_EVERYTHING,), None
        return (
            wish.name in names
            and wish.exchange in {None, row.exchange}
            and wish.symbol in {None, row.symbol}
            and wish.interval in {None, interval}
        )


class Fault(NamedTuple):
    """What went wrong with a callback or an iterator."""

    kind: Literal["error", "slow", "lag"]
    """It raised; it took too long; or an iterator lost its oldest rows."""
    listener: Listener
    row: Event
    """The row that it was given."""
    times: int
    """How often this happened to this listener, this time included."""
    error: Exception | None = None
    seconds: float | None = None
    """How long a slow call took."""


class Faults(msgspec.Struct):
    """Counters of an engine over all of its listeners, past ones included."""

    errors: int = 0
    slow: int = 0
    lags: int = 0
    unreported: int = 0
    """Faults of which the hook could not be told, because it raised itself."""


class Listeners:
    """Delivers rows to the callbacks that want them.

    Args:
        on_error: is told of each fault; an exception of its own is counted (``unreported``).
        clock: seconds that never jump, by which a call is timed; None times none.
        slow_after: seconds after which a call is reported as slow.
    """

    def __init__(
        self,
        on_error: Callable[[Fault], object] | None,
        clock: Callable[[], float] | None,
        slow_after: float,
    ) -> None:
        self.faults = Faults()
        self._on_error = on_error
        self._clock = clock
        self._slow_after = slow_after
        self._listeners: list[Listener] = []
        # listeners by what a series' rows have in common; made anew when one comes or goes
        self._found: dict[tuple[str, str, str, str, str], tuple[Listener, ...]] = {}
        # rows that follow from what a callback fed, until those before them were delivered
        self._waiting: deque[Event] = deque()
        self._delivering = False

    def add(self, wish: Wish, callback: Callback) -> Listener:
        """Let a callback hear what it wishes, from the next row on.

        Raises:
            SettingsError: nobody could be told of its faults, or it is no plain function.
        """
        if self._on_error is None:
            raise SettingsError(
                "on_error: expected a function that is told of callbacks' faults, was none "
                "(the Engine of collector_client logs them)"
            )
        if iscoroutinefunction(callback):
            raise SettingsError(
                f"expected a plain function, was the coroutine function {callback.__qualname__!r}: "
                "iterate over the rows instead"
            )
        listener = Listener(wish, callback, self._remove)
        self._listeners.append(listener)
        self._found.clear()
        return listener

    def deliver(self, rows: Iterable[Event]) -> None:
        """Call the callbacks for rows; those of a feed within a callback come after its own."""
        if not self._listeners:
            self._waiting.clear()
            return
        self._waiting.extend(rows)
        if self._delivering:
            return
        self._delivering = True
        try:
            while self._waiting:
                self._deliver(self._waiting.popleft())
        finally:
            self._delivering = False

    def report(self, fault: Fault) -> None:
        """Tell the hook of a fault; its exceptions are counted, and the fault as well."""
        match fault.kind:
            case "error":
                self.faults.errors += 1
            case "slow":
                self.faults.slow += 1
            case "lag":
                self.faults.lags += 1
        try:
            if self._on_error is not None:
                self._on_error(fault)
        except Exception:  # noqa: BLE001  # the hook is a user's; the feed must go on
            self.faults.unreported += 1

    def _remove(self, listener: Listener) -> None:
        self._listeners.remove(listener)
        self._found.clear()

    def _deliver(self, row: Event) -> None:
        if isinstance(row, Indicator):
            series = (row.name, row.params, row.exchange, row.symbol, row.interval)
            closed = row.closed
        elif isinstance(row, Bar):
            series = (_BAR, row.bar_kind, row.exchange, row.symbol, row.size)
            closed = row.closed
        else:
            series, closed = (type(row).__name__, "", row.exchange, row.symbol, ""), True
        found = self._found.get(series)
        if found is None:
            found = tuple(one for one in self._listeners if one.wants(row))
            self._found[series] = found
        for listener in found:
            # a callback before it may have cancelled it
            if listener.active and (closed or not listener.wish.closed_only):
                self._call(listener, row)

    def _call(self, listener: Listener, row: Event) -> None:
        clock = self._clock
        began = 0.0 if clock is None else clock()
        listener.calls += 1
        try:
            listener.callback(row)
        except Exception as error:  # noqa: BLE001  # a callback is a user's; the feed must go on
            listener.errors += 1
            listener.errors_in_a_row += 1
            listener.last_error = error
            self.report(Fault("error", listener, row, listener.errors, error=error))
        else:
            listener.errors_in_a_row = 0
        if clock is not None and (spent := clock() - began) > self._slow_after:
            listener.slow += 1
            self.report(Fault("slow", listener, row, listener.slow, seconds=spent))
