"""Print the trades of one symbol: trades.py EXCHANGE BASE/QUOTE [ROWS]."""

from __future__ import annotations

import asyncio
import sys

from collector_client import subscribe
from collector_core.events import Status, Trade


async def main(exchange: str, symbol: str, rows: int) -> None:
    """Print ``rows`` trades, and what interrupts them."""
    async with subscribe(
        "trade", exchange=exchange, symbol=symbol, start="earliest", gaps=True
    ) as subscription:
        async for row in subscription:
            match row:
                case Trade():
                    # price and amount are texts, exact; Decimal(row.price) computes with them
                    time = "-" if row.exchange_time is None else row.exchange_time
                    print(time, row.side or "-", row.amount, "at", row.price)
                    rows -= 1
                case Status():
                    print("---", row.state, row.reason or "-")
            if rows == 0:
                return


if __name__ == "__main__":
    given = sys.argv[1:]
    if len(given) not in {2, 3}:
        sys.exit(__doc__)
    asyncio.run(main(given[0], given[1], int(given[2]) if len(given) == 3 else -1))
