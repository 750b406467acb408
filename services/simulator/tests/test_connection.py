"""Frames as RFC 6455 has them."""

from __future__ import annotations

import pytest
from websockets.frames import Frame, Opcode

from collector_simulator.connection import frame


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 200_000])
@pytest.mark.parametrize("binary", [False, True])
def test_a_frame_is_what_the_library_makes(size: int, binary: bool) -> None:  # noqa: FBT001  # a case
    payload = b"x" * size
    opcode = Opcode.BINARY if binary else Opcode.TEXT
    assert frame(payload, binary=binary) == Frame(opcode, payload).serialize(mask=False)
