"""Medians, ratios and the numbers of the tables."""

from __future__ import annotations

import math

import pytest
from bench.figures import Figure, find, number, ratio


def test_the_median_of_an_even_number_of_runs_lies_between_the_two_middle_ones() -> None:
    assert Figure("ingest", "a", "rows/s", [4.0, 1.0, 3.0, 2.0]).median == 2.5


def test_no_run_has_no_median() -> None:
    assert math.isnan(Figure("ingest", "a", "rows/s").median)


def test_a_ratio_is_that_of_the_medians() -> None:
    base = Figure("ingest", "ours", "CPU µs/row", [4.0, 5.0, 60.0])
    peer = Figure("ingest", "peer", "CPU µs/row", [500.0])
    ratio(peer, base)
    assert (peer.ratio, peer.against) == (100.0, "ours")


@pytest.mark.parametrize("base", [None, Figure("ingest", "ours", "CPU µs/row")])
def test_a_ratio_to_something_that_failed_is_none(base: Figure | None) -> None:
    peer = Figure("ingest", "peer", "CPU µs/row", [500.0])
    ratio(peer, base)
    assert peer.ratio is None


def test_find_tells_subjects_and_quantities_apart() -> None:
    figures = [Figure("ingest", "a", "rows/s"), Figure("ingest", "a", "CPU µs/row")]
    assert find(figures, "a", "CPU µs/row") is figures[1]
    assert find(figures, "b", "rows/s") is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (220_123.4, "220,123"),
        (100.4, "100"),
        (41.26, "41.3"),
        (4.996, "5.00"),
        (0.2004, "0.200"),
        (0.0, "0.000"),
        (math.nan, "-"),
    ],
)
def test_numbers_have_about_three_significant_digits(value: float, text: str) -> None:
    assert number(value) == text
