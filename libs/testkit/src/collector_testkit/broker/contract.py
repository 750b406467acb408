"""What a test may do with a broker, whichever kind it is."""

from __future__ import annotations

from abc import ABC, abstractmethod

__all__ = ["Broker", "ExternalBroker", "Unavailable"]


class Unavailable(Exception):
    """There is no broker of this kind, or it cannot do what was asked; the text says why."""


class Broker(ABC):
    """A running Apache Kafka; what was stopped starts again at the same address, with its data."""

    kind: str
    bootstrap_servers: str
    controllable = True
    """Whether it can be stopped and paused; not so a broker that we were only given."""

    @abstractmethod
    def start(self) -> None:
        """Start it again after ``stop``, and wait until it answers; nothing if it runs."""

    @abstractmethod
    def stop(self, *, kill: bool = False) -> None:
        """End it, in an orderly way or, with ``kill``, at once as a crash does."""

    @abstractmethod
    def pause(self) -> None:
        """Freeze it: connections stay open and nothing answers."""

    @abstractmethod
    def resume(self) -> None:
        """Let it go on after ``pause``."""

    @abstractmethod
    def close(self) -> None:
        """End it for good and remove its data. Idempotent."""


class ExternalBroker(Broker):
    """A broker that the environment names; it is used and left alone."""

    kind = "external"
    controllable = False

    def __init__(self, bootstrap_servers: str) -> None:
        self.bootstrap_servers = bootstrap_servers

    def start(self) -> None:
        """Do nothing: it cannot have been stopped by us."""

    def stop(self, *, kill: bool = False) -> None:
        """Refuse."""
        raise self._refusal("killed" if kill else "stopped")

    def pause(self) -> None:
        """Refuse."""
        raise self._refusal("paused")

    def resume(self) -> None:
        """Do nothing: it cannot have been paused by us."""

    def close(self) -> None:
        """Leave it alone."""

    def _refusal(self, doing: str) -> Unavailable:
        return Unavailable(
            f"expected a broker of the test run's own, was {self.bootstrap_servers} of "
            f"KAFKA_BOOTSTRAP_SERVERS, which is not ours to be {doing}"
        )
