"""Limits of connections by client address: handshakes in a time, and open ones."""

from __future__ import annotations

from collections import deque

from collector_testkit.dialects.dialect import Dialect

__all__ = ["Gate"]


class Gate:
    """Counts what each address does; limits are those of the dialect, or the settings' instead.

    Args:
        dialect: the exchange.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._attempts = dialect.limits.attempts or dialect.max_attempts
        self._most = dialect.limits.connections or dialect.max_connections
        # times of the newest attempts of an address, no more than are admitted
        self._times: dict[str, deque[int]] = {}
        self._address: dict[int, str] = {}
        self._open: dict[str, int] = {}

    def attempt(self, address: str, now: int) -> float | None:
        """Count a handshake; return None if it is admitted, else the seconds to wait.

        An attempt that is refused counts like any other, so who goes on is never admitted.
        """
        if self._attempts is not None:
            count, seconds = self._attempts
            times = self._times.setdefault(address, deque(maxlen=count))
            first = times[0] if len(times) == count else None
            times.append(now)
            if first is not None and first > now - int(seconds * 1e6):
                return (times[0] - now) / 1e6 + seconds
        if self._most is not None and self._open.get(address, 0) >= self._most:
            return 1.0
        return None

    def opened(self, connection: int, address: str) -> None:
        """Count a connection that is open."""
        self._address[connection] = address
        self._open[address] = self._open.get(address, 0) + 1

    def closed(self, connection: int) -> None:
        """Count it no more."""
        address = self._address.pop(connection)
        self._open[address] -= 1
        if not self._open[address]:
            del self._open[address]
