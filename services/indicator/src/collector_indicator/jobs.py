"""A few threads for calls that block; unlike an executor's they never hold up the end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import ParamSpec, TypeVar

__all__ = ["Jobs"]

P = ParamSpec("P")
T = TypeVar("T")


class Jobs:
    """Runs calls on daemon threads.

    Args:
        threads: how many.
    """

    def __init__(self, threads: int) -> None:
        self._queue: SimpleQueue[Callable[[], None]] = SimpleQueue()
        for number in range(threads):
            name = f"jobs-{number}"
            threading.Thread(target=self._work, name=name, daemon=True).start()

    def submit(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Return the future of a call; it has the call's exception, if it raises one."""
        future: Future[T] = Future()

        def job() -> None:
            try:
                result = call(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001  # whoever asks for the result gets it
                future.set_exception(error)
            else:
                future.set_result(result)

        self._queue.put(job)
        return future

    def _work(self) -> None:
        while True:
            self._queue.get()()
