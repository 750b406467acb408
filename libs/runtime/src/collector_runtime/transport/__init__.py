"""WebSocket connections: one interface, two libraries behind it (docs/adr/0020)."""

from __future__ import annotations

from typing import Literal, TypeAlias

from collector_runtime.transport import picows_transport, websockets_transport
from collector_runtime.transport.interface import Listener, Options, Transport

__all__ = ["Kind", "Listener", "Options", "Transport", "choose", "connect"]

Kind: TypeAlias = Literal["picows", "websockets"]


def choose(options: Options) -> Kind:
    """Return the library for a connection: picows, or websockets where compression is wanted."""
    return "websockets" if options.compression else "picows"


async def connect(
    url: str, listener: Listener, options: Options | None = None, kind: Kind | None = None
) -> Transport:
    """Open a connection; ``listener`` gets its frames from before this returns.

    Args:
        url: ``ws://`` or ``wss://``.
        listener: what takes the frames.
        options: how to open it.
        kind: the library to use; without it ``choose`` says.

    Raises:
        TransportError: no connection within the handshake timeout, or the handshake was refused;
            then with its HTTP status and ``Retry-After``.
    """
    wanted = options or Options()
    match kind or choose(wanted):
        case "picows":
            return await picows_transport.connect(url, listener, wanted)
        case "websockets":
            return await websockets_transport.connect(url, listener, wanted)
