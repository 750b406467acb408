"""Which subscription goes to which connection, within the exchange's limit of each.

A symbol's subscriptions on one of the exchange's sockets stay together, so that trouble of one
connection is trouble of whole symbols, and an assignment never moves while it stands: adding a
symbol disturbs no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Self

from collector_core.errors import SettingsError
from collector_feed.outputs import Subscription
from collector_feed.spec import Spec

__all__ = ["Sharding"]


class Sharding:
    """Assigns subscriptions to numbered connections.

    Args:
        limit: subscriptions that one connection may hold.
        path: on which of the exchange's sockets a channel lives; all on one if None.
    """

    def __init__(self, limit: int, path: Callable[[str], str] | None = None) -> None:
        self._limit = limit
        self._path = path or (lambda _channel: "")
        # connection number -> its subscriptions
        self._shards: dict[int, set[Subscription]] = {}
        # connection number -> the socket it is of
        self._paths: dict[int, str] = {}
        # (socket, symbol) -> connection number
        self._home: dict[tuple[str, str], int] = {}

    @classmethod
    def of(cls, spec: Spec) -> Self:
        """Return the sharding that an exchange's limits and sockets ask for."""
        channels = spec.channels
        return cls(spec.subscriptions_per_connection, lambda channel: channels[channel].path)

    def add(self, subscriptions: Iterable[Subscription]) -> dict[int, list[Subscription]]:
        """Assign new subscriptions; return what each connection gains, known ones left out.

        All of them or, with an error, none.

        Raises:
            SettingsError: one symbol has more subscriptions than a connection may hold.
        """
        by_symbol: dict[tuple[str, str], list[Subscription]] = {}
        for subscription in subscriptions:
            key = self._key(subscription)
            home = self._home.get(key)
            if home is None or subscription not in self._shards[home]:
                wanted = by_symbol.setdefault(key, [])
                if subscription not in wanted:
                    wanted.append(subscription)
        gained: dict[int, list[Subscription]] = {}
        try:
            for key, wanted in by_symbol.items():
                number = self._place(key, len(wanted))
                self._home[key] = number
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
            key = self._key(subscription)
            home = self._home.get(key)
            if home is None or subscription not in self._shards[home]:
                continue
            shard = self._shards[home]
            shard.remove(subscription)
            lost.setdefault(home, []).append(subscription)
            if not any(s.symbol == subscription.symbol for s in shard):
                del self._home[key]
        return lost

    def held(self, number: int) -> frozenset[Subscription]:
        """Return what a connection holds."""
        return frozenset(self._shards.get(number, ()))

    def path(self, number: int) -> str:
        """Return the socket that a connection is of."""
        return self._paths[number]

    def _key(self, subscription: Subscription) -> tuple[str, str]:
        return self._path(subscription.channel), subscription.symbol

    def _place(self, key: tuple[str, str], count: int) -> int:
        path, symbol = key
        home = self._home.get(key)
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
            if self._paths[number] == path and len(shard) + count <= self._limit:
                return number
        number = len(self._shards)
        self._shards[number] = set()
        self._paths[number] = path
        return number
