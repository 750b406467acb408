"""Date texts as microseconds."""

from __future__ import annotations

import pytest

from collector_core.errors import FrameError
from collector_feed import times as times_module
from collector_feed.times import DateTimes, rfc3339


def test_remembered_times_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(times_module, "_KEPT", 10)
    times = DateTimes()
    for second in range(60):
        text = f"2026-09-23T03:39:{second:02}"
        assert times[text] == (1_790_134_740 + second) * 1_000_000
        assert len(times) <= 10


@pytest.mark.parametrize(
    "text",
    [
        "2026-09-23 03:39:00",
        "2026-09-23T03:39:00Z",
        "2026-09-23T03:39",
        "2026-13-23T03:39:00",
        "2026-09-31T03:39:00",
        "2026-09-23T24:00:00",
        "1026-09-23T03:39:00",
        "\uff12026-09-23T03:39:00",
        "",
    ],
)
def test_a_time_in_another_form_is_refused(text: str) -> None:
    with pytest.raises(FrameError, match="expected a time such as"):
        DateTimes()[text]


def test_a_clock_ahead_of_utc_is_set_back() -> None:
    assert DateTimes(9 * 3600)["2026-09-23T12:39:00"] == 1_790_134_740_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-09-23T03:39:00Z", 1_790_134_740_000_000),
        ("2026-09-23T03:39:00.5Z", 1_790_134_740_500_000),
        ("2026-09-23T03:39:00.000001Z", 1_790_134_740_000_001),
        ("2026-09-23T03:39:00.123456789Z", 1_790_134_740_123_456),
    ],
)
def test_an_internet_time_keeps_its_microseconds(text: str, expected: int) -> None:
    assert rfc3339(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("2026-09-23T03:39:00", "2026-09-23T03:39:00+00:00", "2026-09-23T03:39:00.Z"),
        *("2026-09-23T03:39:00.1234567890Z", "2026-09-23T03:39:00,5Z", "2026-09-23Z", "Z", ""),
        "2026-09-23T03:39:00.\u0661Z",
    ],
)
def test_another_form_of_an_internet_time_is_refused(text: str) -> None:
    with pytest.raises(FrameError, match="expected a time such as"):
        rfc3339(text)
