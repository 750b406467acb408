"""Services as processes of their own: signals, deaths, sentences, exit codes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_HEAD = """
import asyncio, sys, time
from collector_core.errors import BrokerError, CollectorError, SettingsError
from collector_runtime.lifecycle import Supervisor, run
from collector_runtime.logs import configure

configure("error")

def say(word):
    print(word, flush=True)

async def forever():
    await asyncio.Event().wait()
"""


@contextmanager
def service(body: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program of its own."""
    with subprocess.Popen(
        [sys.executable, "-c", _HEAD + textwrap.dedent(body)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # what measures coverage goes along; nothing else of the test run does
        env={name: os.environ[name] for name in os.environ if name.startswith("COVERAGE")}
        | environment,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def word(process: subprocess.Popen[str]) -> str:
    """Return the next line of standard output."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Return exit code and what is left of standard output and error."""
    out, error = process.communicate(timeout=20)
    return process.returncode, out.strip(), error.strip()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    with service("""
        async def main(supervisor):
            supervisor.start("work", forever())
            say("up")
            await supervisor.stopped()
            await asyncio.sleep(0)
            print("flushed", flush=True, file=sys.stderr)
        sys.exit(run(main))
    """) as process:
        assert word(process) == "up"
        process.send_signal(number)
        code, _, error = end(process)
        assert code == 0
        assert error == "flushed"


def test_a_signal_during_the_start_cancels_it() -> None:
    with service("""
        async def main(supervisor):
            say("starting")
            try:
                await forever()
            finally:
                print("tidied", flush=True, file=sys.stderr)
        sys.exit(run(main))
    """) as process:
        assert word(process) == "starting"
        process.send_signal(signal.SIGTERM)
        assert end(process) == (0, "", "tidied")


def test_a_second_signal_cuts_the_end_short() -> None:
    with service("""
        async def main(supervisor):
            say("up")
            await supervisor.stopped()
            print("ending", flush=True, file=sys.stderr)
            await forever()
        sys.exit(run(main))
    """) as process:
        assert word(process) == "up"
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        assert process.stderr.readline().strip() == "ending"
        process.send_signal(signal.SIGTERM)
        code, _, error = end(process)
        assert (code, error) == (1, "error: expected an orderly end, was cut off by a signal")


@pytest.mark.parametrize(
    ("raised", "code", "sentence"),
    [
        ("SettingsError('setting X: expected 1, was 2')", 2, "setting X: expected 1, was 2"),
        ("BrokerError('expected a broker\\n at k:1')", 1, "expected a broker at k:1"),
        ("KeyError('x')", 1, "internal error at <string>:16: KeyError: 'x'"),
    ],
)
def test_an_error_is_one_sentence_without_traceback(raised: str, code: int, sentence: str) -> None:
    with service(f"""
        async def main(supervisor):
            raise {raised}
        sys.exit(run(main))
    """) as process:
        assert end(process) == (code, "", f"error: {sentence}")


def test_the_traceback_is_shown_on_request() -> None:
    with service(
        """
        async def main(supervisor):
            raise CollectorError("oops")
        sys.exit(run(main))
        """,
        COLLECTOR_DEBUG="1",
    ) as process:
        code, _, error = end(process)
        assert code == 1
        assert error.startswith("Traceback (most recent call last):")
        assert error.endswith("error: oops")


def test_a_task_that_dies_ends_the_service_after_its_tidying() -> None:
    with service("""
        async def die():
            raise CollectorError("expected rows, was nothing")
        async def main(supervisor):
            supervisor.start("rows", die())
            await supervisor.stopped()
            say("tidied")
        sys.exit(run(main))
    """) as process:
        assert end(process) == (1, "tidied", "error: expected rows, was nothing")


def test_a_task_that_ends_is_dead_unless_it_may() -> None:
    with service("""
        async def brief():
            pass
        async def main(supervisor):
            await supervisor.start("seed", brief(), may_end=True)
            say("still up")
            supervisor.start("reader", brief())
            await supervisor.stopped()
        sys.exit(run(main))
    """) as process:
        code, out, error = end(process)
        assert (code, out) == (1, "still up")
        assert error == "error: expected task reader to run until the end, was over"


def test_an_exception_in_a_callback_ends_the_service() -> None:
    with service("""
        def callback():
            raise CollectorError("a listener failed")
        async def main(supervisor):
            asyncio.get_running_loop().call_soon(callback)
            await supervisor.stopped()
        sys.exit(run(main))
    """) as process:
        assert end(process) == (1, "", "error: a listener failed")


def test_an_end_that_hangs_is_cut() -> None:
    with service("""
        async def main(supervisor):
            supervisor.stop("enough")
            await supervisor.stopped()
            await forever()
        sys.exit(run(main, shutdown_seconds=1.2))
    """) as process:
        code, _, error = end(process)
        assert (code, error) == (1, "error: expected an end within 1.2 s, was still at work")


def test_even_a_stuck_event_loop_ends() -> None:
    with service("""
        async def main(supervisor):
            supervisor.stop("enough")
            await supervisor.stopped()
            time.sleep(60)
        sys.exit(run(main, shutdown_seconds=0.2))
    """) as process:
        code, _, error = end(process)
        assert (code, error) == (1, "error: expected an end within 0.2 s, was stuck")


def test_a_service_may_end_by_itself_and_its_tasks_with_it() -> None:
    with service("""
        async def work():
            try:
                await forever()
            finally:
                say("cancelled")
        async def main(supervisor):
            supervisor.start("work", work())
            await asyncio.sleep(0)
        code = run(main, shutdown_seconds=0.1)
        time.sleep(0.3)
        sys.exit(code)
    """) as process:
        assert end(process) == (0, "cancelled", "")
