"""The spellings of numbers, by the examples of the exchanges."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector_testkit.dialects.digits import as_double, fixed, shortest, trimmed


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        (77720, ("0.00077720", "0.0007772", "7.772E-4", "0.0007772")),
        (79276, ("0.00079276", "0.00079276", "7.9276E-4", "0.00079276")),
        (50000, ("0.00050000", "0.0005", "5.0E-4", "0.0005")),
        (11653900000000000, ("116539000.00000000", "116539000", "1.16539E8", "116539000")),
        (1000000000000000, ("10000000.00000000", "10000000", "1.0E7", "10000000")),
        (304000000000, ("3040.00000000", "3040", "3040.0", "3040")),
        (4140000000, ("41.40000000", "41.4", "41.4", "41.4")),
        (100000, ("0.00100000", "0.001", "0.001", "0.001")),
        (6043, ("0.00006043", "0.00006043", "6.043E-5", "6.043e-05")),
        (1, ("0.00000001", "0.00000001", "1.0E-8", "1e-08")),
        (0, ("0.00000000", "0", "0.0", "0")),
        (-150000000, ("-1.50000000", "-1.5", "-1.5", "-1.5")),
    ],
)
def test_each_spelling(units: int, expected: tuple[str, str, str, str]) -> None:
    spelled = (fixed(units, 8), trimmed(units, 8), as_double(units, 8), shortest(units, 8))
    assert spelled == expected


def test_without_decimals() -> None:
    assert (fixed(7, 0), trimmed(700, 0), as_double(700, 0)) == ("7", "700", "700.0")


@given(st.integers(-(10**22), 10**22), st.sampled_from([8, 10, 16]))
def test_every_spelling_is_the_same_number(units: int, decimals: int) -> None:
    number = Decimal(units).scaleb(-decimals)
    for spell in (fixed, trimmed, as_double, shortest):
        assert Decimal(spell(units, decimals)) == number
