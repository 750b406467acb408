"""The engine of indicators in a program: faults are logged, callbacks timed, rows iterated over.

>>> from collector_client import Engine
>>> engine = Engine(plan)
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any, Final, Generic, Literal, Self, TypeVar, Unpack, overload

from collector_core.errors import SettingsError
from collector_core.events import Bar, Event, Indicator
from collector_indicators import engine as pure
from collector_indicators.listeners import Fault, Listener, Wanted
from collector_indicators.plan import Plan
from collector_indicators.settings import CalculationSettings

__all__ = ["Engine", "RowStream", "Rows", "log_first"]

Rows = TypeVar("Rows", bound=Event)

_LOG: Final = logging.getLogger("collector.engine")


def log_first(fault: Fault) -> None:
    """Log the first fault of each kind of a listener, an error with its traceback.

    Later ones are counted, by the listener and in ``Engine.faults``.
    """
    if fault.times > 1:
        return
    wish = fault.listener.wish
    name = getattr(fault.listener.callback, "__qualname__", repr(fault.listener.callback))
    match fault.kind:
        case "error":
            _LOG.error(
                "callback %s for %r raised; further errors are counted",
                *(name, wish.name),
                exc_info=fault.error,
            )
        case "slow":
            _LOG.warning(
                "callback %s for %r took %.3f s; further slow calls are counted",
                *(name, wish.name, fault.seconds),
            )
        case "lag":
            _LOG.warning(
                "an iterator over %r is slower than its rows and lost the oldest; "
                "how many is counted",
                wish.name,
            )


class RowStream(Generic[Rows]):
    """An asynchronous iterator over rows of an engine; made by ``Engine.rows``.

    It keeps the newest rows up to its limit. What comes when that many wait takes the place of
    the oldest, which is counted (``dropped``) and reported when it begins (``lag``).

    In a loop of its own it ends itself when the loop is left; entered with ``async with`` it stays
    for further loops until the block is left. To be fed and iterated over in one thread.

    Attributes:
        dropped: rows lost so far.
    """

    def __init__(self, limit: int, report: Callable[[Fault], None]) -> None:
        if limit < 1:
            raise SettingsError(f"limit: expected at least 1 row, was {limit}")
        self.dropped = 0
        self._rows: deque[Rows] = deque(maxlen=limit)
        self._report = report
        self._ready = asyncio.Event()
        self._listener: Listener | None = None
        self._entered = False
        # rows were lost since it last had none waiting
        self._lagging = False

    @property
    def open(self) -> bool:
        """Whether further rows may come."""
        return self._listener is not None

    @property
    def waiting(self) -> int:
        """Rows that were not taken yet."""
        return len(self._rows)

    def follow(self, listener: Listener) -> Self:
        """Tell which listener calls ``put``; it is cancelled at the end."""
        self._listener = listener
        return self

    def put(self, row: Rows) -> None:
        """Let a row wait for the loop."""
        if len(self._rows) == self._rows.maxlen:
            self.dropped += 1
            if not self._lagging and self._listener is not None:
                self._lagging = True
                self._listener.lags += 1
                self._report(Fault("lag", self._listener, row, self._listener.lags))
        self._rows.append(row)
        self._ready.set()

    def close(self) -> None:
        """End it; a loop over it takes what waits and ends then."""
        if self._listener is not None:
            self._listener.cancel()
        self._listener = None
        self._ready.set()

    async def __aenter__(self) -> Self:
        self._entered = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def __aiter__(self) -> AsyncIterator[Rows]:
        try:
            while True:
                try:
                    yield await self.__anext__()
                except StopAsyncIteration:
                    return
        finally:
            if not self._entered:
                self.close()

    async def __anext__(self) -> Rows:
        """Return the next row that was not lost."""
        while not self._rows:
            if self._listener is None:
                raise StopAsyncIteration
            self._ready.clear()
            await self._ready.wait()
        row = self._rows.popleft()
        if not self._rows:
            self._lagging = False
        return row


class Engine(pure.Engine):
    """``collector_indicators.engine.Engine`` as a program wants it.

    Args:
        plan: what is computed of which streams; settings alone are for all streams.
        on_error: is told of each fault; by default the first of each kind of a callback is logged
            (logger ``collector.engine``).
        clock: seconds that never jump, by which callbacks are timed.
        slow_after: seconds after which a callback is reported as slow.
    """

    def __init__(
        self,
        plan: Plan | CalculationSettings,
        *,
        on_error: Callable[[Fault], object] = log_first,
        clock: Callable[[], float] | None = time.monotonic,
        slow_after: float = 0.1,
    ) -> None:
        super().__init__(plan, on_error=on_error, clock=clock, slow_after=slow_after)
        self._streams: list[RowStream[Any]] = []

    @overload
    def rows(  # type: ignore[overload-overlap]  # the word decides
        self, name: Literal["bar"], *, limit: int = 1_000, **wanted: Unpack[Wanted]
    ) -> RowStream[Bar]: ...
    @overload
    def rows(  # type: ignore[overload-overlap]  # the word decides
        self, name: Literal["*"], *, limit: int = 1_000, **wanted: Unpack[Wanted]
    ) -> RowStream[Bar | Indicator]: ...
    @overload
    def rows(
        self, name: str, *, limit: int = 1_000, **wanted: Unpack[Wanted]
    ) -> RowStream[Indicator]: ...
    def rows(self, name: str, *, limit: int = 1_000, **wanted: Unpack[Wanted]) -> RowStream[Any]:
        """Return an asynchronous iterator over rows of a kind, from the next one on.

        Args:
            name: as of ``on``.
            limit: rows that wait at most; of more the oldest are lost, and counted.
            **wanted: ``exchange``, ``symbol``, ``interval`` and ``closed_only``, as of ``on``.

        Raises:
            SettingsError: as ``on``, or a limit below 1.
        """
        stream: RowStream[Any] = RowStream(limit, self.report)
        listener = self.on(name, stream.put, **wanted)
        self._streams = [*(one for one in self._streams if one.open), stream]
        return stream.follow(listener)

    def close(self) -> None:
        """Say that nothing more is fed: each iterator ends when its loop has taken what waits."""
        for stream in self._streams:
            stream.close()
        self._streams = []
