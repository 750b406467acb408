"""The only place of the product that reads clocks."""

from __future__ import annotations

import time

__all__ = ["monotonic", "wall_us"]

monotonic = time.monotonic
"""Return seconds of a clock that never jumps; for deadlines, never for stamps."""


def wall_us() -> int:
    """Return microseconds since the Unix epoch; for stamps, never for deadlines."""
    return time.time_ns() // 1000
