"""The frames of a folder that ``collector record`` or an incident wrote, played in order.

Each connection of it has a player of its own, as live; they share the exchange's symbols. REST
answers are given where they came, so that a book starts from the snapshot that it started from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from collector_cli.replay.answers import Listing, Snapshots
from collector_cli.replay.player import Player
from collector_core.errors import CodecError, SettingsError
from collector_core.events import Event
from collector_feed.adapter import Adapter
from collector_feed.outputs import Undecodable
from collector_runtime.recording.manifest import MANIFEST
from collector_runtime.recording.reading import Place, Recording

__all__ = ["Connections", "exchange_of", "is_recording", "listing_of"]


def is_recording(path: str) -> bool:
    """Tell whether a path is a folder, which only recordings are."""
    return Path(path).is_dir()


def exchange_of(recordings: Sequence[Recording], named: str | None) -> str:
    """Return whose frames are replayed: as named, or as the recordings say.

    Raises:
        SettingsError: nothing says it, or two things say differently.
    """
    found = {recording.manifest.source.exchange for recording in recordings}
    if named is not None:
        found.add(named)
    if not found:
        raise SettingsError("expected --exchange NAME: frames do not say whose they are")
    if len(found) > 1:
        raise SettingsError(f"expected frames of one exchange, was {', '.join(sorted(found))}")
    return found.pop()


def listing_of(recordings: Sequence[Recording]) -> Listing | None:
    """Return the first list of symbols that was recorded along, if one was."""
    for recording in recordings:
        body = recording.instruments()
        if body is not None:
            return Listing(str(recording.folder / MANIFEST), body)
    return None


class Connections:
    """Plays the lines of one recording.

    Args:
        adapter: knows the exchange's symbols.
        snapshots: book snapshots given beside the recording; they win over recorded ones.
        recording: what is played.
        complain: is told of what cannot be used.
    """

    def __init__(
        self,
        adapter: Adapter,
        snapshots: Snapshots,
        recording: Recording,
        complain: Callable[[str], None],
    ) -> None:
        self._adapter = adapter
        self._snapshots = snapshots
        self._recording = recording
        self._complain = complain
        self._players: dict[str, Player] = {}

    def lines(self) -> Iterator[Place]:
        """Return the lines of the recording, in order."""
        return self._recording.lines(self._complain)

    def play(self, place: Place) -> Sequence[Event | Undecodable]:
        """Return the rows that follow from a line.

        Raises:
            CodecError: its payload cannot be read.
        """
        line = place.line
        player = self._players.get(line.connection)
        if player is None:
            player = self._players[line.connection] = self._player()
        match line.direction:
            case "in":
                return player.play(line.data(), line.receive_time)
            case "answer":
                if line.request is None:
                    raise CodecError("expected an answer's request, was none")
                return player.answer(line.request, line.data(), line.receive_time)
            case "closed":
                player.interrupted()
            case "dropped":
                self._complain(f"{place.source}:{place.number}: not recorded: {line.payload}")
            case "opened" | "out":
                pass
        return []

    def _player(self) -> Player:
        adapter = type(self._adapter)(self._adapter.symbols)
        answered = self._recording.manifest.source.answers
        return Player(adapter, self._snapshots, self._complain, answered=answered)
