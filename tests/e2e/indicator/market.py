"""Input as exchanges make it: trades, clocks, candles, gaps filled and unfilled, late trades."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from collector_core.events import Candle, Clock, Event, Side, State, Status, Trade

START = 1_760_000_000_000_000
_SECOND = 1_000_000


class Market:
    """One symbol's rows, from a seed; time is the market's and goes as fast as rows are asked for.

    Args:
        exchange: as in the rows.
        symbol: as in the rows.
        seed: the same gives the same rows.
        pace: mean microseconds between two trades.
    """

    def __init__(self, exchange: str, symbol: str, seed: int, pace: int = 50_000) -> None:
        self.exchange = exchange
        self.symbol = symbol
        self._random = Random(seed)
        self._pace = pace
        self._now = START + self._random.randrange(_SECOND)
        self._price = 10_000 + 1_000 * seed
        self._id = 0
        self._seq = {"trade": 0, "candle": 0}
        self._candle: list[int] = []

    def rows(self, count: int) -> Iterator[tuple[str, Event]]:
        """Yield about ``count`` rows with their channel."""
        given = 0
        while given < count:
            for row in self._step():
                given += 1
                yield row

    def _step(self) -> Iterator[tuple[str, Event]]:
        dice = self._random.random()
        if dice < 0.004:
            yield from self._gap(filled=self._random.random() < 0.5)
        elif dice < 0.03:
            # arrives late: within the horizon, or far beyond it
            back = self._random.choice((300_000, 1_200_000, 2_500_000, 30_000_000))
            yield "trade", self._trade(self._now - back)
        elif dice < 0.06:
            self._now += _SECOND + self._random.randrange(2 * _SECOND)
            yield "trade", self._clock()
        elif dice < 0.07:
            yield "trade", self._status("connected")
        elif dice < 0.08:
            self._advance()
            yield "trade", self._trade(None)
        else:
            self._advance()
            yield "trade", self._trade(self._now)
        yield from self._candles()

    def _advance(self) -> None:
        self._now += self._random.randrange(2 * self._pace)
        self._price += self._random.randrange(-20, 21)

    def _gap(self, *, filled: bool) -> Iterator[tuple[str, Event]]:
        lost = self._random.randrange(2, 8)
        first = self._id + 1
        yield "trade", self._status("gap", str(first), str(first + lost - 1), lost, "id")
        if filled:
            for _ in range(lost):
                self._advance()
                yield "trade", self._trade(self._now, backfilled=True)
            yield (
                "trade",
                self._status("backfilled", str(first), str(first + lost - 1), lost, "id"),
            )
        else:
            self._id += lost
            self._now += 3 * _SECOND

    def _candles(self) -> Iterator[tuple[str, Event]]:
        opened = self._now // _SECOND * _SECOND
        if self._candle and self._candle[0] != opened:
            yield "candle", self._candle_row(closed=True)
            self._candle = []
        if not self._candle:
            self._candle = [opened, self._price, self._price, self._price, self._price, 0]
        _, first, high, low, _, volume = self._candle
        price = self._price
        self._candle = [opened, first, max(high, price), min(low, price), price, volume + 1]
        if self._random.random() < 0.3:
            yield "candle", self._candle_row(closed=False)

    def _candle_row(self, *, closed: bool) -> Candle:
        opened, *prices, volume = self._candle
        first, high, low, last = (f"{price / 100:.2f}" for price in prices)
        return Candle(
            *self._head("candle", self._now),
            "1s",
            opened,
            opened + _SECOND,
            first,
            high,
            low,
            last,
            str(volume),
            None,
            volume,
            closed,
        )

    def _trade(self, time: int | None, *, backfilled: bool = False) -> Trade:
        self._id += 1
        amount = f"{self._random.randrange(1, 10**6) / 10**5:.5f}"
        sides: tuple[Side | None, ...] = ("buy", "sell", None)
        side = self._random.choice(sides)
        return Trade(
            *self._head("trade", time),
            str(self._id),
            f"{self._price / 100:.2f}",
            amount,
            side,
            backfilled,
        )

    def _clock(self) -> Clock:
        return Clock(*self._head("trade", None), self._now // _SECOND * _SECOND)

    def _status(
        self,
        state: State,
        first: str | None = None,
        last: str | None = None,
        lost: int | None = None,
        unit: str | None = None,
    ) -> Status:
        head = self._head("trade", None)
        return Status(*head, state, "trade", None, first, last, lost, unit)  # type: ignore[arg-type]  # id, or none

    def _head(self, channel: str, time: int | None) -> tuple[str, str, int | None, int, int, int]:
        self._seq[channel] += 1
        return self.exchange, self.symbol, time, self._now + 2_000, START, self._seq[channel]
