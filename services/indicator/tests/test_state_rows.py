from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector_core.errors import StateError
from collector_indicator.state_rows import (
    Kind,
    Stored,
    StoredStates,
    key_of_offset,
    key_of_state,
)

SYMBOLS = st.from_regex(r"[A-Z|0-9]{1,8}/[A-Z|]{1,6}", fullmatch=True)


@given(SYMBOLS, st.integers(0, 999), st.sampled_from(["open", "closed", "rebuild"]))
def test_keys_read_back(symbol: str, partition: int, kind: Kind) -> None:
    states = StoredStates()
    key = key_of_state("md.trade.binance", partition, "binance", symbol, kind)
    states.visit(key, b"x")
    expected = Stored({("binance", symbol): {kind: b"x"}}, None, [key])
    assert {("md.trade.binance", partition): expected} == states.by_place()


def test_the_last_row_of_a_key_counts_and_a_tombstone_takes_it_away() -> None:
    states = StoredStates()
    one = key_of_state("t", 0, "binance", "A/B", "open")
    other = key_of_state("t", 0, "binance", "C/D", "open")
    for key, value in [(one, b"1"), (other, b"2"), (one, b"3"), (other, None), (b"no", None)]:
        states.visit(key, value)
    assert {("t", 0): Stored({("binance", "A/B"): {"open": b"3"}}, None, [one])} == (
        states.by_place()
    )


def test_a_partition_of_several_symbols_has_an_offset_of_its_own() -> None:
    states = StoredStates()
    keys = [key_of_offset("t", 3), key_of_state("t", 3, "binance", "A/B", "open")]
    states.visit(keys[0], b"120")
    states.visit(keys[1], b"x")
    [(place, stored)] = states.by_place().items()
    assert (place, stored.offset, stored.keys) == (("t", 3), 120, keys)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"t|x|binance|A/B|open", b""),
        (b"t|0", b""),
        (b"t|0|binance|A/B|shut", b""),
        (b"t|0|open", b""),
        (b"\xff|0|offset", b"1"),
        (b"t|0|offset", b"-1"),
    ],
)
def test_rows_that_are_none_of_ours_stop_the_restore(key: bytes, value: bytes) -> None:
    states = StoredStates()
    states.visit(key, value)
    with pytest.raises(StateError, match="expected"):
        states.by_place()
