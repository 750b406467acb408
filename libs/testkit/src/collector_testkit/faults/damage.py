"""What becomes of the bytes of a frame that a fault hits."""

from __future__ import annotations

import random
from typing import Final

__all__ = ["cut_off", "junk", "overwritten", "padded"]

_MOST_OVERWRITTEN: Final = 4


def cut_off(payload: bytes, generator: random.Random) -> bytes:
    """Return the beginning of a frame; of JSON, what is left is none."""
    size = 1 + int(generator.random() * (len(payload) - 1))
    # whole characters, so that a text frame stays UTF-8
    return payload[:size].decode("utf-8", "ignore").encode()


def overwritten(payload: bytes, generator: random.Random) -> bytes:
    """Return a frame with a few characters replaced by control characters.

    JSON has none of them, within texts either, so no number turns into another one unnoticed.
    """
    text = list(payload.decode("utf-8", "replace"))
    for _ in range(1 + int(generator.random() * _MOST_OVERWRITTEN)):
        # the first character stays, so that what comes looks like a frame
        place = min(len(text) - 1, 1 + int(generator.random() * (len(text) - 1)))
        text[place] = chr(1 + int(generator.random() * 8))
    return "".join(text).encode()


def padded(payload: bytes, size: int) -> bytes:
    """Return JSON with white space behind its first character, ``size`` bytes in all."""
    return payload[:1] + b" " * (size - len(payload)) + payload[1:]


def junk(size: int, generator: random.Random) -> bytes:
    """Return ``size`` letters that are no JSON."""
    block = bytes(97 + int(generator.random() * 26) for _ in range(64))
    return (block * (size // len(block) + 1))[:size]
