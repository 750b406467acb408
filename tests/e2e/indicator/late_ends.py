"""What a network may do to the end of a transaction (EndTxn): late, doubled, severed.

KAFKA-17754: an EndTxn says which producer and epoch it is of, not which transaction. One that comes
late may end a later transaction of the same epoch, with the half of its rows that are there.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from random import Random
from struct import Struct
from typing import Literal, NamedTuple

from .proxy import Link, Request

Fault = Literal["delayed", "doubled", "severed"]

_END_TXN = 26
FENCED = frozenset({47, 90})
"""Answers to what is of an earlier holder: INVALID_PRODUCER_EPOCH, PRODUCER_FENCED."""
_NEXT = frozenset({0, 22})
"""Produce and InitProducerId: the next transaction of an id, or its next holder."""
_SHORT = Struct(">h")
_ERROR = Struct(">ii h")
"""Correlation id, throttle time, error."""


class Planned(NamedTuple):
    """A fault of one EndTxn."""

    fault: Fault
    after: int
    """EndTxn that are let through before it."""
    delay: float
    """Seconds by which it comes later than the client's end of the connection."""


def draw(each: int, random: Random) -> Iterator[Planned]:
    """Yield as many faults of each kind, in an order of the seed."""
    faults: list[Fault] = ["delayed", "doubled", "severed"]
    faults *= each
    random.shuffle(faults)
    for fault in faults:
        yield Planned(fault, random.randrange(20), random.uniform(0, 0.5))


class _Late(NamedTuple):
    link: Link
    request: Request
    came: asyncio.Event


class LateEnds:
    """Serves the links of a proxy.

    delayed: it is withheld until the client gives up and is gone, and comes after that.
    doubled: it comes twice at once; the client gets one answer.
    severed: the connection ends while it is on its way. The client sends it again on another one,
    and what was on its way comes in the middle of the next transaction.

    Args:
        planned: faults, in the order in which they are to happen.
    """

    def __init__(self, planned: Iterable[Planned]) -> None:
        self._planned = deque(planned)
        self._passed = 0
        # severed ones that have not come yet, by transactional id
        self._late: dict[bytes, _Late] = {}
        # what the broker answered to the second, or the late one: an error code, 0 for none
        self.answers: Counter[tuple[Fault, int]] = Counter()

    @property
    def done(self) -> Counter[Fault]:
        """How often each fault happened to its end."""
        done: Counter[Fault] = Counter()
        # the proxy's thread adds to it
        for (fault, _), times in list(self.answers.items()):
            done[fault] += times
        return done

    async def serve(self, link: Link) -> None:
        """Pass the requests of a client on, with faults."""
        while (request := await link.requests()) is not None:
            if request.key == _END_TXN:
                if not await self._end(link, request):
                    return
                continue
            answer = link.send(request)
            if request.key in _NEXT:
                for name in [name for name in self._late if name in request.frame]:
                    late = self._late.pop(name)
                    await answer
                    self._answered("severed", await late.link.send(late.request))
                    late.came.set()

    async def _end(self, link: Link, request: Request) -> bool:
        """Do what is planned; tell whether the connection goes on."""
        name = _transactional_id(request.frame)
        planned = self._next() if name not in self._late else None
        if planned is None:
            link.send(request)
            return True
        if planned.fault == "doubled":
            self._answered("doubled", await link.send_twice(request))
            return True
        if planned.fault == "severed":
            self._late[name] = late = _Late(link, request, asyncio.Event())
            link.hang_up()
            await late.came.wait()
            return False
        later = []
        while (following := await link.requests()) is not None:
            later.append(following)
        await asyncio.sleep(planned.delay)
        self._answered("delayed", await link.send(request))
        for following in later:
            link.send(following)
        return False

    def _next(self) -> Planned | None:
        if not self._planned:
            return None
        self._passed += 1
        if self._passed <= self._planned[0].after:
            return None
        self._passed = 0
        return self._planned.popleft()

    def _answered(self, fault: Fault, answer: bytes) -> None:
        _, _, error = _ERROR.unpack_from(answer)
        self.answers[fault, error] += 1


def _transactional_id(frame: bytes) -> bytes:
    """Return the id of an EndTxn of version 0 or 1, which follows the client's id."""
    at = 8
    [length] = _SHORT.unpack_from(frame, at)
    at += _SHORT.size + max(0, length)
    [length] = _SHORT.unpack_from(frame, at)
    at += _SHORT.size
    return frame[at : at + length]
