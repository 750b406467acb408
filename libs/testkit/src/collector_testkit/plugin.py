"""The pytest plugin: a broker, a topic prefix a test, and skips that CI may forbid.

``COLLECTOR_FORBID_SKIPS`` turns skips of marked tests into failures: ``1`` those of ``broker``,
``captures``, ``redis`` and ``toolchains``, the names of some of them, separated by commas, only
those.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest

from collector_testkit.broker import Broker, Unavailable, open_broker

__all__ = ["broker", "captures", "controlled_broker", "forbidden", "prefix"]

FORBID: Final = "COLLECTOR_FORBID_SKIPS"
_MARKERS: Final = frozenset({"broker", "captures", "redis", "toolchains"})
_CAPTURES: Final = Path("shared") / "captures"


_FORBIDDEN: Final = pytest.StashKey[frozenset[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Read once which skips are forbidden; a wrong value ends the run at its start."""
    config.stash[_FORBIDDEN] = forbidden(os.environ.get(FORBID, ""))


@pytest.fixture(scope="session")
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """Return the test run's Kafka broker; tests are skipped with the reason where none is."""
    try:
        found = open_broker(request.config.rootpath / ".cache")
    except Unavailable as reason:
        pytest.skip(str(reason))
    yield found
    found.close()


@pytest.fixture
def controlled_broker(broker: Broker) -> Iterator[Broker]:
    """Return the broker to a test that stops or freezes it; afterwards it runs again."""
    if not broker.controllable:
        pytest.skip(f"a broker of the test run's own is needed, {broker.bootstrap_servers} is not")
    yield broker
    broker.resume()
    broker.start()


@pytest.fixture
def prefix() -> str:
    """Return a topic prefix that no other test has."""
    return f"t-{uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def captures(request: pytest.FixtureRequest) -> Path:
    """Return the folder of recorded frames; tests are skipped where it is not."""
    return _captures(request.config)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test of recorded frames where there are none."""
    if item.get_closest_marker("captures") is not None:
        _captures(item.config)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Make a forbidden skip a failure that keeps its reason."""
    report = yield
    marked = {
        name for name in item.config.stash[_FORBIDDEN] if item.get_closest_marker(name) is not None
    }
    if report.skipped and marked and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.longrepr = f"{FORBID} forbids: {reason}"
    return report


def forbidden(text: str) -> frozenset[str]:
    """Return the markers whose tests may not be skipped.

    Raises:
        pytest.UsageError: the variable has another value.
    """
    if text in {"", "0"}:
        return frozenset()
    if text == "1":
        return _MARKERS
    names = frozenset(name.strip() for name in text.split(","))
    if not names <= _MARKERS:
        known = ", ".join(sorted(_MARKERS))
        raise pytest.UsageError(f"expected 1 or some of {known} in {FORBID}, was {text!r}")
    return names


def _captures(config: pytest.Config) -> Path:
    folder = config.rootpath.parent / _CAPTURES
    if not folder.is_dir():
        pytest.skip(f"recorded frames are expected in ../{_CAPTURES}, which is not there")
    return folder
