"""Recorded REST answers: instruments for the symbol table, snapshots for the books."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from collector_core.errors import FrameError, SettingsError, SymbolError
from collector_core.symbols import SymbolTable
from collector_exchanges.discovery import adapter, replay_adapter
from collector_feed.adapter import Adapter
from collector_feed.outputs import BookSnapshot

__all__ = ["Listing", "Snapshots", "open_adapter", "parse_assignments", "read_listing"]

Complain = Callable[[str], None]


class Listing(NamedTuple):
    """The exchange's own list of its symbols, and where it came from."""

    source: str
    body: bytes


def read_listing(path: str) -> Listing:
    """Return a listing out of a file.

    Raises:
        SettingsError: it cannot be read.
    """
    return Listing(path, _read(path))


def open_adapter(exchange: str, instruments: Listing | None, complain: Complain) -> Adapter:
    """Return an adapter that knows the symbols of a recorded instrument list.

    Without one, symbols are split by the exchange's known quote currencies.

    Args:
        exchange: its name.
        instruments: the exchange's own REST answer.
        complain: is told of each instrument that had to be left out.

    Raises:
        SettingsError: unknown exchange, or a listing that is not its answer.
    """
    if instruments is None:
        return replay_adapter(exchange)
    kind = adapter(exchange)
    request = kind(SymbolTable()).instruments()
    try:
        listed = request.parse(instruments.body, None)
    except FrameError as error:
        raise SettingsError(
            f"expected {kind.spec.title}'s answer to {request.path} in {instruments.source}: "
            f"{error}"
        ) from error
    symbols = SymbolTable()
    for instrument in listed:
        try:
            symbols.add(instrument.symbol, instrument.venue_symbol)
        except SymbolError as error:
            complain(f"{instruments.source}: {error}")
    return kind(symbols)


def parse_assignments(texts: Sequence[str]) -> dict[str, str]:
    """Return ``SYMBOL=FILE`` texts as a mapping.

    Raises:
        SettingsError: one is not of that form, or names a symbol again.
    """
    found: dict[str, str] = {}
    for text in texts:
        symbol, equals, path = text.partition("=")
        if not (symbol and equals and path):
            raise SettingsError(f"expected --snapshot SYMBOL=FILE, was {text!r}")
        if symbol in found:
            raise SettingsError(f"expected one --snapshot for {symbol}, was another: {path}")
        found[symbol] = path
    return found


class Snapshots:
    """The recorded book snapshots, given out one at each wish.

    Args:
        files: path by symbol, in our spelling or the exchange's; a file is one JSON document, or
            several, one a line, of which each wish takes the next.
        decoder: reads the answers and the exchange's spelling.

    Raises:
        SettingsError: a file cannot be read, or a symbol is none of the exchange's.
    """

    def __init__(self, files: Mapping[str, str], decoder: Adapter) -> None:
        self._adapter = decoder
        self._files: dict[str, str] = {}
        for symbol, path in files.items():
            ours = self._ours(symbol)
            if ours in self._files:
                raise SettingsError(f"expected one --snapshot for {ours}, was another: {path}")
            self._files[ours] = path
        self._answers: dict[str, deque[tuple[int, bytes]]] = {}
        for path in self._files.values():
            # a missing file is said now, not when it is wanted after an hour of frames
            if not Path(path).is_file():
                raise SettingsError(f"expected a snapshot file, was {path}, which is not there")
        # symbols whose file was wanted at least once
        self.wanted: set[str] = set()

    def given(self, symbol: str) -> bool:
        """Tell whether there is a file for a symbol, used up or not."""
        return symbol in self._files

    def next(self, symbol: str, receive_time: int | None) -> BookSnapshot | None:
        """Return the next snapshot of a symbol; None when there is none (left).

        Raises:
            FrameError: the file has something else; names file and line.
        """
        path = self._files.get(symbol)
        if path is None:
            return None
        if symbol not in self.wanted:
            self.wanted.add(symbol)
            self._answers[symbol] = _documents(_read(path))
        answers = self._answers[symbol]
        if not answers:
            return None
        line, body = answers.popleft()
        try:
            return self._adapter.book(symbol).parse(body, receive_time)
        except FrameError as error:
            raise FrameError(f"{path}:{line}: {error}") from error

    def unused(self) -> list[tuple[str, str]]:
        """Return symbol and file of the snapshots that no book asked for."""
        return [(s, path) for s, path in self._files.items() if s not in self.wanted]

    def _ours(self, symbol: str) -> str:
        if "/" in symbol:
            return symbol
        try:
            return self._adapter.symbols.from_venue(symbol)
        except SymbolError as error:
            raise SettingsError(f"--snapshot {symbol}: {error}") from error


def _documents(body: bytes) -> deque[tuple[int, bytes]]:
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except msgspec.DecodeError:
        # not one document: one a line
        lines = enumerate(body.split(b"\n"), 1)
        return deque((number, line) for number, line in lines if line.strip())
    return deque([(1, body)])


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise SettingsError(f"expected a readable file, was {path}: {error.strerror}") from error
