"""What every indicator of the catalogue must fulfil; a new module is found and tested here."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector_core.errors import StateError
from collector_indicators.discovery import AnyIndicator, bar_indicators
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters

NAMES = sorted(bar_indicators())
MINUTE = 60_000_000
NUMBERS = st.one_of(
    st.floats(1e-12, 1e15, allow_nan=False, allow_infinity=False),
    st.sampled_from([1.0, 1e15, 1e-12, 0.1, 7.3, 1e-80, 1e80]),
)


def bars_of(numbers: list[float]) -> list[Ohlcv]:
    """Return 400-minute bars, so that sessions pass, with now and then no volume or turnover."""
    return [
        Ohlcv(
            i * 400 * MINUTE,
            close,
            close * 1.5,
            close / 2,
            close,
            0.0 if i % 7 == 3 else close / 3,
            None if i % 5 == 2 else (0.0 if i % 7 == 3 else close * close / 3),
            None if i % 11 == 5 else (0.0 if i % 7 == 3 else close / 7),
        )
        for i, close in enumerate(numbers)
    ]


def small(name: str) -> AnyIndicator:
    """Return an indicator whose windows are over soon, so that short series pass them."""
    kind = bar_indicators()[name]
    shrunk = []
    for i, field in enumerate(msgspec.structs.fields(kind.parameters_type)):
        shrunk.append(str(i + 2) if isinstance(field.default, int | float) else str(field.default))
    return kind.create(":".join(shrunk))


def variants() -> list[AnyIndicator]:
    """Return each indicator with its defaults, with short windows, and the rolling VWAP."""
    found = [kind.create() for kind in bar_indicators().values()]
    found += [small(name) for name in NAMES]
    return [*found, bar_indicators()["vwap"].create("3"), bar_indicators()["vwap"].create("kst")]


VARIANTS = [f"{one.name}:{one.params}" for one in variants()]
each = pytest.mark.parametrize("which", range(len(VARIANTS)), ids=VARIANTS)


def bits(values: dict[str, float | None]) -> list[str | None]:
    """Return values such that equal means equal to the last bit."""
    return [None if value is None else value.hex() for value in values.values()]


@each
@settings(deadline=None, max_examples=25)
@given(numbers=st.lists(NUMBERS, max_size=40), data=st.data())
def test_values_are_finite_and_independent_of_restores_and_peeks(
    which: int, numbers: list[float], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(numbers)))
    plain, restored = variants()[which], variants()[which]
    for i, bar in enumerate(bars_of(numbers)):
        if i == cut:
            state = restored.state()
            restored = variants()[which]
            restored.restore(state)
            assert state == restored.state()
        before = plain.state()
        peeked = plain.peek(bar)
        assert before == plain.state()
        warm = plain.warm(bar, i + 1)
        values = plain.update(bar)
        assert bits(values) == bits(peeked) == bits(restored.update(bar))
        assert plain.outputs == tuple(values)
        assert all(value is None or math.isfinite(value) for value in values.values())
        if warm and bar.volume:
            assert None not in values.values()


@each
def test_flat_and_single_rows_do_not_raise(which: int) -> None:
    for numbers in ([5.0], [5.0] * 60, [0.0] * 60):
        indicator = variants()[which]
        for bar in bars_of(numbers):
            values = indicator.update(bar)
        assert all(value is None or math.isfinite(value) for value in values.values())


@each
def test_a_copy_goes_its_own_way(which: int) -> None:
    one = variants()[which]
    for bar in bars_of([1.0, 2.0, 3.0, 4.0]):
        one.update(bar)
    two = one.copy()
    state = one.state()
    for bar in bars_of([9.0, 8.0]):
        two.update(bar)
    assert state == one.state()
    assert state != two.state()


@each
def test_state_of_another_kind_is_refused(which: int) -> None:
    indicator = variants()[which]
    wanted = indicator.state()
    name, params, version, state = msgspec.msgpack.decode(wanted)
    for wrong in (
        b"",
        b"\xc1",
        wanted[:-1],
        msgspec.msgpack.encode((name, params, version + 1, state)),
        msgspec.msgpack.encode((name, params + "1", version, state)),
        msgspec.msgpack.encode(("other", params, version, state)),
        msgspec.msgpack.encode((name, params, version, "nothing")),
    ):
        with pytest.raises(StateError, match=r"expected state of"):
            indicator.restore(wrong)


@pytest.mark.parametrize("name", NAMES)
def test_names_outputs_and_parameters_are_well_formed(name: str) -> None:
    kind = bar_indicators()[name]
    assert name == kind.name == name.lower()
    assert kind.outputs
    assert len(set(kind.outputs)) == len(kind.outputs)
    assert issubclass(kind.parameters_type, Parameters)
    assert all(
        field.default is not msgspec.NODEFAULT
        for field in msgspec.structs.fields(kind.parameters_type)
    )
    default = kind.create()
    assert default.params == kind.create(default.params).params
    assert default.bars_needed >= 1
    assert kind.__doc__
    assert "Source:" in (__import__(kind.__module__, fromlist=["x"]).__doc__ or "")
