"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import confluent_kafka

__all__ = ["describe", "load"]

_LIBRARIES = ("picows", "msgspec", "confluent-kafka", "uvloop")


def load() -> float:
    """Return the load average of the last minute: processes that run or want to."""
    return os.getloadavg()[0]


def describe() -> dict[str, str]:
    """Return cores, processor, memory, system, Python and the versions that matter."""
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return {
        "cores": str(len(os.sched_getaffinity(0))),
        "processor": _field("/proc/cpuinfo", "model name"),
        "memory": _field("/proc/meminfo", "MemTotal"),
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "libraries": f"{libraries}, librdkafka {confluent_kafka.libversion()[0]}",
        "load at start": f"{load():.2f}",
    }


def _field(path: str, name: str) -> str:
    for line in Path(path).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"
