"""The contract of one streaming indicator: what a module of the catalogue has to bring."""

from __future__ import annotations

from abc import abstractmethod
from functools import cache
from typing import ClassVar, Generic, Self, TypeVar

import msgspec

from collector_core.errors import StateError
from collector_indicators.named import Named, Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters

__all__ = ["Indicator", "Values"]

P = TypeVar("P", bound=Parameters)
S = TypeVar("S", bound=msgspec.Struct)


class Indicator(Named[P], Generic[P, S]):
    """One indicator over one series of closed bars.

    Cost: ``update`` and ``peek`` take constant time and constant memory, however long the series.
    Determinism: values are a function of the parameters and the bars alone, so streaming, batch
    and a restore in the middle agree bit for bit. Totality: no finite input makes them raise or
    return NaN or an infinity.

    A subclass sets the class variables and writes ``update`` and ``peek``; it keeps everything
    that it knows in ``_state`` and what follows from that in attributes that ``_rebuild`` makes.
    """

    inputs = ("candle", "bar")
    version: ClassVar[int] = 1
    """Raised whenever a stored state of the code before could no longer be continued."""
    state_type: ClassVar[type[msgspec.Struct]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        kind = vars(cls).get("state_type")
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            # now, before threads are: see _decoder
            _decoder(kind)

    def __init__(self, parameters: P) -> None:
        super().__init__(parameters)
        # all that the next value depends on
        self._state: S = self._fresh()
        self._rebuild()

    @classmethod
    def within(cls, parameters: P, state: S) -> Self:
        """Return an indicator that is a part of another one, and keeps what it knows in its state.

        Args:
            parameters: of this indicator.
            state: a part of the other one's state.
        """
        part = cls(parameters)
        part._state = state
        part._rebuild()
        return part

    @property
    @abstractmethod
    def bars_needed(self) -> int:
        """Bars after which every output is defined as its source defines it."""

    @abstractmethod
    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the values over it."""

    @abstractmethod
    def peek(self, bar: Ohlcv) -> Values:
        """Return what ``update`` would return, and change nothing."""

    def warm(self, bar: Ohlcv, bars_seen: int) -> bool:  # noqa: ARG002  # bar: for overrides
        """Tell whether the values over ``bar``, the ``bars_seen``-th one, stand on their own."""
        return bars_seen >= self.bars_needed

    def window_start(self, open_time: int) -> int | None:  # noqa: ARG002  # for overrides
        """Return since when the values over a bar are gathered, if a session says so, else None."""
        return None

    def state(self) -> bytes:
        """Return all that the next values depend on, versioned."""
        return msgspec.msgpack.encode((self.name, self.params, self.version, self._state))

    def restore(self, state: bytes) -> None:
        """Go on from what ``state`` returned.

        Raises:
            StateError: unreadable, or of another indicator, parameters or version.
        """
        wanted = (self.name, self.params, self.version)
        try:
            name, params, version, raw = _STATE(state)
            if (name, params, version) != wanted:
                raise StateError(f"expected state of {wanted}, was {(name, params, version)}")
            self._state = _decoder(self.state_type).decode(raw)  # type: ignore[assignment]  # a ClassVar cannot carry S
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise StateError(f"expected state of {wanted}, was {state[:40]!r}: {error}") from error
        self._rebuild()

    def copy(self) -> Self:
        """Return an independent indicator in the same state."""
        twin = type(self)(self.parameters)
        twin.restore(self.state())
        return twin

    def _fresh(self) -> S:
        return self.state_type()  # type: ignore[return-value]  # a ClassVar cannot carry S

    def _rebuild(self) -> None:
        """Make what follows from parameters and state."""


@cache
def _decoder(kind: type[msgspec.Struct]) -> msgspec.msgpack.Decoder[msgspec.Struct]:
    # A decoder takes longer to build than to use a hundred times; and msgspec 0.22 uses what it
    # knows of a struct while another thread is still finding it out, which ends the process.
    return msgspec.msgpack.Decoder(kind)


_STATE = msgspec.msgpack.Decoder(tuple[str, str, int, msgspec.Raw]).decode
