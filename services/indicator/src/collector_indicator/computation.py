"""One symbol's calculation with what its publisher has to know beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collector_core.errors import StateError
from collector_core.events import Event
from collector_indicator.rebuild import Rebuild
from collector_indicator.state_rows import Kind
from collector_indicators.calculation import Calculation
from collector_indicators.engine import create
from collector_indicators.settings import CalculationSettings

__all__ = ["Computation"]


class Computation:
    """Rows of one symbol in, rows to publish out, state on demand.

    Args:
        exchange: as in the rows.
        symbol: as in the rows.
        settings: what to compute.
        rebuild: what is published already, if the calculation begins anew over it.
    """

    def __init__(
        self,
        exchange: str,
        symbol: str,
        settings: CalculationSettings,
        rebuild: Rebuild | None = None,
    ) -> None:
        self.exchange = exchange
        self.symbol = symbol
        self._calculation = create(exchange, symbol, settings)
        self._rebuild = rebuild
        # rows beyond the horizon that were told of already
        self._told = 0

    @classmethod
    def restored(
        cls, exchange: str, symbol: str, settings: CalculationSettings, rows: Mapping[Kind, bytes]
    ) -> Computation:
        """Go on from the state rows of a symbol.

        Raises:
            StateError: they are unreadable, of another version, or do not belong together.
        """
        if "open" not in rows:
            raise StateError(
                f"{exchange} {symbol}: expected an open state row, was {', '.join(rows)} alone"
            )
        rebuild = Rebuild.of(rows["rebuild"]) if "rebuild" in rows else None
        computation = cls(exchange, symbol, settings, rebuild)
        computation._calculation.restore(rows["open"], rows.get("closed"))
        computation._told = computation._late()
        return computation

    # --- changed settings -----------------------------------------------------------------------

    def with_settings(self, settings: CalculationSettings) -> Computation:
        """Return a computation that goes on from here with other settings.

        Raises:
            NumberError: as ``state``.
        """
        calculation = self._calculation
        calculation.next_offset = 0
        other = Computation(self.exchange, self.symbol, settings, self._rebuild)
        other._calculation.restore(calculation.open_state(), calculation.closed_state())
        other._told = other._late()
        return other

    @property
    def settings(self) -> CalculationSettings:
        """What is computed."""
        return self._calculation.settings

    @property
    def begins(self) -> bool:
        """Whether some of it began where the state ended: the history may tell more."""
        return self._calculation.begins

    def adopt(self, reader: Calculation) -> None:
        """Take over what began here from a calculation that was fed with the rows before."""
        self._calculation.adopt(reader)

    def begin_here(self) -> None:
        """Do without a history for what began here."""
        self._calculation.begin_here()

    @property
    def next_offset(self) -> int:
        """Offset of the first input row that it has not taken."""
        return self._calculation.next_offset

    def feed(self, rows: Sequence[Event]) -> list[Event]:
        """Take input rows; return the rows to publish, in order.

        Raises:
            NumberError: as ``Calculation.feed``; the computation is of no more use then.
        """
        given = self._calculation.feed_many(rows)
        if given and self._rebuild is not None:
            return self._rebuild.admit(given)
        return given

    def state(self, next_offset: int) -> dict[Kind, bytes]:
        """Return the state rows that changed since the last call (the open one always).

        Raises:
            NumberError: as ``feed``.
        """
        calculation = self._calculation
        calculation.next_offset = next_offset
        rows: dict[Kind, bytes] = {"open": calculation.open_state()}
        if calculation.closed_changed:
            rows["closed"] = calculation.closed_state()
        if self._rebuild is not None:
            rows["rebuild"] = self._rebuild.state()
        return rows

    def late_since(self) -> int:
        """Return how many input rows came beyond the horizon since the last call."""
        late = self._late()
        since, self._told = late - self._told, late
        return since

    def _late(self) -> int:
        return sum(self._calculation.dropped.values())
