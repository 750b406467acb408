"""The truth log: what really happened on a simulated market, to compare the bus with.

JSON lines, one object each, ``type`` first. Every trade of the market stands in it before a
frame that tells of it is sent, and every fault when it was done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, TypeAlias

import msgspec

from collector_core.errors import CodecError
from collector_core.events import Side

__all__ = ["TruthFault", "TruthLog", "TruthRecord", "TruthTrade", "read_truth"]


class TruthTrade(msgspec.Struct, frozen=True, gc=False, tag_field="type", tag="trade"):
    """A trade of the market, with the id and the digits that the exchange's stream gives it.

    ``exchange_time`` has the precision of the stream. An exchange that spells a number otherwise
    in another format or over REST gives the same number with other trailing zeros.
    """

    exchange: str
    symbol: str
    id: str
    price: str
    amount: str
    side: Side
    exchange_time: int


class TruthFault(msgspec.Struct, frozen=True, tag_field="type", tag="fault"):
    """A fault that was done. Empty: not of one channel, symbol or connection.

    A fault of frames has a record for each frame that it hit, with the trades that were in it.
    What a client that stayed connected cannot have is so the trades of its records with ``lost``.
    """

    exchange: str
    kind: str
    time: int
    """Microseconds since the epoch."""
    channel: str = ""
    symbol: str = ""
    connections: tuple[int, ...] = ()
    detail: str = ""
    """The beginning of the frame, or the status of the answer."""
    trades: tuple[str, ...] = ()
    """Ids of the trades that the frame carries, as in the records of the trades."""
    lost: bool = False
    """The connections did not get what the frame tells."""


TruthRecord: TypeAlias = TruthTrade | TruthFault

_encode: Final = msgspec.json.Encoder().encode
_DECODER: Final[msgspec.json.Decoder[TruthRecord]] = msgspec.json.Decoder(TruthRecord)


class TruthLog:
    """Appends records to a file; when ``write`` returns, the operating system has them.

    Args:
        path: file to append to; it is made when it is not there.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)

    def write(self, records: Iterable[TruthRecord]) -> None:
        """Append records, one a line, in one write."""
        lines = b"".join([_encode(record) + b"\n" for record in records])
        # a raw file may write less than it was given
        view = memoryview(lines)
        while view:
            view = view[self._file.write(view) :]

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> TruthLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def read_truth(path: Path) -> Iterator[TruthRecord]:
    """Yield the records of a truth log; a last line that is still being written is left out.

    Raises:
        CodecError: a whole line is no record.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            try:
                yield _DECODER.decode(line)
            except msgspec.MsgspecError as error:
                text = f"expected a truth record in line {number} of {path}, was {line[:80]!r}"
                raise CodecError(f"{text}: {error}") from error
