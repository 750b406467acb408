"""Which of an exchange's symbols are this process's, where several share them."""

from __future__ import annotations

from collections.abc import Iterable

from collector_core.topics import murmur2, stream_key

__all__ = ["Shards"]


class Shards:
    """The shards of one exchange's symbols, and those of them that are ours.

    A symbol's shard is ``(murmur2(exchange|symbol) & 0x7fffffff) % count``, Kafka's own hash of
    its key, so every process, in any language, finds the same.

    Args:
        exchange: whose symbols.
        count: number of shards; the only one of 1 is ours from the beginning.
    """

    def __init__(self, exchange: str, count: int) -> None:
        self.count = count
        self._exchange = exchange
        # numbers of the shards that are ours
        self.held: set[int] = {0} if count == 1 else set()

    def of(self, symbol: str) -> int:
        """Return the shard of a symbol."""
        return (murmur2(stream_key(self._exchange, symbol).encode()) & 0x7FFFFFFF) % self.count

    def holds(self, symbol: str) -> bool:
        """Tell whether a symbol is ours."""
        return self.count == 1 or self.of(symbol) in self.held

    def take(self, numbers: Iterable[int]) -> None:
        """These are ours from now on."""
        self.held.update(numbers)

    def give(self, numbers: Iterable[int]) -> None:
        """These are ours no longer."""
        self.held.difference_update(numbers)
