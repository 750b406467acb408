"""Recorded frames of the exchanges, and a reading of them that shares nothing with the product.

The folder stands beside the checkout (``../shared/captures``) and is never part of the project;
the fixture ``captures`` of the plugin names it, or skips the test with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Answer", "Frame", "Sample", "Session", "samples", "sessions", "tree", "written_out"]


class Frame(NamedTuple):
    """A frame as it came."""

    receive_time: int
    """Microseconds since the epoch."""
    data: bytes


class Answer(NamedTuple):
    """A REST answer of the minutes of a session."""

    receive_time: int
    url: str
    after: int
    """Frames of the session that had come before it."""
    body: bytes


class Sample(NamedTuple):
    """An isolated frame or REST answer."""

    file: str
    """Path below the exchange's folder."""
    line: int
    """From 1."""
    data: bytes


class Session:
    """One recorded connection.

    Args:
        folder: where its files are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.name

    @cached_property
    def frames(self) -> list[Frame]:
        """Every frame, in order of arrival."""
        lines = (self.folder / "session.jsonl").read_bytes().splitlines()
        times = [row[0] for row in _table(self.folder / "session.meta.tsv")]
        return [Frame(_microseconds(time), line) for time, line in zip(times, lines, strict=True)]

    @cached_property
    def snapshots(self) -> list[Answer]:
        """The order books that were fetched meanwhile, in order; none if none were."""
        path = self.folder / "rest-depth.jsonl"
        if not path.exists():
            return []
        rows = _table(path.with_suffix("").with_suffix(".meta.tsv"))
        return [
            Answer(_microseconds(time), url, int(after), body)
            for (time, url, after), body in zip(rows, path.read_bytes().splitlines(), strict=True)
        ]

    @property
    def instruments(self) -> bytes | None:
        """The list of instruments that was fetched before, if one was."""
        path = self.folder / "rest-exchangeInfo.json"
        return path.read_bytes() if path.exists() else None


def sessions(folder: Path, exchange: str) -> list[Session]:
    """Return the recorded connections of an exchange, by name."""
    return [Session(path) for path in sorted((folder / exchange).glob("session-*"))]


def samples(folder: Path, exchange: str) -> Iterator[Sample]:
    """Return the isolated frames and answers of an exchange, by file and line."""
    for path in sorted((folder / exchange).glob("samples-*/*.jsonl")):
        if not path.name.endswith(".expected.jsonl"):
            name = str(path.relative_to(folder / exchange))
            for number, line in enumerate(path.read_bytes().splitlines(), 1):
                yield Sample(name, number, line)


def tree(frame: bytes) -> Any:  # noqa: ANN401  # whatever JSON holds
    """Return a frame's JSON with each number as the text that stands in it."""
    return json.loads(frame, parse_int=str, parse_float=str)


def written_out(number: str) -> str:
    """Return a JSON number's text with its exponent written out and every digit kept.

    ``"7.9276E-4"`` becomes ``"0.00079276"``, ``"1.16539E8"`` becomes ``"116539000"``.
    """
    head, _, exponent = number.lower().partition("e")
    if not exponent:
        return number
    sign = "-" if head.startswith("-") else ""
    whole, _, part = head.removeprefix("-").partition(".")
    shift = int(exponent)
    if shift >= 0:
        part = part.ljust(shift, "0")
        whole, part = whole + part[:shift], part[shift:]
    else:
        whole = whole.rjust(1 - shift, "0")
        whole, part = whole[:shift], whole[shift:] + part
    whole = whole.lstrip("0") or "0"
    return f"{sign}{whole}.{part}" if part else f"{sign}{whole}"


def _table(path: Path) -> list[list[str]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines[1:]]


def _microseconds(seconds: str) -> int:
    whole, _, part = seconds.partition(".")
    return int(whole) * 1_000_000 + int(part[:6].ljust(6, "0"))
