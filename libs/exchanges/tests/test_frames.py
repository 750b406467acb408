"""Every adapter: frames by hand in, golden outputs out."""

from __future__ import annotations

import json
from collections.abc import Callable

import msgspec
import pytest

from collector_core import codec
from collector_core.events import Event
from collector_exchanges.discovery import adapter, exchanges, replay_adapter
from collector_feed.outputs import BookDelta, BookSnapshot

from .cases import RECEIVE_TIME, FrameCase, Json, make_adapter, plain

_LEAVES = (str, int, bool, type(None))


class Number(str):
    """A JSON number's text."""

    __slots__ = ()


def rewritten(value: Json) -> str:
    """Return JSON with the keys of each object the other way round, number texts as they were."""
    match value:
        case dict():
            items = reversed(value.items())
            return "{" + ", ".join(f"{json.dumps(k)}: {rewritten(v)}" for k, v in items) + "}"
        case list():
            return "[ " + " ,".join(map(rewritten, value)) + " ]"
        case Number():
            return value
        case _:
            return json.dumps(value)


def leaves(value: object) -> list[object]:
    if isinstance(value, msgspec.Struct):
        return [leaf for name in value.__struct_fields__ for leaf in leaves(getattr(value, name))]
    if isinstance(value, list | tuple):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


@pytest.mark.parametrize("kind", [bytes, memoryview])
def test_a_frame_gives_its_golden_outputs(
    frame_case: FrameCase, kind: Callable[[bytes], bytes | memoryview]
) -> None:
    adapter = make_adapter(frame_case.exchange)
    outputs = adapter.on_frame(kind(bytes(frame_case.frame)), RECEIVE_TIME)
    assert frame_case.outputs == plain(outputs)


def test_a_replay_reads_the_same_without_a_catalogue(frame_case: FrameCase) -> None:
    outputs = replay_adapter(frame_case.exchange).on_frame(bytes(frame_case.frame), RECEIVE_TIME)
    assert frame_case.outputs == plain(outputs)


def test_a_frame_without_a_receive_time_gives_rows_without_one(frame_case: FrameCase) -> None:
    for output in make_adapter(frame_case.exchange).on_frame(bytes(frame_case.frame), None):
        if isinstance(output, Event):
            assert output.receive_time is None


def test_the_order_of_keys_and_white_space_mean_nothing(frame_case: FrameCase) -> None:
    tree = json.loads(bytes(frame_case.frame), parse_int=Number, parse_float=Number)
    text = f" {rewritten(tree)}\n".encode()
    outputs = make_adapter(frame_case.exchange).on_frame(text, RECEIVE_TIME)
    assert frame_case.outputs == plain(outputs)


def test_outputs_do_not_refer_to_the_frame(frame_case: FrameCase) -> None:
    buffer = bytearray(bytes(frame_case.frame))
    view = memoryview(buffer)
    outputs = make_adapter(frame_case.exchange).on_frame(view, RECEIVE_TIME)
    buffer[:] = b"0" * len(buffer)
    # raises BufferError if anything still refers to the buffer
    view.release()
    buffer.clear()
    assert frame_case.outputs == plain(outputs)


def test_outputs_are_texts_and_integers(frame_case: FrameCase) -> None:
    outputs = make_adapter(frame_case.exchange).on_frame(bytes(frame_case.frame), RECEIVE_TIME)
    assert [leaf for leaf in leaves(outputs) if type(leaf) not in _LEAVES] == []


def test_events_become_rows_and_events_again(frame_case: FrameCase) -> None:
    outputs = make_adapter(frame_case.exchange).on_frame(bytes(frame_case.frame), RECEIVE_TIME)
    for event in outputs:
        if isinstance(event, Event):
            assert event == codec.decode(codec.encode(event))
            assert (0, 0, frame_case.exchange) == (event.epoch, event.seq, event.exchange)


def test_a_connection_that_was_reset_reads_as_before(
    exchange: str, frames: list[FrameCase]
) -> None:
    adapter = make_adapter(exchange)
    for case in frames:
        adapter.on_frame(bytes(case.frame), RECEIVE_TIME)
    adapter.reset()
    for case in frames:
        assert case.outputs == plain(adapter.on_frame(bytes(case.frame), RECEIVE_TIME))


def test_every_channel_that_is_pushed_has_frames(exchange: str, frames: list[FrameCase]) -> None:
    pushed = {name for name, channel in adapter(exchange).spec.channels.items() if channel.stream}
    assert pushed <= {case.channel for case in frames if case.outputs}


def test_the_channel_of_a_case_is_that_of_its_outputs(frames: list[FrameCase]) -> None:
    kinds = {BookDelta.__name__: "book", BookSnapshot.__name__: "book"}
    for case in frames:
        for output in case.outputs:
            kind = str(output["type"])
            assert case.channel == kinds.get(kind, kind.lower())


def test_refusals_are_covered_and_acknowledgements_where_there_are_any(
    exchange: str, frames: list[FrameCase]
) -> None:
    covered = {case.channel for case in frames}
    assert "rejected" in covered
    assert adapter(exchange).spec.acknowledges == ("acknowledged" in covered)


def test_the_suite_runs_over_more_than_one_exchange() -> None:
    assert len(exchanges()) >= 2
