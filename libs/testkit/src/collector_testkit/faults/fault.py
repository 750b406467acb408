"""What a fault is, and its reading from texts."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, get_args

import msgspec

from collector_core.errors import SettingsError

__all__ = [
    "ACKNOWLEDGEMENTS",
    "ANSWERS",
    "CONNECTIONS",
    "FRAMES",
    "KINDS",
    "Fault",
    "FaultKind",
    "read_fault",
]

FaultKind: TypeAlias = Literal[
    "cut",
    "freeze",
    "half_open",
    "planned_close",
    "maintenance",
    "sequence_reset",
    "stall",
    "drop",
    "double",
    "reorder",
    "corrupt",
    "huge",
    "unknown",
    "no_ack",
    "late_ack",
    "reject",
    "refuse",
    "throttle",
    "server_error",
    "slow",
    "stale_snapshot",
]
KINDS: Final[tuple[FaultKind, ...]] = get_args(FaultKind)
CONNECTIONS: Final = frozenset({"cut", "freeze", "half_open", "planned_close", "maintenance"})
"""Kinds that are of connections as a whole, and done at once."""
FRAMES: Final = frozenset({"stall", "drop", "double", "reorder", "corrupt", "huge", "unknown"})
"""Kinds that hit data frames."""
ACKNOWLEDGEMENTS: Final = frozenset({"no_ack", "late_ack", "reject"})
"""Kinds that hit what the exchange answers to a client's message."""
ANSWERS: Final = frozenset({"refuse", "throttle", "server_error", "slow", "stale_snapshot"})
"""Kinds that hit HTTP answers."""
_MAX_SIZE: Final = 64_000_000


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fault.

    Of connections (all of them, or ``connection``):

    - ``cut``: it is reset. ``planned_close``: the exchange's notice, if it has one, then after
      ``delay`` seconds a close frame.
    - ``freeze``: for ``duration`` seconds nothing is read from it and nothing sent, not even a
      pong; what would have been sent is lost. ``half_open``: the same for good, and the exchange
      has forgotten the connection, so that nothing ends it but the client.

    Of the exchange:

    - ``maintenance``: for ``duration`` seconds (0: until cleared) handshakes and REST are answered
      with 503; what is open is closed. The market goes on.
    - ``sequence_reset``: the sequence numbers of the books begin anew, where the exchange has any.

    Of data frames, the next ``count``:

    - ``stall``: for ``duration`` seconds (0: until cleared) they are not sent, and lost.
    - ``drop``, ``double``, ``reorder`` (sent behind the next frame of its channel and symbol).
    - ``corrupt``: cut off at a random byte, or (``form=flip``) with a few bytes overwritten.
    - ``huge``: filled up with white space to ``size`` bytes, still the same to a client that can
      take it, or (``form=junk``) preceded by a frame of so many bytes that is no JSON.
    - ``unknown``: preceded by a well-formed frame of a kind that clients do not know.

    Of what a client's message is answered with, the next ``count``; no ``channel`` or ``symbol``:

    - ``no_ack``: acknowledgements are not sent. ``late_ack``: sent ``delay`` seconds late.
    - ``reject``: the message is refused, if the exchange has words for that, and not done.

    Of HTTP answers, the next ``count``:

    - ``refuse``: handshakes, with ``status`` (0: the connection is reset instead of answered).
    - ``throttle`` (``status`` 429 or 418, with ``retry_after``), ``server_error`` (5xx): REST or
      handshakes as ``where`` says.
    - ``slow``: REST answers are sent ``delay`` seconds late, with what they said when they were
      asked for. ``stale_snapshot``: REST books are those that were told ``delay`` seconds before.

    With a ``duration``, those with a ``count`` hit everything in that time instead.
    """

    kind: FaultKind
    channel: str = ""
    """Our name of a channel; empty for every one."""
    symbol: str = ""
    """In our spelling; empty for every one."""
    connection: int | None = None
    count: int = 1
    duration: float = 0.0
    status: int = 0
    retry_after: float | None = None
    delay: float = 1.0
    where: Literal["rest", "handshake", "both"] = "both"
    form: Literal["", "flip", "junk"] = ""
    size: int = 4_000_000


def read_fault(fields: dict[str, str]) -> Fault:
    """Return the fault that texts describe, such as the query of a control call.

    Raises:
        SettingsError: an unknown field, or a value of another type or out of range.
    """
    try:
        fault = msgspec.convert(fields, Fault, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"expected a fault, was {fields}: {error}") from error
    if fault.count < 1 or fault.duration < 0 or fault.delay < 0:
        raise SettingsError(f"expected a count from 1 and times from 0, was {fields}")
    if not 0 < fault.size <= _MAX_SIZE:
        raise SettingsError(f"expected a size of 1 to {_MAX_SIZE} bytes, was {fault.size}")
    if fault.form and (fault.kind, fault.form) not in {("corrupt", "flip"), ("huge", "junk")}:
        raise SettingsError(f"expected corrupt with flip or huge with junk, was {fields}")
    return fault
