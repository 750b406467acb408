"""Looks at what an exchange lists that fail, and those that come after."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from collector_core.errors import FrameError, RequestError, Throttled
from collector_core.events import Instrument
from collector_core.symbols import SymbolTable
from collector_exchanges.binance import ADAPTER
from collector_feed.outputs import Request
from collector_feed.request_queue import Priority
from collector_ingestor.fetcher import Fetcher
from collector_ingestor.listing_watch import ListingWatch

BTC = Instrument(
    "binance", "BTC/USDT", None, 1, 0, 0, "BTCUSDT", "BTC", "USDT", None, None, None, None,
    "trading",
)  # fmt: skip


class Scripted:
    """Answers with errors first, then with a list."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.asked: list[tuple[str, Priority]] = []

    async def fetch(self, request: Request[Any], priority: Priority) -> list[Instrument]:
        self.asked.append((request.path, priority))
        if self._errors:
            raise self._errors.pop(0)
        return [BTC]


def watch(fetcher: Scripted) -> ListingWatch:
    return ListingWatch(ADAPTER(SymbolTable()), cast("Fetcher", fetcher), lambda: 0.0)


async def test_a_look_that_fails_is_followed_by_the_next() -> None:
    fetcher = Scripted(
        RequestError("away"), FrameError("no list"), Throttled("too many", 429, 0.01)
    )
    taken = asyncio.Event()
    answers: list[Sequence[Instrument]] = []

    def take(answer: Sequence[Instrument]) -> None:
        answers.append(answer)
        if len(answers) == 1:
            # an answer that lists nothing is refused by whoever takes it
            raise FrameError("expected a list of instruments, was empty")
        taken.set()

    task = asyncio.create_task(watch(fetcher).run(0.005, take))
    await asyncio.wait_for(taken.wait(), 30)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert answers[:2] == [[BTC], [BTC]]
    assert fetcher.asked[:5] == [("/api/v3/exchangeInfo", Priority.ROUTINE)] * 5


async def test_the_first_look_is_made_until_it_succeeds() -> None:
    fetcher = Scripted(RequestError("away"))
    assert await asyncio.wait_for(watch(fetcher).first(), 30) == [BTC]
    assert len(fetcher.asked) == 2
