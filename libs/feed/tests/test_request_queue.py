"""The order in which requests are served."""

from __future__ import annotations

import pytest

from collector_feed.request_queue import Priority, RequestQueue


def served(queue: RequestQueue[str]) -> list[str]:
    return [queue.pop() for _ in range(len(queue))]


def test_the_urgent_come_first_and_within_a_class_the_first() -> None:
    queue: RequestQueue[str] = RequestQueue()
    for number, priority in enumerate([Priority.AUDIT, Priority.REPAIR, Priority.ROUTINE] * 2):
        queue.put(f"{priority.name} {number}", priority, float(number))
    assert queue.head() == "REPAIR 1"
    assert served(queue) == [
        "REPAIR 1", "REPAIR 4", "ROUTINE 2", "ROUTINE 5", "AUDIT 0", "AUDIT 3",
    ]  # fmt: skip
    assert queue.head() is None


def test_no_class_starves() -> None:
    queue: RequestQueue[str] = RequestQueue()
    queue.put("audit", Priority.AUDIT, 0.0)
    served_at = None
    for second in range(1_000):
        queue.put("repair", Priority.REPAIR, float(second))
        if queue.pop() == "audit":
            served_at = second
            break
    assert served_at == Priority.AUDIT


def test_of_an_empty_queue_nothing_is_served() -> None:
    with pytest.raises(IndexError):
        RequestQueue[str]().pop()
