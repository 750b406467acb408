"""Who listens to which stream, and in which variant of its frames."""

from __future__ import annotations

from typing import Generic, TypeVar

__all__ = ["Streams"]

Key = TypeVar("Key")
Variant = TypeVar("Variant")


class Streams(Generic[Key, Variant]):
    """Connections by stream and variant; the listeners are kept ready as tuples."""

    def __init__(self) -> None:
        self._listeners: dict[Key, dict[Variant, tuple[int, ...]]] = {}
        # what a connection holds, in the order of subscription
        self._held: dict[int, dict[tuple[Key, Variant], None]] = {}

    def add(self, connection: int, key: Key, variant: Variant) -> None:
        """Let a connection listen; twice is the same as once."""
        held = self._held.setdefault(connection, {})
        if (key, variant) not in held:
            held[key, variant] = None
            variants = self._listeners.setdefault(key, {})
            variants[variant] = (*variants.get(variant, ()), connection)

    def remove(self, connection: int, key: Key, variant: Variant) -> None:
        """Let a connection listen no more; what it does not hold is ignored."""
        held = self._held.get(connection, {})
        if (key, variant) in held:
            del held[key, variant]
            variants = self._listeners[key]
            variants[variant] = tuple(c for c in variants[variant] if c != connection)
            if not variants[variant]:
                del variants[variant]
                if not variants:
                    del self._listeners[key]

    def drop(self, connection: int) -> None:
        """Forget a connection."""
        for key, variant in list(self._held.get(connection, ())):
            self.remove(connection, key, variant)
        self._held.pop(connection, None)

    def listeners(self, key: Key) -> dict[Variant, tuple[int, ...]]:
        """Return the connections of a stream by variant; do not change the answer."""
        return self._listeners.get(key, {})

    def held(self, connection: int) -> list[Key]:
        """Return the streams of a connection in the order of subscription."""
        return [key for key, _ in self._held.get(connection, ())]

    def keys(self) -> list[Key]:
        """Return the streams that somebody listens to."""
        return list(self._listeners)

    def __contains__(self, key: object) -> bool:
        return key in self._listeners
