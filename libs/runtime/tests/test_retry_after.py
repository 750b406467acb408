from __future__ import annotations

import pytest

from collector_runtime.retry_after import retry_after

_NOON = 1_735_732_800_000_000  # 2025-01-01 12:00:00 UTC


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("120", 120.0),
        (" 0.5 ", 0.5),
        ("-3", 0.0),
        ("Wed, 01 Jan 2025 12:00:30 GMT", 30.0),
        ("Wed, 01 Jan 2025 12:00:30 -0000", 30.0),
        ("Wed, 01 Jan 2025 11:00:00 GMT", 0.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("", None),
    ],
)
def test_seconds_and_dates_are_read(value: str | None, expected: float | None) -> None:
    assert retry_after(value, _NOON) == expected
