"""What an operator may set of an ingestor."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from collector_core.errors import SettingsError, SymbolError
from collector_core.symbols import split
from collector_exchanges.discovery import adapter, exchanges
from collector_feed.options import SessionOptions
from collector_feed.outputs import Subscription
from collector_feed.subscriptions import check
from collector_runtime.settings import SHORT, Settings, Words
from collector_runtime.transport import Kind

__all__ = ["IngestorSettings", "streams_of"]


class IngestorSettings(Settings):
    """Settings of one ingestor process."""

    exchange: Annotated[str, SHORT] = Field(
        description="Which exchange; `collector exchanges` lists them."
    )
    symbols: Annotated[Words, SHORT] = Field(
        (), description="Symbols to publish, BASE/QUOTE; more may come by md.control."
    )
    channels: Words = Field(
        ("trade", "ticker", "book", "candle"), description="Channels of each symbol."
    )
    intervals: Words = Field(("1m",), description="Intervals of the candle channel.")
    websocket_url: str | None = Field(
        None, description="In place of the exchange's own, for a simulator or a test net."
    )
    rest_url: str | None = Field(None, description="Likewise for REST.")
    transport: Kind | None = Field(
        None, description="WebSocket library; picows unless compression is wanted."
    )
    compression: bool = Field(False, description="Offer permessage-deflate.")  # noqa: FBT003  # a default
    proxy: str | None = Field(None, description="http:// or socks5:// proxy for all connections.")
    book_levels: int = Field(1_000, ge=1, le=5_000, description="Levels a side of a book snapshot.")
    book_snapshot_every: float = Field(
        10.0, gt=0, description="Seconds between two snapshots of a delta book."
    )
    clock_lag: float = Field(0.25, ge=0, description="Seconds by which clock rows are held back.")
    data_timeout: float = Field(
        120.0, gt=0, description="Seconds without data after which a connection is opened anew."
    )
    delivery_timeout: float = Field(
        120.0,
        ge=1,
        description="Seconds after which a row that Kafka does not take ends the process.",
    )
    backoff_cap: float = Field(30.0, gt=0, description="Longest wait between two attempts.")

    @field_validator("exchange")
    @classmethod
    def _known_exchange(cls, value: str) -> str:
        if value not in exchanges():
            raise ValueError(f"expected one of {', '.join(exchanges())}, was {value!r}")
        return value

    @field_validator("symbols")
    @classmethod
    def _our_spelling(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for symbol in value:
            try:
                split(symbol)
            except SymbolError as error:
                raise ValueError(str(error)) from error
        return value

    @model_validator(mode="after")
    def _pushed(self) -> Self:
        """Check that the exchange pushes what is wanted, before anything is started."""
        spec = adapter(self.exchange).spec
        for subscription in streams_of("BASE/QUOTE", self.channels, self.intervals):
            try:
                check(spec, subscription)
            except SettingsError as error:
                name = "INTERVALS" if subscription.interval else "CHANNELS"
                raise SettingsError(f"setting COLLECTOR_{name}: {error}") from error
        return self

    def subscriptions(self) -> list[Subscription]:
        """Return what the settings ask for."""
        return [
            subscription
            for symbol in self.symbols
            for subscription in streams_of(symbol, self.channels, self.intervals)
        ]

    def session_options(self) -> SessionOptions:
        """Return the settings of each connection."""
        return SessionOptions(
            data_timeout=self.data_timeout,
            book_snapshot_every=self.book_snapshot_every,
            book_levels=self.book_levels,
            clock_lag=self.clock_lag,
            backoff_cap=self.backoff_cap,
        )


def streams_of(
    symbol: str, channels: tuple[str, ...], intervals: tuple[str, ...]
) -> list[Subscription]:
    """Return the subscriptions of one symbol; candles have one for each interval."""
    found: list[Subscription] = []
    for channel in channels:
        if channel == "candle":
            if not intervals:
                raise SettingsError(f"expected intervals for the candles of {symbol}, was none")
            found.extend(Subscription(channel, symbol, interval) for interval in intervals)
        else:
            found.append(Subscription(channel, symbol))
    return found
