"""Faults of a simulated exchange: on request, or by a schedule drawn from a seed. Pure.

Faults of connections (``cut``, ``freeze``, ``planned_close``) are done at once by the venue;
those of frames and of HTTP answers wait here for what they are to hit.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal, TypeAlias, get_args

import msgspec

from collector_core.errors import SettingsError
from collector_testkit.dialects.messages import Action, Delivery, Reply
from collector_testkit.truth import TruthFault

__all__ = ["KINDS", "Fault", "FaultKind", "Faults", "read_fault", "schedule"]

FaultKind: TypeAlias = Literal[
    "cut",
    "freeze",
    "planned_close",
    "stall",
    "drop",
    "double",
    "reorder",
    "corrupt",
    "throttle",
    "server_error",
    "slow",
]
KINDS: Final[tuple[FaultKind, ...]] = get_args(FaultKind)
_FRAMES: Final = frozenset({"stall", "drop", "double", "reorder", "corrupt"})
_ANSWERS: Final = frozenset({"throttle", "server_error", "slow"})
_SHOWN: Final = 300
"""Bytes of a frame that the truth log keeps."""


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fault.

    - ``cut``: the connection is reset. ``freeze``: for ``duration`` seconds nothing is read from
      it and nothing sent, not even a pong. ``planned_close``: the exchange's notice, if it has
      one, then after ``delay`` seconds a close frame.
    - ``stall``: for ``duration`` seconds (0: until cleared) the data frames are not sent, and lost.
    - ``drop``, ``double``, ``reorder`` (sent behind the next frame of its channel and symbol),
      ``corrupt`` (cut off at a random byte): the next ``count`` data frames.
    - ``throttle`` (``status`` 429 or 418, with ``retry_after``), ``server_error`` (5xx): the next
      ``count`` answers, REST or handshakes as ``where`` says. ``slow``: REST answers are sent
      ``delay`` seconds late, with what they said when they were asked for.

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


class _Active(msgspec.Struct, gc=False):
    fault: Fault
    # hits that are left; -1 with a duration
    left: int
    # time at which it ends; None if it does not end by time
    until: int | None


def read_fault(fields: dict[str, str]) -> Fault:
    """Return the fault that texts describe, such as the query of a control call.

    Raises:
        SettingsError: an unknown field, or a value of another type.
    """
    try:
        fault = msgspec.convert(fields, Fault, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"expected a fault, was {fields}: {error}") from error
    if fault.count < 1 or fault.duration < 0 or fault.delay < 0:
        raise SettingsError(f"expected a count from 1 and times from 0, was {fields}")
    return fault


def schedule(
    generator: random.Random,
    start: int,
    seconds: float,
    per_minute: float,
    kinds: Sequence[FaultKind] = KINDS,
) -> list[tuple[int, Fault]]:
    """Return faults at random times in [start, start + seconds), in the order of time.

    Args:
        generator: what they are drawn from.
        start: microseconds since the epoch.
        seconds: length of the schedule.
        per_minute: mean number of faults a minute.
        kinds: kinds to draw from.
    """
    plan = []
    time = start + int(generator.expovariate(per_minute / 60) * 1e6)
    while time < start + seconds * 1e6:
        kind = kinds[int(generator.random() * len(kinds))]
        fault = Fault(
            kind,
            count=1 + int(generator.random() * 3),
            duration=round(1 + generator.random() * 9, 3) if kind in {"stall", "freeze"} else 0.0,
            retry_after=round(1 + generator.random() * 4) if kind == "throttle" else None,
            delay=round(0.1 + generator.random() * 3, 3),
        )
        plan.append((time, fault))
        time += max(1, int(generator.expovariate(per_minute / 60) * 1e6))
    return plan


class Faults:
    """The faults of one exchange that are scheduled or wait for something to hit.

    Args:
        exchange: name for the truth log.
        generator: source of randomness (where a frame is cut off).
        plan: faults to start at their times, as ``schedule`` returns them.
    """

    def __init__(
        self,
        exchange: str,
        generator: random.Random,
        plan: Iterable[tuple[int, Fault]] = (),
    ) -> None:
        self._exchange = exchange
        self._random = generator
        self._plan = sorted(plan, key=lambda entry: entry[0])
        self._frames: list[_Active] = []
        self._answers: list[_Active] = []
        # frames that wait for the next of their channel and symbol
        self._held: list[Delivery] = []
        self._records: list[TruthFault] = []

    @property
    def waiting(self) -> list[Fault]:
        """Faults that have not hit everything yet."""
        return [active.fault for active in (*self._frames, *self._answers)]

    def extend(self, plan: Iterable[tuple[int, Fault]]) -> None:
        """Schedule further faults."""
        self._plan = sorted([*self._plan, *plan], key=lambda entry: entry[0])

    def next_start(self) -> int | None:
        """Return when the next scheduled fault starts, or None."""
        return self._plan[0][0] if self._plan else None

    def starting(self, now: int) -> list[Fault]:
        """Return the scheduled faults whose time has come, once."""
        due = [fault for time, fault in self._plan if time <= now]
        del self._plan[: len(due)]
        return due

    def start(self, fault: Fault, now: int) -> None:
        """Let a fault of frames or answers wait for what it hits.

        Raises:
            SettingsError: its kind is one of connections.
        """
        if fault.kind not in _FRAMES | _ANSWERS:
            raise SettingsError(f"expected a fault of frames or answers, was {fault.kind}")
        until = now + int(fault.duration * 1e6) if fault.duration else None
        endless = fault.duration or fault.kind == "stall"
        active = _Active(fault, -1 if endless else fault.count, until)
        (self._frames if fault.kind in _FRAMES else self._answers).append(active)
        if fault.kind == "stall":
            self.record(fault, now, (), f"{fault.duration} s")

    def clear(self) -> list[Delivery]:
        """End all faults that wait; return the frames that were held back."""
        self._frames.clear()
        self._answers.clear()
        self._plan.clear()
        held, self._held = self._held, []
        return held

    def frames(self, actions: list[Action], now: int) -> list[Action]:
        """Return what is left of frames and other actions after the faults."""
        if not self._frames and not self._held:
            return actions
        self._frames = [a for a in self._frames if a.until is None or a.until > now]
        passed: list[Action] = []
        for action in actions:
            if isinstance(action, Delivery) and action.channel:
                passed += self._pass(action, now)
            else:
                passed.append(action)
        return passed

    def answer(
        self,
        reply: Reply,
        where: Literal["rest", "handshake"],
        refusal: Callable[[int, float | None], Reply],
        now: int,
    ) -> Reply:
        """Return an answer after the faults; ``refusal`` spells the exchange's errors."""
        self._answers = [a for a in self._answers if a.until is None or a.until > now]
        for active in self._answers:
            fault = active.fault
            if fault.where not in {where, "both"} or not _concerns(fault, reply):
                continue
            if fault.kind == "slow":
                if where == "handshake" or (not fault.channel and reply.channel != "book"):
                    continue
                reply = msgspec.structs.replace(reply, delay=reply.delay + fault.delay)
            else:
                status = fault.status or (429 if fault.kind == "throttle" else 503)
                reply = refusal(status, fault.retry_after)
            self.record(fault, now, (), f"{where} {reply.status} {reply.delay} s")
            self._hit(self._answers, active)
            break
        return reply

    def record(self, fault: Fault, now: int, connections: tuple[int, ...], detail: str) -> None:
        """Note for the truth log that a fault was done."""
        self._records.append(
            TruthFault(
                self._exchange, fault.kind, now, fault.channel, fault.symbol, connections, detail
            )
        )

    def take_records(self) -> list[TruthFault]:
        """Return what was done since the last call."""
        records, self._records = self._records, []
        return records

    def _pass(self, frame: Delivery, now: int) -> list[Delivery]:
        out: list[Delivery] = []
        stream = frame.channel, frame.symbol
        late = [held for held in self._held if (held.channel, held.symbol) == stream]
        for active in self._frames:
            fault = active.fault
            hit = frame.connections
            if fault.connection is not None:
                hit = (fault.connection,) if fault.connection in hit else ()
            if not hit or not _concerns(fault, frame) or (fault.kind == "reorder" and late):
                continue
            rest = tuple(c for c in frame.connections if c not in hit)
            if rest:
                out.append(msgspec.structs.replace(frame, connections=rest))
            out += self._strike(fault, msgspec.structs.replace(frame, connections=hit), now)
            self._hit(self._frames, active)
            break
        else:
            out.append(frame)
        if late:
            self._held = [held for held in self._held if (held.channel, held.symbol) != stream]
        return out + late

    def _strike(self, fault: Fault, frame: Delivery, now: int) -> list[Delivery]:
        named = msgspec.structs.replace(fault, channel=frame.channel, symbol=frame.symbol)
        if fault.kind != "stall":
            shown = frame.payload[:_SHOWN].decode("utf-8", "replace")
            self.record(named, now, frame.connections, shown)
        match fault.kind:
            case "double":
                return [frame, frame]
            case "reorder":
                self._held.append(frame)
                return []
            case "corrupt":
                # a JSON object that is cut off is never JSON; ASCII, so that it stays UTF-8
                size = 1 + int(self._random.random() * (len(frame.payload) - 1))
                cut = frame.payload[:size].decode("utf-8", "ignore").encode()
                return [msgspec.structs.replace(frame, payload=cut)]
            case _:
                return []

    def _hit(self, waiting: list[_Active], active: _Active) -> None:
        if active.left > 0:
            active.left -= 1
            if not active.left:
                waiting.remove(active)


def _concerns(fault: Fault, thing: Delivery | Reply) -> bool:
    return fault.channel in {"", thing.channel} and fault.symbol in {"", thing.symbol}
