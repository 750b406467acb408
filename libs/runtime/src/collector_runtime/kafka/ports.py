"""Ports of the loopback interface for brokers that we start ourselves."""

from __future__ import annotations

import socket
from contextlib import ExitStack, closing
from typing import Final

__all__ = ["LOOPBACK", "free_ports", "is_free", "listens"]

LOOPBACK: Final = "127.0.0.1"


def free_ports(count: int = 1) -> list[int]:
    """Return ports that nobody listens on at this moment; somebody may take one before you."""
    with ExitStack() as stack:
        probes = [stack.enter_context(closing(socket.socket())) for _ in range(count)]
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [probe.getsockname()[1] for probe in probes]


def is_free(port: int) -> bool:
    """Tell whether a server could listen on a port now."""
    with closing(socket.socket()) as probe:
        # as servers do: a connection of a server that has just ended does not hold the port
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def listens(port: int) -> bool:
    """Tell whether somebody takes connections on a port."""
    with closing(socket.socket()) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((LOOPBACK, port)) == 0
