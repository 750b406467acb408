"""What each exchange offers: the adapters' specs as data and as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from rich import box
from rich.table import Table

from collector_exchanges.discovery import adapter, exchanges
from collector_feed.spec import ChannelSpec, Rate, Spec

__all__ = ["Matrix", "capabilities", "markdown", "matrices", "tables"]

_EXCHANGE: Final = "exchange"
"""The first column, which is never broken."""
_LOSS: Final = {"at_once": "at once", "audit": "by audit", "never": "never"}
_HISTORY: Final = {"none": "none", "recent": "the newest", "full": "all"}


class Matrix(NamedTuple):
    """A table with a row, or several, for each exchange."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    """Cells; an exchange stands in the first of its rows alone."""


def capabilities() -> dict[str, Spec]:
    """Return the spec of every exchange by its name."""
    return {name: adapter(name).spec for name in exchanges()}


def matrices(specs: Mapping[str, Spec]) -> Iterator[Matrix]:
    """Yield channels, candles, integrity and limits, exchanges below each other."""
    yield _channels(specs)
    yield _by_exchange("Candles", specs, _CANDLES)
    yield _by_exchange("Integrity", specs, _INTEGRITY)
    yield _by_exchange("Limits that we keep to", specs, _LIMITS)


def tables(specs: Mapping[str, Spec]) -> Iterator[Table]:
    """Yield the matrices for a terminal."""
    for matrix in matrices(specs):
        table = Table(box=box.SIMPLE_HEAD, title=matrix.title, title_justify="left")
        for column in matrix.columns:
            table.add_column(column, overflow="fold", no_wrap=column == _EXCHANGE)
        for cells in matrix.rows:
            if cells[0] and table.row_count and len(matrix.rows) > len(specs):
                table.add_section()
            table.add_row(*cells)
        yield table


def markdown(specs: Mapping[str, Spec]) -> str:
    """Return the matrices as sections of a Markdown page (docs/exchanges/README.md)."""
    parts = []
    for matrix in matrices(specs):
        head = [_line(matrix.columns), _line(("---",) * len(matrix.columns))]
        parts.append("\n".join([f"### {matrix.title}", "", *head, *map(_line, matrix.rows)]))
    return "\n\n".join(parts) + "\n"


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _channels(specs: Mapping[str, Spec]) -> Matrix:
    rows: list[tuple[str, ...]] = []
    for name, spec in specs.items():
        for number, (channel, offer) in enumerate(spec.channels.items()):
            rows.append(
                (
                    name if number == 0 else "",
                    channel,
                    _way(offer),
                    _LOSS[offer.loss],
                    _HISTORY[offer.history],
                    offer.note,
                )
            )
    columns = (_EXCHANGE, "channel", "how", "a loss is seen", "history over REST", "notes")
    return Matrix("Channels", columns, rows)


def _way(offer: ChannelSpec) -> str:
    if not offer.stream:
        return "fetched"
    return "pushed, some fetched" if offer.polled else "pushed"


_Column = Callable[[Spec], str]


def _by_exchange(title: str, specs: Mapping[str, Spec], columns: Mapping[str, _Column]) -> Matrix:
    rows = [(name, *(show(spec) for show in columns.values())) for name, spec in specs.items()]
    return Matrix(title, (_EXCHANGE, *columns), rows)


def _rate(rate: Rate) -> str:
    return f"{rate.count:,} in {rate.seconds:,g} s"


def _messages(spec: Spec) -> str:
    if spec.operations is None:
        return _rate(spec.messages)
    return f"{_rate(spec.messages)}, subscribing {_rate(spec.operations)}"


def _book_begins(spec: Spec) -> str:
    if spec.book_rule == "whole":
        return "each frame is whole"
    return "with a REST snapshot" if spec.book_by_rest else "with a streamed snapshot"


def _book_proof(spec: Spec) -> str:
    if spec.checksum_levels:
        return f"checksum of {spec.checksum_levels} levels"
    if spec.book_rule == "unnumbered":
        return "the connection's counter"
    return spec.book_rule


def _yes(value: bool) -> str:
    return "yes" if value else "no"


_CANDLES: Final[dict[str, _Column]] = {
    "pushed": lambda s: " ".join(s.channels["candle"].intervals) or "none",
    "fetched as they close": lambda s: " ".join(s.channels["candle"].polled) or "none",
    "closed by": lambda s: "its flag" if s.candle_flag else "the next one, or time",
}

_INTEGRITY: Final[dict[str, _Column]] = {
    "acknowledges": lambda s: "yes" if s.acknowledges else "no: first data",
    "trade ids": lambda s: s.trade_ids,
    "REST has the same ids": lambda s: _yes(s.rest_trade_ids),
    "book begins": _book_begins,
    "book chained by": _book_proof,
    "levels kept": lambda s: "all sent" if s.book_depth is None else f"{s.book_depth:,}",
    "book audited": lambda s: _yes(s.book_audit),
}

_LIMITS: Final[dict[str, _Column]] = {
    "streams a connection": lambda s: f"{s.subscriptions_per_connection:,}",
    "streams a message": lambda s: f"{s.subscriptions_per_message:,}",
    "messages": _messages,
    "attempts": lambda s: _rate(s.connection_attempts),
    "REST weight": lambda s: _rate(s.request_weight),
    "dead after silence": lambda s: f"{s.keep_alive.interval + s.keep_alive.timeout:g} s",
    "age": lambda s: "none" if s.max_age is None else f"{s.max_age / 3600:g} h",
}
