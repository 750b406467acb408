"""Which subscription goes to which connection, within the exchange's limit of each.

A symbol's subscriptions stay together, so that trouble of one connection is trouble of whole
symbols, and an assignment never moves while it stands: adding a symbol disturbs no other.
"""

from __future__ import annotations

from collections.abc import Iterable

from collector_core.errors import SettingsError
from collector_feed.outputs import Subscription

__all__ = ["Sharding"]


class Sharding:
    """Assigns subscriptions to numbered connections.

    Args:
        limit: subscriptions that one connection may hold.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        # connection number -> its subscriptions
        self._shards: dict[int, set[Subscription]] = {}
        # symbol -> connection number
        self._home: dict[str, int] = {}

    def add(self, subscriptions: Iterable[Subscription]) -> dict[int, list[Subscription]]:
        """Assign new subscriptions; return what each connection gains, known ones left out.

        All of them or, with an error, none.

        Raises:
            SettingsError: one symbol has more subscriptions than a connection may hold.
        """
        by_symbol: dict[str, list[Subscription]] = {}
        for subscription in subscriptions:
            home = self._home.get(subscription.symbol)
            if home is None or subscription not in self._shards[home]:
                wanted = by_symbol.setdefault(subscription.symbol, [])
                if subscription not in wanted:
                    wanted.append(subscription)
        gained: dict[int, list[Subscription]] = {}
        try:
            for symbol, wanted in by_symbol.items():
                number = self._place(symbol, len(wanted))
                self._home[symbol] = number
                self._shards[number].update(wanted)
                gained.setdefault(number, []).extend(wanted)
        except SettingsError:
            # the caller learns of none, so none may stay assigned
            self.remove([s for wanted in gained.values() for s in wanted])
            raise
        return gained

    def remove(self, subscriptions: Iterable[Subscription]) -> dict[int, list[Subscription]]:
        """Take subscriptions away; return what each connection loses."""
        lost: dict[int, list[Subscription]] = {}
        for subscription in subscriptions:
            home = self._home.get(subscription.symbol)
            if home is None or subscription not in self._shards[home]:
                continue
            shard = self._shards[home]
            shard.remove(subscription)
            lost.setdefault(home, []).append(subscription)
            if not any(s.symbol == subscription.symbol for s in shard):
                del self._home[subscription.symbol]
        return lost

    def held(self, number: int) -> frozenset[Subscription]:
        """Return what a connection holds."""
        return frozenset(self._shards.get(number, ()))

    def _place(self, symbol: str, count: int) -> int:
        home = self._home.get(symbol)
        if home is not None:
            if len(self._shards[home]) + count > self._limit:
                raise SettingsError(
                    f"expected room for {count} more subscriptions of {symbol} on its connection, "
                    f"was {len(self._shards[home])} of {self._limit} taken"
                )
            return home
        if count > self._limit:
            raise SettingsError(
                f"expected at most {self._limit} subscriptions of one symbol, was {count} "
                f"of {symbol}"
            )
        for number, shard in self._shards.items():
            if len(shard) + count <= self._limit:
                return number
        number = len(self._shards)
        self._shards[number] = set()
        return number
