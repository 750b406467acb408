"""Bodies of REST answers: decoded by their type, or a ``FrameError`` that shows what came."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from collector_core.errors import FrameError

__all__ = ["read_answer"]

_T = TypeVar("_T")


def read_answer(body: bytes, kind: type[_T], title: str) -> _T:
    """Return a JSON body as ``kind``; ``title`` names the exchange in the error.

    Raises:
        FrameError: not JSON, or of another shape.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FrameError(f"expected an answer of {title}, was {body[:120]!r}: {error}") from error
