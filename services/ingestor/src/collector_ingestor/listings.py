"""What an exchange lists, as its instruments are asked for again and again."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from collector_core.errors import FrameError, SymbolError
from collector_core.events import Event, Instrument
from collector_core.symbols import SymbolTable

__all__ = ["Listings"]

_ENVELOPE = {field.name for field in msgspec.structs.fields(Event)}
_FACTS = [f.name for f in msgspec.structs.fields(Instrument) if f.name not in _ENVELOPE]


class Listings:
    """The instruments of one exchange.

    An instrument that an answer lacks is delisted when the next one lacks it too: a page that an
    exchange forgot once must not end the streams of everything on it. One that the exchange itself
    calls delisted is so at once.
    """

    def __init__(self) -> None:
        # both spellings; what was listed once can still be read
        self.table = SymbolTable()
        # our symbols that are listed
        self.instruments: dict[str, Instrument] = {}
        # symbols that the last answer lacked
        self._missing: set[str] = set()
        # venue symbols that stand for a symbol of another one, and why they are passed over
        self.refused: dict[str, str] = {}

    def update(self, answer: Sequence[Instrument]) -> list[Instrument]:
        """Take the exchange's answer; return what is new, changed or, with that state, delisted.

        Raises:
            FrameError: it lists nothing, which no exchange does.
        """
        if not answer:
            raise FrameError("expected a list of instruments, was empty")
        changes: list[Instrument] = []
        named: set[str] = set()
        for instrument in answer:
            symbol = instrument.symbol
            if symbol in named or not self._readable(instrument):
                continue
            named.add(symbol)
            known = self.instruments.get(symbol)
            if instrument.state == "delisted":
                if known is not None:
                    del self.instruments[symbol]
                    changes.append(instrument)
            elif known is None or _facts(known) != _facts(instrument):
                self.instruments[symbol] = instrument
                changes.append(instrument)
        lacking = self.instruments.keys() - named
        for symbol in sorted(lacking & self._missing):
            gone = self.instruments.pop(symbol)
            time = answer[0].receive_time
            changes.append(replace(gone, state="delisted", exchange_time=None, receive_time=time))
        self._missing = lacking - self._missing
        return changes

    def _readable(self, instrument: Instrument) -> bool:
        try:
            self.table.add(instrument.symbol, instrument.venue_symbol)
        except SymbolError as error:
            self.refused[instrument.venue_symbol] = str(error)
            return False
        return True


def _facts(instrument: Instrument) -> tuple[object, ...]:
    # its times, and the numbers that its publisher stamped, say nothing of what is listed
    return tuple(getattr(instrument, name) for name in _FACTS)
