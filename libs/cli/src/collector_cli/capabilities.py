"""What each exchange offers: the adapters' specs as data and as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from rich import box
from rich.table import Table

from collector_exchanges.discovery import adapter, exchanges
from collector_feed.spec import ChannelSpec, Rate, Spec

__all__ = ["capabilities", "tables"]


def capabilities() -> dict[str, Spec]:
    """Return the spec of every exchange by its name."""
    return {name: adapter(name).spec for name in exchanges()}


def tables(specs: Mapping[str, Spec]) -> Iterator[Table]:
    """Return the channels of all exchanges as one table, and their limits as another."""
    yield _channels(specs)
    yield _limits(specs)


def _channels(specs: Mapping[str, Spec]) -> Table:
    table = Table("exchange", "channel", "stream", "loss", "history", "notes", box=box.SIMPLE_HEAD)
    for name, spec in specs.items():
        for number, (channel, offer) in enumerate(spec.channels.items()):
            table.add_row(
                name if number == 0 else "",
                channel,
                "yes" if offer.stream else "fetched",
                offer.loss.replace("_", " "),
                offer.history,
                _notes(offer),
            )
        table.add_section()
    return table


def _notes(offer: ChannelSpec) -> str:
    intervals = " ".join(offer.intervals)
    return "; ".join(part for part in (offer.note, intervals) if part)


def _limits(specs: Mapping[str, Spec]) -> Table:
    table = Table("limits", *specs, box=box.SIMPLE_HEAD)
    rows: dict[str, Callable[[Spec], str]] = {
        "streams a connection": lambda s: f"{s.subscriptions_per_connection:,}",
        "streams a message": lambda s: f"{s.subscriptions_per_message:,}",
        "messages a connection": lambda s: _rate(s.messages),
        "connection attempts": lambda s: _rate(s.connection_attempts),
        "REST weight": lambda s: _rate(s.request_weight),
        "connection age": lambda s: "none" if s.max_age is None else f"{s.max_age / 3600:g} h",
        "acknowledges": lambda s: "yes" if s.acknowledges else "by first data",
        "trade ids": lambda s: s.trade_ids,
        "book": lambda s: f"{s.book_rule}{', start over REST' if s.book_by_rest else ''}",
        "candle closed by": lambda s: "its flag" if s.candle_flag else "the next, or time",
    }
    for label, show in rows.items():
        table.add_row(label, *(show(spec) for spec in specs.values()))
    return table


def _rate(rate: Rate) -> str:
    return f"{rate.count:,} in {rate.seconds:g} s"
