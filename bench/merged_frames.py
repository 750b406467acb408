"""Changes of a book put together, for an exchange that sends each of them alone in the simulator.

Kraken sends what changed at once in one frame, and its simulated market changes a level or two at
a time. A frame of ten levels is made of the next frames of its symbol: their levels in order, time
and checksum of the last. Numbers stay as they were written.
"""

from __future__ import annotations

import msgspec

__all__ = ["merged"]


class _Data(msgspec.Struct):
    symbol: str
    bids: list[msgspec.Raw]
    asks: list[msgspec.Raw]
    checksum: int
    timestamp: str


class _Frame(msgspec.Struct):
    channel: str
    type: str
    data: list[_Data]


def merged(frames: list[tuple[bytes, int]], levels: int) -> list[tuple[bytes, int]]:
    """Return frames of ``levels`` changed levels or a few more; what is left over is left out.

    What is no change of a book comes as it was, for it belongs to none.
    """
    decode = msgspec.json.Decoder(_Frame).decode
    gathered: dict[str, _Frame] = {}
    out: list[tuple[bytes, int]] = []
    for raw, time in frames:
        try:
            frame = decode(raw)
        except msgspec.ValidationError:
            out.append((raw, time))
            continue
        (data,) = frame.data
        before = gathered.get(data.symbol)
        if before is not None:
            data.bids[:0], data.asks[:0] = before.data[0].bids, before.data[0].asks
        gathered[data.symbol] = frame
        if len(data.bids) + len(data.asks) >= levels:
            del gathered[data.symbol]
            out.append((msgspec.json.encode(frame), time))
    return out
