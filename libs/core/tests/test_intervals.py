"""Candle intervals: lengths and openings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector_core.errors import SettingsError
from collector_core.intervals import close_time, length, open_time

SECOND = 1_000_000
INTERVALS = ["1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "12h", "1d", "3d", "1w", "1M"]
# 1970 to 2100
times = st.integers(0, 4_102_444_800 * SECOND)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def test_lengths() -> None:
    assert [length(i) for i in ("1s", "1m", "15m", "1h", "1d", "1w")] == [
        n * SECOND for n in (1, 60, 900, 3600, 86400, 604800)
    ]
    assert length("1M") is None


@pytest.mark.parametrize(
    "interval",
    [
        "",
        "m",
        "1",
        "0m",
        "-1m",
        "01m",
        "1x",
        "1M ",
        "2M",
        "1mm",
        "1 m",
        "1m\n",
        "\N{ARABIC-INDIC DIGIT ONE}m",
    ],
)
def test_what_is_no_interval_is_refused(interval: str) -> None:
    for call in (length, lambda i: open_time(i, 0), lambda i: close_time(i, 0)):
        with pytest.raises(SettingsError, match="expected an interval"):
            call(interval)


@given(st.sampled_from(INTERVALS), times)
def test_a_candle_holds_the_time_that_opens_it(interval: str, time: int) -> None:
    opened = open_time(interval, time)
    assert opened <= time < close_time(interval, opened)


@given(st.sampled_from(INTERVALS), times)
def test_candles_join_without_holes(interval: str, time: int) -> None:
    opened = open_time(interval, time)
    closed = close_time(interval, opened)
    assert open_time(interval, opened) == opened
    assert open_time(interval, closed) == closed
    assert open_time(interval, closed - 1) == opened


@given(times)
def test_weeks_open_on_monday(time: int) -> None:
    opened = datetime.fromtimestamp(open_time("1w", time) // SECOND, UTC)
    assert (opened.weekday(), opened.hour, opened.minute, opened.second) == (0, 0, 0, 0)


@given(times)
def test_months_open_on_the_first(time: int) -> None:
    opened = open_time("1M", time)
    moment = datetime.fromtimestamp(opened // SECOND, UTC)
    after = datetime.fromtimestamp(close_time("1M", opened) // SECOND, UTC)
    assert (moment.day, moment.hour, moment.minute, moment.second) == (1, 0, 0, 0)
    assert after == (moment + timedelta(days=32)).replace(day=1)


@pytest.mark.parametrize(
    ("opened", "closed"),
    [
        ("2024-02-01", "2024-03-01"),
        ("2023-02-01", "2023-03-01"),
        ("2000-02-01", "2000-03-01"),
        ("2100-02-01", "2100-03-01"),
        ("2024-12-01", "2025-01-01"),
        ("2024-04-01", "2024-05-01"),
    ],
)
def test_months_know_leap_years(opened: str, closed: str) -> None:
    assert close_time("1M", at(opened)) == at(closed)
    assert open_time("1M", at(closed) - 1) == at(opened)


def test_the_day_of_a_leap_year_is_a_day() -> None:
    assert open_time("1d", at("2024-02-29T23:59:59")) == at("2024-02-29")
    assert close_time("1d", at("2024-02-29")) == at("2024-03-01")


def test_a_week_over_new_year() -> None:
    assert open_time("1w", at("2025-01-01T12:00:00")) == at("2024-12-30")
    assert close_time("1w", at("2024-12-30")) == at("2025-01-06")
