"""How a service runs and ends: event loop, signals, supervised tasks, one sentence of an error.

Exit codes: 0 after a signal and a clean end, 1 after a failure, 2 when a setting was wrong.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, Final, TextIO

import structlog
import uvloop

from collector_core.errors import CollectorError, SettingsError
from collector_runtime import heap

__all__ = [
    "CLEAN",
    "FAILURE",
    "SETTINGS",
    "SHUTDOWN_SECONDS",
    "Supervisor",
    "explain",
    "print_failure",
    "run",
]

CLEAN: Final = 0
FAILURE: Final = 1
SETTINGS: Final = 2
SHUTDOWN_SECONDS: Final = 10.0
"""From the wish to stop to the end of the process, at most."""

_DEBUG: Final = "COLLECTOR_DEBUG"
_LOG: Final = structlog.get_logger("collector.lifecycle")


class Supervisor:
    """What a service's main function is given: tasks that must not die, and the wish to stop."""

    def __init__(self, on_stop: Callable[[], None]) -> None:
        # called once, at the wish to stop
        self._on_stop = on_stop
        self._stopping = asyncio.Event()
        # the service is up and waits; before, a wish to stop cancels its start
        self.waiting = False
        self._tasks: set[asyncio.Task[Any]] = set()
        # the first failure; the process ends with it
        self.failure: BaseException | None = None

    @property
    def stopping(self) -> bool:
        """Tell whether the service is asked to end."""
        return self._stopping.is_set()

    async def stopped(self) -> None:
        """Wait until the service is asked to end: by a signal, a failure or ``stop``.

        The service is up: what its start made is settled (``heap``).
        """
        self.waiting = True
        heap.settle()
        await self._stopping.wait()

    async def wish(self) -> None:
        """Wait for the wish to stop without being counted as up."""
        await self._stopping.wait()

    def stop(self, reason: str) -> None:
        """Ask the service to end, cleanly."""
        if not self.stopping:
            _LOG.info("stopping", reason=reason)
            self._stopping.set()
            self._on_stop()

    def fail(self, error: BaseException) -> None:
        """End the service with ``error``, the first of which is reported."""
        if self.failure is None:
            self.failure = error
        self.stop(explain(error))

    def start(
        self, name: str, work: Coroutine[Any, Any, Any], *, may_end: bool = False
    ) -> asyncio.Task[Any]:
        """Run ``work`` as a task whose death ends the service.

        Args:
            name: for the error's text.
            work: what it does, until it is cancelled at the service's end.
            may_end: returning is no death.
        """
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)

        def ended(task: asyncio.Task[Any]) -> None:
            self._tasks.discard(task)
            if task.cancelled():
                return
            error = task.exception()
            if error is not None:
                self.fail(error)
            elif not may_end and not self.stopping:
                self.fail(CollectorError(f"expected task {name} to run until the end, was over"))

        task.add_done_callback(ended)
        return task

    async def cancel_tasks(self) -> None:
        """Cancel the tasks that still run and wait for them."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def on_loop_error(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Take what a callback raised, as the event loop's exception handler: it is a failure."""
        error = context.get("exception")
        if error is None:
            _LOG.warning("event_loop", reason=context["message"])
        else:
            self.fail(error)


def run(
    main: Callable[[Supervisor], Awaitable[None]],
    shutdown_seconds: float = SHUTDOWN_SECONDS,
    stream: TextIO | None = None,
) -> int:
    """Run a service to its end and return the exit code.

    ``main`` opens what it needs, starts tasks by ``start``, waits for ``stopped`` and closes what
    it opened. A wish to stop that comes before it waits cancels it, and so does a second signal.
    When it is not done a second before ``shutdown_seconds`` it is cancelled and the process
    fails; at ``shutdown_seconds`` the process ends, whatever holds it.

    Args:
        main: the service.
        shutdown_seconds: bound of an orderly end.
        stream: where the sentence of a failure goes; standard error.
    """
    sink = stream or sys.stderr
    bound = threading.Timer(shutdown_seconds, _cut, (shutdown_seconds, sink))
    bound.daemon = True
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            failure = runner.run(_supervise(main, shutdown_seconds, bound))
    except KeyboardInterrupt:
        # a signal before our handlers stood
        failure = CollectorError("interrupted before it started")
    finally:
        bound.cancel()
    if failure is None:
        return CLEAN
    print_failure(failure, sink)
    return SETTINGS if isinstance(failure, SettingsError) else FAILURE


async def _supervise(
    main: Callable[[Supervisor], Awaitable[None]], shutdown_seconds: float, bound: threading.Timer
) -> BaseException | None:
    loop = asyncio.get_running_loop()
    supervisor = Supervisor(bound.start)
    loop.set_exception_handler(supervisor.on_loop_error)
    service = asyncio.ensure_future(main(supervisor))

    def on_signal(name: str) -> None:
        if supervisor.stopping:
            supervisor.fail(CollectorError("expected an orderly end, was cut off by a signal"))
            service.cancel()
        supervisor.stop(name)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number.name)
    stopped = loop.create_task(supervisor.wish())
    await asyncio.wait([service, stopped], return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    supervisor.stop("done")
    if not service.done() and not supervisor.waiting:
        service.cancel()
    await asyncio.wait([service], timeout=max(0.0, shutdown_seconds - 1.0))
    if not service.done():
        supervisor.fail(
            CollectorError(f"expected an end within {shutdown_seconds:g} s, was still at work")
        )
        service.cancel()
        await asyncio.wait([service])
    if not service.cancelled() and (error := service.exception()) is not None:
        supervisor.fail(error)
    await supervisor.cancel_tasks()
    return supervisor.failure


def _cut(seconds: float, sink: TextIO) -> None:
    """End the process, from a thread of its own: the event loop itself may be stuck."""
    print_failure(CollectorError(f"expected an end within {seconds:g} s, was stuck"), sink)
    os._exit(FAILURE)


def explain(error: BaseException) -> str:
    """Return one sentence for an error; one that is not ours, a bug, also says where it arose."""
    text = " ".join(str(error).split())
    if isinstance(error, CollectorError):
        return text
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"internal error{where}: {type(error).__name__}: {text}"


def print_failure(error: BaseException, stream: TextIO) -> None:
    """Write the sentence of a failure, and its traceback if ``COLLECTOR_DEBUG`` is 1."""
    if os.environ.get(_DEBUG) == "1":
        stream.write("".join(traceback.format_exception(error)))
    stream.write(f"error: {explain(error)}\n")
    stream.flush()
