"""The error tree. Every error of the product stands here.

CollectorError
├── SettingsError          a setting, argument or file is wrong: the process does not start
├── SymbolError            a symbol cannot be read or is unknown to the exchange
├── NumberError            a text is not a decimal number
├── CodecError             a row cannot be read as an event
├── FrameError             an exchange's frame is not what its protocol says: dead letter
├── BookError              a book update cannot be applied: resync
│   └── SequenceGap        updates are missing between two that came
├── RequestError           a REST request failed
│   └── Throttled          the exchange asks for a pause (429, 418)
├── TransportError         a socket could not be opened or was lost
├── BrokerError            Kafka did not do what was asked
│   ├── DeliveryError      a row could not be delivered: the process ends
│   └── FencedError        another producer took over the transactional id
└── StateError             stored state is missing, unreadable or of another version

Two properties decide what a caller does: ``retry`` (the same call may succeed later) and
``terminal`` (the process must end, for going on would lose rows or lie).
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "BookError",
    "BrokerError",
    "CodecError",
    "CollectorError",
    "DeliveryError",
    "FencedError",
    "FrameError",
    "NumberError",
    "RequestError",
    "SequenceGap",
    "SettingsError",
    "StateError",
    "SymbolError",
    "Throttled",
    "TransportError",
]


class CollectorError(Exception):
    """Root of the tree; its text is one sentence that names what was expected and what came."""

    retry: ClassVar[bool] = False
    terminal: ClassVar[bool] = False


class SettingsError(CollectorError):
    """A setting, argument or file is wrong; named in the text."""

    terminal = True


class SymbolError(CollectorError):
    """A symbol cannot be read, or the exchange does not list it."""


class NumberError(CollectorError, ValueError):
    """A text is not a finite decimal number."""


class CodecError(CollectorError):
    """A row on the bus cannot be read as one of our events."""


class FrameError(CollectorError):
    """A frame is not what the exchange's protocol says; it goes to the dead-letter topic."""


class BookError(CollectorError):
    """A book update cannot be applied; the book has to be synchronized again."""

    retry = True


class SequenceGap(BookError):
    """Updates are missing between the last one applied and the one that came.

    Args:
        expected: first sequence number that should have come.
        received: first sequence number that came.
    """

    def __init__(self, expected: int, received: int) -> None:
        super().__init__(f"expected sequence {expected}, was {received}")
        self.expected = expected
        self.received = received


class RequestError(CollectorError):
    """A REST request failed; ``status`` is its HTTP status, or None when no answer came."""

    retry = True

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Throttled(RequestError):
    """The exchange asks for a pause; ``retry_after`` is its length in seconds, if it said one."""

    def __init__(
        self, message: str, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, status)
        self.retry_after = retry_after


class TransportError(CollectorError):
    """A socket could not be opened or was lost; ``status`` is the handshake's HTTP status."""

    retry = True

    def __init__(
        self, message: str, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class BrokerError(CollectorError):
    """Kafka is unreachable, or refused what was asked."""

    retry = True


class DeliveryError(BrokerError):
    """A row could not be delivered; going on would lose it in silence."""

    retry = False
    terminal = True


class FencedError(BrokerError):
    """Another producer holds the transactional id now; what was uncommitted is not on the bus."""

    retry = False


class StateError(CollectorError):
    """Stored state is missing, unreadable or of another version."""

    terminal = True
