"""Faults of a simulated exchange: on request, or by a schedule drawn from a seed. Pure.

The venue does those of connections and of the exchange as a whole at once; those of frames,
answers and acknowledgements wait in ``Faults`` for what they are to hit.
"""

from __future__ import annotations

from collector_testkit.faults.fault import CONNECTIONS, KINDS, Fault, FaultKind, read_fault
from collector_testkit.faults.faults import Faults
from collector_testkit.faults.schedule import schedule

__all__ = ["CONNECTIONS", "KINDS", "Fault", "FaultKind", "Faults", "read_fault", "schedule"]
