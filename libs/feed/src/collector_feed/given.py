"""Numbers that an exchange may leave out."""

from __future__ import annotations

from collector_core.numbers import exact

__all__ = ["given"]


def given(text: str | None) -> str | None:
    """Return a number's exact text; None for none, which some write as an empty text.

    Raises:
        NumberError: not a number.
    """
    return exact(text) if text else None
