from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from collector_core.errors import BrokerError
from collector_runtime.kafka.child import Child


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def gone(pid: int, within: float = 5.0) -> bool:
    deadline = time.monotonic() + within
    while alive(pid) and time.monotonic() < deadline:
        os.sched_yield()
    return not alive(pid)


def python(text: str) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(text)]


def test_a_child_runs_until_it_is_stopped() -> None:
    child = Child(["sleep", "60"])
    assert alive(child.pid)
    assert not child.wait(0)
    child.stop()
    child.stop()
    assert child.returncode == -signal.SIGTERM
    assert not alive(child.pid)


def test_a_child_that_will_not_go_is_killed() -> None:
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True)"
    child = Child(python(f"{deaf}; time.sleep(60)"))
    deadline = time.monotonic() + 10
    while "up" not in child.output():
        assert time.monotonic() < deadline
    child.stop(0.05)
    assert child.returncode == -signal.SIGKILL


def test_a_frozen_child_can_be_stopped() -> None:
    child = Child(["sleep", "60"])
    child.pause()
    child.stop(5)
    assert child.returncode == -signal.SIGTERM


def test_a_child_that_ended_leaves_status_and_last_words() -> None:
    child = Child(python("import sys; print('no room'); sys.exit(3)"))
    assert child.wait(10)
    assert (child.returncode, child.output()) == (3, "no room")
    child.stop()
    assert child.output() == ""


def test_a_program_that_is_not_there_says_so() -> None:
    child = Child(["/nowhere/broker"])
    assert child.wait(10)
    assert "No such file" in child.output()
    child.stop()


def test_a_launcher_that_cannot_start_is_our_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(BrokerError, match="expected to start sleep, was"):
        Child(["sleep", "60"])


PARENT = """
import os, sys, threading
from collector_runtime.kafka.child import Child
made = []
# as asyncio.to_thread does: the starting thread ends long before the child
thread = threading.Thread(target=lambda: made.append(Child(["sleep", "60"])))
thread.start()
thread.join()
print(made[0].pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of a killed parent")
def test_a_child_does_not_outlive_a_killed_parent() -> None:
    with subprocess.Popen(
        python(PARENT), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
    assert gone(pid)


def test_a_child_does_not_outlive_a_parent_that_ends() -> None:
    with subprocess.Popen(
        python(PARENT), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdin is not None
        pid = int(parent.stdout.readline())
        parent.stdin.close()
        assert parent.wait(10) == 0
    assert gone(pid)
