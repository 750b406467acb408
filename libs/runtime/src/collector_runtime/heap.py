"""Python's garbage collector, told what a service is: much that stays, little that is circular.

Reference counts free nearly everything at once; the collector only finds cycles, which tracebacks
and tasks make. By default it looks after every 700 new containers, which on a hot path is many
hundred times a second. Measured on the ingestor: docs/adr/0008.
"""

from __future__ import annotations

import gc
from typing import Final

__all__ = ["settle"]

_YOUNG: Final = 50_000
"""New containers, net of those freed, after which the young are looked through."""


def settle() -> None:
    """Leave alone what the start has made, and look for cycles less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 20, 100)
