"""Where a service, a script or a program begins: one calculation, a whole file, or many streams."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, Unpack, overload

from collector_core.errors import NumberError, SettingsError
from collector_core.events import Bar, Candle, Clock, Event, Indicator, Status, Trade
from collector_indicators.book_calculation import BookCalculation
from collector_indicators.calculation import NO_ROWS, Calculation
from collector_indicators.candle_calculation import CandleCalculation
from collector_indicators.computable import computable
from collector_indicators.engine_state import Stream, pack, unpack
from collector_indicators.following import Following
from collector_indicators.listeners import (
    Callback,
    Fault,
    Faults,
    Listener,
    Listeners,
    Wanted,
    Wish,
)
from collector_indicators.plan import Entry, Plan
from collector_indicators.selection import Choice, parse_choice
from collector_indicators.settings import CalculationSettings
from collector_indicators.trade_calculation import TradeCalculation

__all__ = ["Engine", "compute", "create"]

_CHANNELS: Final[dict[type[Event], str]] = {Trade: "trade", Clock: "trade", Candle: "candle"}
_ALWAYS: Final = ("bar", "*")
_KINDS: Final[Mapping[str, type[Calculation]]] = {
    "candle": CandleCalculation,
    "bar": TradeCalculation,
    "book": BookCalculation,
}


def create(exchange: str, symbol: str, settings: CalculationSettings) -> Calculation:
    """Return a new calculation for the topic that ``settings.input`` names.

    ``candle`` reads the candle topic of the symbol, ``bar`` its trade topic, ``book`` its book
    topic.
    """
    return _KINDS[settings.input](exchange, symbol, settings)


def compute(
    candles: Iterable[Candle], indicators: Sequence[Choice], *, horizon: int = 2
) -> Iterator[Indicator]:
    """Return the indicator rows over candles, the very ones that the service publishes as closed.

    Each (exchange, symbol, interval) among the candles is a series of its own. Nothing is read
    ahead: a row follows from the candles up to it.

    Raises:
        NumberError: a candle's number is no finite decimal number.
        SettingsError: an interval is none, or an indicator is chosen twice.
    """
    engines: dict[str, Engine] = {}
    for candle in candles:
        engine = engines.get(candle.interval)
        if engine is None:
            engine = engines[candle.interval] = Engine(
                CalculationSettings(
                    "candle",
                    (candle.interval,),
                    tuple(indicators),
                    horizon=horizon,
                    live_every=None,
                )
            )
        for row in engine.feed(candle):
            if isinstance(row, Indicator):
                yield row
        if engine.unusable:
            raise NumberError(
                f"expected decimal numbers, was none in the candle of {candle.open_time}"
            )


class Engine:
    """Bars and indicators of any number of streams, from their rows as they come.

    Rows of different streams may come mixed in any way; those of one stream, which is a channel
    of a symbol, in order. What is given out for a stream follows from its own rows alone, and is
    what the indicator service publishes for it.

    Args:
        plan: what is computed of which streams; settings alone are for all streams.
        on_error: is told of each fault of a callback. Without it there can be none.
        clock: seconds that never jump, by which callbacks are timed; None times none.
        slow_after: seconds after which a callback is reported as slow.
    """

    def __init__(
        self,
        plan: Plan | CalculationSettings,
        *,
        on_error: Callable[[Fault], object] | None = None,
        clock: Callable[[], float] | None = None,
        slow_after: float = 0.1,
    ) -> None:
        if isinstance(plan, CalculationSettings):
            plan = Plan([Entry(Following(["*:*"]), plan)])
        self.plan = plan
        # rows of streams that the plan does not select
        self.foreign = 0
        # rows whose numbers are none, or too large; they are left out, as the service does
        self.unusable = 0
        self._calculations: dict[Stream, Calculation] = {}
        self._halted: set[Stream] = set()
        self._listeners = Listeners(on_error, clock, slow_after)

    # --- rows in --------------------------------------------------------------------------------

    def feed(self, row: Event) -> Sequence[Event]:
        """Take a row; return the rows that follow from it, in order, after the callbacks.

        Raises:
            NumberError: a sum over numbers that are each in bounds is not. That stream is halted,
                its rows count as unusable from now on, and all others go on.
        """
        given = self._feed(row)
        if given:
            self._listeners.deliver(given)
        return given

    def feed_many(self, rows: Iterable[Event]) -> list[Event]:
        """Take rows one after another; return all that follows from them, in order.

        Raises:
            NumberError: as ``feed``; the rows behind are not taken.
        """
        given: list[Event] = []
        for row in rows:
            given += self.feed(row)
        return given

    def run(self, rows: Iterable[Event]) -> Iterator[Event]:
        """Yield what follows from rows as they are read; for files and topics of any length.

        Raises:
            NumberError: as ``feed``.
        """
        for row in rows:
            yield from self.feed(row)

    def warm_up(self, rows: Iterable[Event]) -> None:
        """Take rows of the past: as ``feed_many``, but no callback hears of what follows.

        What is fed afterwards gives what it would give had all been fed. A trade must not be in
        both; a candle may, for one that is told again is not counted again.

        Raises:
            NumberError: as ``feed``.
        """
        for row in rows:
            self._feed(row)

    def _feed(self, row: Event) -> Sequence[Event]:
        stream = _CHANNELS.get(type(row)) or _channel_of(row), row.exchange, row.symbol
        calculation = self._calculations.get(stream)
        if calculation is None:
            settings = self.plan.settings_of(*stream)
            if settings is None:
                self.foreign += 1
                return NO_ROWS
            calculation = create(row.exchange, row.symbol, settings)
            self._calculations[stream] = calculation
        if not computable(row) or stream in self._halted:
            self.unusable += 1
            return NO_ROWS
        try:
            return calculation.feed(row)
        except NumberError as error:
            self._halted.add(stream)
            channel, exchange, symbol = stream
            raise NumberError(f"{channel} of {exchange} {symbol}: {error}") from error

    @property
    def streams(self) -> tuple[Stream, ...]:
        """Channel, exchange and symbol of what was seen, in order of appearance."""
        return tuple(self._calculations)

    @property
    def halted(self) -> frozenset[Stream]:
        """Streams that a sum out of bounds ended."""
        return frozenset(self._halted)

    @property
    def dropped(self) -> int:
        """Rows that came later than the horizon and count nowhere."""
        return sum(sum(one.dropped.values()) for one in self._calculations.values())

    # --- callbacks ------------------------------------------------------------------------------

    @overload
    def on(
        self,
        name: Literal["bar"],
        callback: Callable[[Bar], object],
        **wanted: Unpack[Wanted],
    ) -> Listener: ...
    @overload
    def on(
        self,
        name: Literal["*"],
        callback: Callable[[Bar | Indicator], object],
        **wanted: Unpack[Wanted],
    ) -> Listener: ...
    @overload
    def on(
        self, name: str, callback: Callable[[Indicator], object], **wanted: Unpack[Wanted]
    ) -> Listener: ...
    def on(
        self,
        name: str,
        callback: Callback,
        *,
        exchange: str | None = None,
        symbol: str | None = None,
        interval: str | None = None,
        closed_only: bool = True,
    ) -> Listener:
        """Call a function for each row of a kind, within ``feed``; return how to cancel it.

        Args:
            name: an indicator of the plan (``rsi`` for all of its parameters, ``rsi:14`` for
                one), ``bar``, or ``*`` for all rows.
            callback: takes the row.
            exchange: None for all.
            symbol: None for all.
            interval: of the bar or candle, or the size of another kind of bar; None for all.
            closed_only: leave out live values of bars and candles that are still open.

        Raises:
            SettingsError: the plan computes nothing of that name, the callback is a coroutine
                function, or the engine has no ``on_error``.
        """
        wish = Wish(self._offered(name), exchange, symbol, interval, closed_only)
        return self._listeners.add(wish, callback)

    @property
    def faults(self) -> Faults:
        """Counters of what went wrong with callbacks."""
        return self._listeners.faults

    def report(self, fault: Fault) -> None:
        """Count a fault and tell ``on_error``; for those that listen by other means."""
        self._listeners.report(fault)

    def _offered(self, name: str) -> str:
        choices = [choice for entry in self.plan.entries for choice in entry.settings.indicators]
        # parameters that are left out take their defaults, as everywhere
        wanted = str(parse_choice(name)) if ":" in name else name
        if wanted not in {*_ALWAYS, *map(str, choices), *(choice.name for choice in choices)}:
            offered = dict.fromkeys([*map(str, choices), *_ALWAYS])
            raise SettingsError(
                f"expected one of what the plan computes ({', '.join(offered)}), was {name!r}"
            )
        return wanted

    # --- state ----------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """Return all that the next rows depend on, versioned; callbacks are no part of it."""
        return pack(self._calculations, self._halted, (self.foreign, self.unusable))

    def restore(self, state: bytes) -> None:
        """Go on where ``snapshot`` was called, as if nothing had happened since.

        What is held is replaced; callbacks stay. Streams that the plan does not select are left
        out; intervals and indicators that the state lacks begin here.

        Raises:
            StateError: unreadable, or of another version; the engine is as it was.
        """
        held = unpack(state, self.plan, create)
        self._calculations, self._halted = held.calculations, held.halted
        self.foreign, self.unusable = held.counters


def _channel_of(row: Event) -> str:
    # a status row travels in the topic that it concerns
    return row.channel if isinstance(row, Status) else str(row.__struct_config__.tag)
