"""The faults of one exchange that are scheduled or wait for something to hit."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Final, Literal

from msgspec.structs import replace

from collector_core.errors import SettingsError
from collector_testkit.dialects.messages import RESET, Action, Delivery, Reply
from collector_testkit.faults.damage import cut_off, junk, overwritten, padded
from collector_testkit.faults.fault import ACKNOWLEDGEMENTS, ANSWERS, FRAMES, Fault
from collector_testkit.faults.waiting import Active, Waiting
from collector_testkit.truth import TruthFault

__all__ = ["Faults"]

_SHOWN: Final = 300
"""Bytes of a frame that the truth log keeps."""
_LOST: Final = frozenset({"stall", "drop", "corrupt", "freeze"})
"""Kinds after which a client has not what a frame told."""


class Faults:
    """Does to frames, acknowledgements and answers what the waiting faults say.

    Args:
        exchange: name for the truth log.
        generator: source of randomness (where a frame is cut off, what junk is made of).
        plan: faults to start at their times, as ``schedule`` returns them.
        carried: tells the ids of the trades in a frame, for the truth log.
        unknown: returns a frame of a kind that clients do not know.
    """

    def __init__(
        self,
        exchange: str,
        generator: random.Random,
        plan: Iterable[tuple[int, Fault]] = (),
        carried: Callable[[Delivery], tuple[str, ...]] = lambda _: (),
        unknown: Callable[[], bytes] = lambda: b"{}",
    ) -> None:
        self._exchange = exchange
        self._random = generator
        self._plan = sorted(plan, key=_time)
        self._carried = carried
        self._unknown = unknown
        self._frames = Waiting()
        self._acknowledgements = Waiting()
        self._answers = Waiting()
        # frames that wait for the next of their channel and symbol
        self._held: list[Delivery] = []
        self._records: list[TruthFault] = []

    @property
    def waiting(self) -> list[Fault]:
        """Faults that have not hit everything yet."""
        kinds = self._frames, self._acknowledgements, self._answers
        return [active.fault for kind in kinds for active in kind]

    def extend(self, plan: Iterable[tuple[int, Fault]]) -> None:
        """Schedule further faults."""
        self._plan = sorted([*self._plan, *plan], key=_time)

    def next_start(self) -> int | None:
        """Return when the next scheduled fault starts, or None."""
        return self._plan[0][0] if self._plan else None

    def starting(self, now: int) -> list[Fault]:
        """Return the scheduled faults whose time has come, once."""
        due = [fault for time, fault in self._plan if time <= now]
        del self._plan[: len(due)]
        return due

    def start(self, fault: Fault, now: int) -> None:
        """Let a fault of frames, acknowledgements or answers wait for what it hits.

        Raises:
            SettingsError: its kind is one of connections or of the exchange.
        """
        if fault.kind in FRAMES:
            self._frames.add(fault, now)
        elif fault.kind in ACKNOWLEDGEMENTS:
            self._acknowledgements.add(fault, now)
        elif fault.kind in ANSWERS:
            self._answers.add(fault, now)
        else:
            raise SettingsError(f"expected a fault of frames or answers, was {fault.kind}")
        if fault.kind == "stall":
            self.record(fault.kind, now, (), f"{fault.duration} s", fault)

    def clear(self) -> list[Delivery]:
        """End all faults that wait; return the frames that were held back."""
        self._frames.clear()
        self._acknowledgements.clear()
        self._answers.clear()
        self._plan.clear()
        held, self._held = self._held, []
        return held

    # --- frames --------------------------------------------------------------------------------

    def frames(self, actions: list[Action], now: int) -> list[Action]:
        """Return what is left of frames and other actions after the faults."""
        if not self._frames and not self._held:
            return actions
        self._frames.expire(now)
        passed: list[Action] = []
        for action in actions:
            if isinstance(action, Delivery) and action.channel:
                passed += self._pass(action, now)
            else:
                passed.append(action)
        return passed

    def lose(self, frame: Delivery, now: int) -> None:
        """Note that the connections of a frame do not get it, for they are frozen."""
        self._struck(Fault("freeze"), frame, now)

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
                out.append(replace(frame, connections=rest))
            out += self._strike(fault, replace(frame, connections=hit), now)
            self._frames.hit(active)
            break
        else:
            out.append(frame)
        if late:
            self._held = [held for held in self._held if (held.channel, held.symbol) != stream]
        return out + late

    def _strike(self, fault: Fault, frame: Delivery, now: int) -> list[Delivery]:
        self._struck(fault, frame, now)
        match fault.kind:
            case "double":
                out = [frame, frame]
            case "reorder":
                self._held.append(frame)
                out = []
            case "corrupt":
                damage = overwritten if fault.form == "flip" else cut_off
                out = [replace(frame, payload=damage(frame.payload, self._random))]
            case "huge" if fault.form == "junk":
                out = [_beside(frame, junk(fault.size, self._random)), frame]
            case "huge":
                out = [replace(frame, payload=padded(frame.payload, fault.size))]
            case "unknown":
                out = [_beside(frame, self._unknown()), frame]
            case _:
                out = []
        return out

    def _struck(self, fault: Fault, frame: Delivery, now: int) -> None:
        shown = frame.payload[:_SHOWN].decode("utf-8", "replace")
        self._records.append(
            TruthFault(
                self._exchange,
                fault.kind,
                now,
                frame.channel,
                frame.symbol,
                frame.connections,
                shown,
                self._carried(frame),
                fault.kind in _LOST,
            )
        )

    # --- acknowledgements ------------------------------------------------------------------------

    def rejecting(self, connection: int, now: int) -> Active | None:
        """Return the fault by which the next message of a connection is refused, if any."""
        self._acknowledgements.expire(now)
        for active in self._acknowledgements:
            if active.fault.kind == "reject" and active.fault.connection in {None, connection}:
                return active
        return None

    def rejected(self, active: Active, connection: int, answer: list[Action], now: int) -> None:
        """Note that a message was refused with ``answer``."""
        shown = b" ".join(action.payload for action in answer if isinstance(action, Delivery))
        detail = shown[:_SHOWN].decode("utf-8", "replace")
        self.record(active.fault.kind, now, (connection,), detail)
        self._acknowledgements.hit(active)

    def acknowledgement(self, frame: Delivery, now: int) -> float | None:
        """Return how many seconds late an acknowledgement is sent, or None if it is not."""
        self._acknowledgements.expire(now)
        for active in self._acknowledgements:
            fault = active.fault
            if fault.kind == "reject" or fault.connection not in {None, *frame.connections}:
                continue
            shown = frame.payload[:_SHOWN].decode("utf-8", "replace")
            self.record(fault.kind, now, frame.connections, shown)
            self._acknowledgements.hit(active)
            return None if fault.kind == "no_ack" else fault.delay
        return 0.0

    # --- HTTP answers ----------------------------------------------------------------------------

    def answer(
        self,
        reply: Reply,
        where: Literal["rest", "handshake"],
        refusal: Callable[[int, float | None], Reply],
        now: int,
        earlier: Callable[[float], bytes | None] = lambda _: None,
    ) -> Reply:
        """Return an answer after the faults.

        Args:
            reply: what the exchange would answer.
            where: what it answers to.
            refusal: spells the exchange's errors.
            now: microseconds since the epoch.
            earlier: returns the body that the same request got so many seconds ago, if any did.
        """
        self._answers.expire(now)
        for active in self._answers:
            fault = active.fault
            hit = _concerns(fault, reply) and _struck(fault, reply, where, refusal, earlier)
            if hit:
                age = f", {fault.delay} s old" if fault.kind == "stale_snapshot" else ""
                detail = f"{where} {hit.status} {hit.delay} s{age}"
                self.record(fault.kind, now, (), detail, fault)
                self._answers.hit(active)
                return hit
        return reply

    # --- truth -----------------------------------------------------------------------------------

    def record(
        self,
        kind: str,
        now: int,
        connections: tuple[int, ...],
        detail: str,
        fault: Fault | None = None,
    ) -> None:
        """Note for the truth log that a fault was done, narrowed as ``fault`` is, if it is."""
        channel, symbol = ("", "") if fault is None else (fault.channel, fault.symbol)
        self._records.append(
            TruthFault(self._exchange, kind, now, channel, symbol, connections, detail)
        )

    def take_records(self) -> list[TruthFault]:
        """Return what was done since the last call."""
        records, self._records = self._records, []
        return records


def _struck(
    fault: Fault,
    reply: Reply,
    where: Literal["rest", "handshake"],
    refusal: Callable[[int, float | None], Reply],
    earlier: Callable[[float], bytes | None],
) -> Reply | None:
    """Return what becomes of an answer, or None if the fault is not of such answers."""
    if fault.kind in {"slow", "stale_snapshot"}:
        told = fault.channel or reply.channel == "book"
        return _aged(fault, reply, earlier) if where == "rest" and told else None
    if fault.kind == "refuse":
        if where == "rest":
            return None
        return refusal(fault.status, fault.retry_after) if fault.status else Reply(RESET, b"")
    if fault.where not in {where, "both"}:
        return None
    status = fault.status or (429 if fault.kind == "throttle" else 503)
    return refusal(status, fault.retry_after)


def _aged(fault: Fault, reply: Reply, earlier: Callable[[float], bytes | None]) -> Reply | None:
    if fault.kind == "slow":
        return replace(reply, delay=reply.delay + fault.delay)
    body = earlier(fault.delay)
    return None if body is None else replace(reply, body=body)


def _beside(frame: Delivery, payload: bytes) -> Delivery:
    """Return another frame for the same connections; it is of no channel."""
    return Delivery(payload, frame.connections, frame.binary)


def _concerns(fault: Fault, thing: Delivery | Reply) -> bool:
    return fault.channel in {"", thing.channel} and fault.symbol in {"", thing.symbol}


def _time(entry: tuple[int, Fault]) -> int:
    return entry[0]
