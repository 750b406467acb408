"""Print the indicators of one symbol: indicators.py EXCHANGE BASE/QUOTE [ROWS].

Or the rows of files: indicators.py --golden FILE...
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from collector_client import subscribe
from collector_core.codec import decode
from collector_core.events import Indicator, Row, Status
from collector_core.topics import key_of


class Printer:
    """Prints rows, and remembers which have been replaced."""

    def __init__(self) -> None:
        # keys are never forgotten here: a topic keeps 30 days
        self._revisions: dict[str, int] = {}

    def show(self, row: Row) -> bool:
        """Print a row; tell whether it was a value that is not out of date."""
        match row:
            case Status():
                print("---", row.state, row.reason or "-")
                return False
            case Indicator() if self._is_new(row):
                print(line(row))
                return True
        return False

    def _is_new(self, row: Indicator) -> bool:
        """Tell whether this value is not replaced yet.

        Live values replace each other, the closed one replaces them, and a closed one with a higher
        revision that one.
        """
        key = key_of(row)
        replaced = self._revisions.get(key, -1)
        if row.closed and row.revision > replaced:
            self._revisions[key] = row.revision
            return True
        return not row.closed and replaced < 0


def line(row: Indicator) -> str:
    """Return what one wants to see of a value."""
    time = datetime.fromtimestamp(row.open_time // 1_000_000, UTC)
    words = [
        time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        row.input,
        row.interval,
        f"{row.name}:{row.params}" if row.params else row.name,
        # doubles, with the digits of the row
        *(f"{name}={msgspec.json.encode(value).decode()}" for name, value in row.values.items()),
        "closed" if row.closed else "live",
        f"revision={row.revision}",
        f"bars={row.bars_seen}",
        "warm" if row.warm else "warming",
        *(["incomplete"] if row.incomplete else []),
    ]
    return " ".join(words)


async def follow(exchange: str, symbol: str, rows: int) -> None:
    """Print ``rows`` values of a topic, from its beginning on."""
    printer = Printer()
    async with subscribe(
        "indicator", exchange=exchange, symbol=symbol, start="earliest", gaps=True
    ) as subscription:
        async for row in subscription:
            rows -= printer.show(row)
            if rows == 0:
                return


def main(given: list[str]) -> None:
    """Read files, or a topic."""
    if len(given) > 1 and given[0] == "--golden":
        printer = Printer()
        for name in given[1:]:
            for text in Path(name).read_bytes().splitlines():
                printer.show(decode(text))
    elif len(given) in {2, 3}:
        asyncio.run(follow(given[0], given[1], int(given[2]) if len(given) == 3 else -1))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
