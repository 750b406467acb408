"""Every adapter: whatever is not its protocol is a ``FrameError``, and nothing else ever."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector_core import codec
from collector_core.errors import FrameError
from collector_core.events import Event
from collector_exchanges.discovery import exchanges, replay_adapter
from collector_feed.adapter import Adapter
from collector_feed.outputs import BookDelta, BookSnapshot, Decoded

from .cases import RECEIVE_TIME, FrameCase, Json, Symbols, WrongCase, make_adapter, plain

_SAFE = 2**53
_FOREIGN: list[Json] = [
    None,
    True,
    0,
    -1,
    2**80,
    1.5,
    1e300,
    "",
    "x",
    "1",
    [],
    {},
    [[]],
    [1],
    {"a": 1},
]

any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
quick = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read(adapter: Adapter, frame: bytes) -> list[Decoded] | None:
    """Return a frame's outputs, fit to be published, or None for a ``FrameError``."""
    try:
        outputs = adapter.on_frame(frame, RECEIVE_TIME)
    except FrameError:
        return None
    for output in outputs:
        if isinstance(output, Event):
            assert output == codec.decode(codec.encode(output))
        if isinstance(output, Event | BookDelta | BookSnapshot):
            time = output.exchange_time
            assert time is None or 0 <= time < _SAFE
    return outputs


def mutations(value: Json) -> list[Json]:
    """Return ``value`` with one part of it dropped or of another type, for each part."""
    changed: list[Json] = list(_FOREIGN)
    if isinstance(value, dict):
        for key in value:
            changed.append({k: v for k, v in value.items() if k != key})
            changed.extend({**value, key: other} for other in mutations(value[key]))
    elif isinstance(value, list):
        for index, item in enumerate(value[:2]):
            changed.append(value[:index] + value[index + 1 :])
            changed.extend(
                [*value[:index], other, *value[index + 1 :]] for other in mutations(item)
            )
    return changed


def test_a_wrong_frame_is_refused_with_the_frame_in_the_text(wrong_case: WrongCase) -> None:
    with pytest.raises(FrameError, match=r"^expected "):
        make_adapter(wrong_case.exchange).on_frame(wrong_case.frame.encode(), RECEIVE_TIME)


def test_a_wrong_frame_spoils_nothing_after_it(exchange: str, frames: list[FrameCase]) -> None:
    adapter = make_adapter(exchange)
    for case in frames:
        assert read(adapter, bytes(case.frame)[:-1]) is None
        assert case.outputs == plain(adapter.on_frame(bytes(case.frame), RECEIVE_TIME))


def test_a_truncated_frame_is_refused(frame_case: FrameCase) -> None:
    adapter = make_adapter(frame_case.exchange)
    frame = bytes(frame_case.frame)
    assert [None] * len(frame) == [read(adapter, frame[:end]) for end in range(len(frame))]


def test_a_part_that_is_missing_or_of_another_type_raises_nothing_else(
    frame_case: FrameCase,
) -> None:
    adapter = make_adapter(frame_case.exchange)
    tree = json.loads(bytes(frame_case.frame))
    for value in mutations(tree):
        read(adapter, json.dumps(value).encode())


def test_a_frame_of_another_exchange_raises_nothing_else(frame_case: FrameCase) -> None:
    for other in exchanges():
        if other != frame_case.exchange:
            outputs = read(make_adapter(other), bytes(frame_case.frame))
            assert not [o for o in outputs or [] if isinstance(o, Event)]


def test_an_unknown_symbol_is_refused_by_its_catalogue(
    exchange: str, frames: list[FrameCase], symbols: Symbols
) -> None:
    seen = 0
    for case in frames:
        frame = bytes(case.frame)
        for ours, theirs in symbols.pairs.items():
            # some exchanges spell the two currencies in fields of their own
            for code in (theirs, f'"{ours.partition("/")[0]}"'):
                strange = f'{code[:-1]}Z"' if code.endswith('"') else f"{code}Z"
                frame = frame.replace(code.encode(), strange.encode())
        if frame != bytes(case.frame) and case.channel in {"trade", "ticker", "book", "candle"}:
            seen += 1
            assert read(make_adapter(exchange), frame) is None
    assert seen


@pytest.mark.parametrize(
    "frame",
    [
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000,
        b'{"data":' * 50_000 + b"1" + b"}" * 50_000,
        b"1" * 100_000,
        b"-",
        b'"' + b"x" * 1_000_000 + b'"',
        b'{"e":"' + b"x" * 1_000_000 + b'"}',
        b"\xff\xfe",
        b'{"e":"\xff"}',
        b'{"type":"\xff"}',
        b"\x00" * 1_000,
    ],
    ids=lambda frame: f"{frame[:8]!r} {len(frame)}",
)
def test_deep_huge_and_broken_frames_are_refused(exchange: str, frame: bytes) -> None:
    assert read(make_adapter(exchange), frame) is None


def test_a_field_that_nobody_reads_may_nest_only_so_deep(frame_case: FrameCase) -> None:
    frame = bytes(frame_case.frame)
    at = frame.index(b"{") + 1 if b"{" in frame else 1
    deep = b'"zz":' + b"[" * 20_000 + b"]" * 20_000 + b","
    assert read(make_adapter(frame_case.exchange), frame[:at] + deep + frame[at:]) is None


def test_numbers_of_a_thousand_digits_are_refused(frame_case: FrameCase) -> None:
    adapter = make_adapter(frame_case.exchange)
    frame = bytes(frame_case.frame)
    tree = json.loads(frame, parse_int=str, parse_float=str)
    for text in {leaf for leaf in _texts(tree) if leaf[:1].isdigit() and leaf.isdecimal()}:
        read(adapter, frame.replace(text.encode(), b"9" * 1_000))
        read(adapter, frame.replace(text.encode(), b"9" * 5_000))


def _texts(tree: Json) -> list[str]:
    if isinstance(tree, dict):
        return [text for item in tree.values() for text in _texts(item)]
    if isinstance(tree, list):
        return [text for item in tree for text in _texts(item)]
    return [tree] if isinstance(tree, str) else []


@pytest.mark.parametrize("name", exchanges())
@quick
@given(data=st.binary(max_size=200))
def test_random_bytes_raise_nothing_else(name: str, data: bytes) -> None:
    read(replay_adapter(name), data)


@pytest.mark.parametrize("name", exchanges())
@quick
@given(value=any_json)
def test_random_json_raises_nothing_else(name: str, value: Json) -> None:
    read(replay_adapter(name), json.dumps(value).encode())


@quick
@given(value=any_json, draw=st.data())
def test_random_values_in_a_frame_raise_nothing_else(
    value: Json, draw: st.DataObject, frame_case: FrameCase
) -> None:
    tree = json.loads(bytes(frame_case.frame))
    if not isinstance(tree, dict):
        return
    key = draw.draw(st.sampled_from(sorted(tree)))
    read(replay_adapter(frame_case.exchange), msgspec.json.encode({**tree, key: value}))


@quick
@given(draw=st.data())
def test_a_shuffled_frame_raises_nothing_else(draw: st.DataObject, frame_case: FrameCase) -> None:
    frame = bytes(frame_case.frame)[:300]
    cut = draw.draw(st.integers(0, len(frame)))
    again = draw.draw(st.integers(0, len(frame)))
    read(replay_adapter(frame_case.exchange), frame[cut:] + frame[:again])
