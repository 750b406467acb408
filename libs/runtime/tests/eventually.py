"""Wait for a condition with a bounded deadline instead of sleeping for a guess."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


async def eventually(condition: Callable[[], object], within: float = 5.0) -> None:
    """Return as soon as ``condition`` holds; fail the test if it does not within the bound."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"expected the condition within {within} s"
        await asyncio.sleep(0.005)
