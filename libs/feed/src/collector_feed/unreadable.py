"""What reading a text of the wire may raise, and the one error that it becomes."""

from __future__ import annotations

from typing import Final

import msgspec

from collector_core.errors import FrameError, NumberError, SymbolError

__all__ = ["UNREADABLE", "unreadable"]

UNREADABLE: Final = (
    *(msgspec.MsgspecError, NumberError, SymbolError, UnicodeDecodeError),
    RecursionError,  # nested beyond any message
)
"""Not JSON or of another shape, no number, no known symbol."""


def unreadable(expected: str, text: bytes | memoryview, error: Exception) -> FrameError:
    """Return the error that shows how a frame or an answer begins, and what is wrong with it."""
    return FrameError(f"expected {expected}, was {bytes(text[:120])!r}: {error}")
