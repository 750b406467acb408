"""Exact numbers against Decimal, and texts that are no numbers."""

from __future__ import annotations

import re
from decimal import Decimal, localcontext

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from collector_core.errors import NumberError
from collector_core.numbers import MAX_DIGITS, Scale, add, are_exact, compare, exact, is_zero

PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?").fullmatch

# what an exchange writes: digits, perhaps a point, perhaps a sign
plain = st.from_regex(r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?", fullmatch=True)
scientific = st.builds(
    lambda head, mark, exponent: f"{head}{mark}{exponent}",
    st.from_regex(r"-?[0-9](\.[0-9]{1,12})?", fullmatch=True),
    st.sampled_from(["e", "E", "e+", "E-"]),
    st.integers(0, 40),
)
numbers = st.one_of(plain, scientific)


def decimal(text: str) -> Decimal:
    with localcontext(prec=400):
        return Decimal(text)


def test_digits_stay_as_the_exchange_sent_them() -> None:
    assert exact("116606000.0") == "116606000.0"
    assert exact("0.00000000") == "0.00000000"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("7.9276E-4", "0.00079276"),
        ("1.16539E8", "116539000"),
        ("1e-8", "0.00000001"),
        ("-2.50e-1", "-0.250"),
        ("+1", "1"),
        (".5", "0.5"),
        ("1.", "1"),
        ("0E-3", "0.000"),
        ("-0", "-0"),
    ],
)
def test_exponents_are_written_out(text: str, written: str) -> None:
    assert exact(text) == written


@given(numbers)
def test_exact_keeps_the_value_and_writes_plain_digits(text: str) -> None:
    written = exact(text)
    assert PLAIN(written)
    assert decimal(written) == decimal(text)


@given(numbers)
def test_exact_is_idempotent(text: str) -> None:
    assert exact(exact(text)) == exact(text)


@given(
    st.lists(
        st.one_of(numbers, st.text("0123456789.,-+eE \n\N{FULLWIDTH DIGIT ONE}", max_size=5)),
        max_size=6,
    )
)
def test_texts_that_are_exact_together_are_exact_each(texts: list[str]) -> None:
    if are_exact(texts):
        assert [exact(text) for text in texts] == texts


@pytest.mark.parametrize("text", ["1", "0.00", "84247.5", "9" * 31 + "." + "9" * 31])
def test_plain_digits_are_exact_together(text: str) -> None:
    assert are_exact(["2.5", text, "0"])


@pytest.mark.parametrize(
    "text",
    ["", ".5", "5.", "1,5", "1.2.3", "1e3", "-1", "1\n", "1" * 32, "\N{ARABIC-INDIC DIGIT ONE}"],
)
def test_one_text_that_is_not_plain_spoils_all(text: str) -> None:
    assert not are_exact(["2.5", text, "0"])


@given(plain)
def test_a_plain_number_keeps_every_digit(text: str) -> None:
    assert exact(text) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "-", "+", "e5", "1e", "1e+", "--1", "1.2.3", "1-2", "0x10", "1/2", "1,5", "½"),
        *("nan", "NaN", "sNaN", "nan123", "inf", "-inf", "Infinity", "null", "true"),
        *("1_000", "1_0.5", "1e1_0", " 1", "1 ", "1\n", "\t1", "1 000", "1\x00", "\ufeff1"),
        *("\N{FULLWIDTH DIGIT ONE}", "\N{ARABIC-INDIC DIGIT ONE}", "1.\N{SUPERSCRIPT TWO}"),
        *("1e999999999", "1e-999999999", "1" * 200, "0." + "0" * 200),
    ],
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(NumberError, match="expected"):
        exact(text)


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_an_error_of_ours(text: str) -> None:
    try:
        written = exact(text)
    except NumberError:
        return
    assert PLAIN(written)
    assert decimal(written) == decimal(text)


def test_the_bound_of_digits_holds_to_the_digit() -> None:
    assert exact("9" * MAX_DIGITS) == "9" * MAX_DIGITS
    assert exact(f"1E{MAX_DIGITS - 1}") == "1" + "0" * (MAX_DIGITS - 1)
    assert len(exact(f"1E-{MAX_DIGITS}")) == MAX_DIGITS + 2
    for text in ("9" * (MAX_DIGITS + 1), f"1E{MAX_DIGITS}", f"1E-{MAX_DIGITS + 1}"):
        with pytest.raises(NumberError, match="at most 80 digits a side"):
            exact(text)


@given(numbers)
def test_zero_is_zero_however_it_is_written(text: str) -> None:
    assert is_zero(exact(text)) == (decimal(text) == 0)


@given(numbers, numbers)
def test_order_is_exact(left: str, right: str) -> None:
    a, b = decimal(left), decimal(right)
    assert compare(left, right) == (a > b) - (a < b)


def test_equal_numbers_of_other_texts_meet() -> None:
    assert compare("0.5", "0.50") == 0
    # one and the same float
    assert compare("0.1000000000000000055", "0.1") == 1


@pytest.mark.parametrize(("left", "right"), [("x", "1"), ("1", ""), ("nan", "1"), ("1", "sNaN")])
def test_order_of_no_numbers_is_an_error(left: str, right: str) -> None:
    with pytest.raises(NumberError, match="expected two decimal numbers"):
        compare(left, right)


@given(plain, plain)
def test_sums_are_exact(left: str, right: str) -> None:
    with localcontext(prec=400):
        assert decimal(add(left, right)) == Decimal(left) + Decimal(right)


def test_a_sum_keeps_the_longer_decimals() -> None:
    assert add("0.10", "0.2") == "0.30"
    assert add("1", "-1.000") == "0.000"
    assert add("9007199254740993", "0.1") == "9007199254740993.1"


@given(plain, st.integers(0, 30))
def test_scale_there_and_back(text: str, decimals: int) -> None:
    scale = Scale(decimals)
    if not scale.fits(text):
        with pytest.raises(NumberError, match=f"expected at most {decimals} decimals"):
            scale.units(text)
        factor = scale.grow(text)
        assert factor == 10 ** (scale.decimals - decimals)
    units = scale.units(text)
    with localcontext(prec=400):
        assert decimal(text).scaleb(scale.decimals) == units
    assert decimal(scale.text(units)) == decimal(text)
    assert len(scale.text(units).partition(".")[2]) == scale.decimals


@given(plain, plain)
def test_a_scale_grows_without_moving_what_it_holds(held: str, more: str) -> None:
    scale = Scale(0)
    scale.grow(held)
    units = scale.units(held)
    units *= scale.grow(more)
    assert units == scale.units(held)


@given(plain)
def test_a_scale_does_not_shrink(text: str) -> None:
    scale = Scale(25)
    assert scale.grow(text) == 1
    assert scale.decimals == 25


@given(st.text(max_size=12))
def test_units_of_no_number_is_an_error_of_ours(text: str) -> None:
    assume(not re.search(r"[\d_\s]", text))
    with pytest.raises(NumberError):
        Scale(20).units(text)
