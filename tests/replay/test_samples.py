"""Isolated frames and answers of the exchanges: each is read, or the list says why it is not."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from collector_core.errors import FrameError
from collector_exchanges.discovery import replay_adapter
from collector_feed.adapter import Adapter
from collector_feed.outputs import Page
from collector_testkit.captures import Sample, samples, tree, written_out

pytestmark = pytest.mark.captures

EXCHANGES: Final = tuple(
    sorted(p.stem.removeprefix("samples-") for p in Path(__file__).parent.glob("samples-*.json"))
)
_NUMBERS: Final = (
    *("price", "amount", "last", "open", "high", "low", "close", "volume", "quote_volume"),
    *("change", "change_percent", "vwap", "bid", "bid_amount", "ask", "ask_amount"),
)


class KnownAnswer(msgspec.Struct):
    """An answer that a parser of ours reads."""

    file: str
    line: int
    call: str
    arguments: dict[str, Any]


class Known(msgspec.Struct):
    """What is known of an exchange's samples."""

    venue_symbols: list[str]
    """Spellings to learn before calls are made."""
    files: dict[str, str]
    """Pattern of files that are no public frames, and the reason."""
    lines: dict[str, dict[int, str]]
    """File, line and the reason why it is no frame of ours."""
    answers: list[KnownAnswer]


@pytest.fixture(params=EXCHANGES)
def exchange(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def known(exchange: str) -> Known:
    body = (Path(__file__).parent / f"samples-{exchange}.json").read_bytes()
    return msgspec.json.decode(body, type=Known)


@pytest.fixture
def adapter(exchange: str, known: Known) -> Adapter:
    fresh = replay_adapter(exchange)
    for venue_symbol in known.venue_symbols:
        fresh.symbols.from_venue(venue_symbol)
    return fresh


def frames(captures: Path, exchange: str, known: Known) -> Iterator[Sample]:
    for sample in samples(captures, exchange):
        if not any(fnmatch(sample.file, pattern) for pattern in known.files):
            yield sample


def texts(value: Any) -> Iterator[str]:  # noqa: ANN401  # JSON
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value


def numbers(output: object) -> Iterator[str]:
    for name in _NUMBERS:
        value = getattr(output, name, None)
        if isinstance(value, str):
            yield value
    for name in ("bids", "asks"):
        for level in getattr(output, name, ()):
            yield from level


def written(sample: Sample) -> set[str]:
    """Return every number of a sample, exponents written out."""
    return {
        written_out(text)
        for text in texts(tree(sample.data))
        if text.lstrip("-")[:1].isdigit() and text.upper().strip("-+.E0123456789") == ""
    }


def test_each_frame_is_read_digit_for_digit_or_explained(
    captures: Path, exchange: str, known: Known, adapter: Adapter
) -> None:
    read = 0
    for sample in frames(captures, exchange, known):
        # each is of a connection of its own
        adapter.reset()
        if sample.line in known.lines.get(sample.file, {}):
            with pytest.raises(FrameError):
                adapter.on_frame(sample.data, None)
            continue
        outputs = adapter.on_frame(sample.data, None)
        found = {number for output in outputs for number in numbers(output)}
        assert found <= written(sample), sample
        read += bool(outputs)
    # the fewest that the folder of an exchange has of the protocol that we speak
    assert read > 3


def rows_of(answer: object) -> list[object]:
    if isinstance(answer, Page):
        return [*answer.rows]
    return answer if isinstance(answer, list) else [answer]


def test_each_answer_that_we_ask_for_is_read_digit_for_digit(
    captures: Path, exchange: str, known: Known, adapter: Adapter
) -> None:
    at = {(sample.file, sample.line): sample for sample in samples(captures, exchange)}
    for answer in known.answers:
        sample = at[answer.file, answer.line]
        parsed = getattr(adapter, answer.call)(**answer.arguments).parse(sample.data, None)
        rows = rows_of(parsed)
        found = {number for row in rows for number in numbers(row)}
        assert rows, sample
        assert found <= written(sample), sample
        assert answer.call == "instruments" or found


def test_the_list_names_only_what_is_there(captures: Path, exchange: str, known: Known) -> None:
    there = {(sample.file, sample.line) for sample in samples(captures, exchange)}
    named = {(file, line) for file, lines in known.lines.items() for line in lines}
    assert named <= there
    assert all(reason for lines in known.lines.values() for reason in lines.values())
    for pattern in known.files:
        assert any(fnmatch(file, pattern) for file, _ in there)
