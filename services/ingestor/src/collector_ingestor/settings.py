"""What an operator may set of an ingestor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from collector_core.errors import SettingsError, SymbolError
from collector_core.patterns import SymbolPattern
from collector_exchanges.discovery import adapter, exchanges
from collector_feed.options import SessionOptions
from collector_feed.subscriptions import check
from collector_ingestor.access import Reach
from collector_ingestor.incidents import Incidents
from collector_ingestor.wishes import Wishes, streams_of
from collector_runtime.kafka.connection import SESSION_TIMEOUT
from collector_runtime.recording import Source
from collector_runtime.settings import SHORT, Settings, Words
from collector_runtime.transport import Kind

__all__ = ["IngestorSettings"]


class IngestorSettings(Settings):
    """Settings of one ingestor process."""

    exchange: Annotated[str, SHORT] = Field(
        description="Which exchange; `collector exchanges` lists them."
    )
    symbols: Annotated[Words, SHORT] = Field(
        (),
        description="Symbols to publish, BASE/QUOTE, or patterns such as */USDT; "
        "more may come by md.control.",
    )
    channels: Words = Field(
        ("trade", "ticker", "book", "candle"), description="Channels of each symbol."
    )
    intervals: Words = Field(("1m",), description="Intervals of the candle channel.")
    listings_every: float = Field(
        60.0, ge=1, description="Seconds from one look at what the exchange lists to the next."
    )
    ingestor_shards: int = Field(
        1,
        ge=1,
        le=1024,
        description="Parts of an exchange's symbols, which its processes share; 1: no sharing. "
        "Fixed once the lease topic exists.",
    )
    session_timeout: float = Field(
        SESSION_TIMEOUT,
        ge=1,
        le=300,
        description="Seconds after which a silent process loses its shards.",
    )
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
    rotate_after: float | None = Field(
        None,
        gt=0,
        description="Seconds after which a connection is replaced without a break; "
        "95 % of the exchange's own limit unless set.",
    )
    quiet_floor: float = Field(
        30.0, gt=0, description="Seconds of silence of one stream that are never stale."
    )
    backfill: bool = Field(True, description="Fetch what was missed of trades and candles.")  # noqa: FBT003  # a default
    backfill_timeout: float = Field(
        30.0, gt=0, description="Seconds that live trades wait at most for missed ones."
    )
    data_timeout: float = Field(
        120.0, gt=0, description="Seconds without data after which a connection is opened anew."
    )
    delivery_timeout: float = Field(
        120.0,
        ge=1,
        description="Seconds after which a row that Kafka does not take ends the process.",
    )
    redis_url: Annotated[SecretStr | None, SHORT] = Field(
        None, description="Redis in which processes behind one address share their budgets."
    )
    egress_address: str = Field(
        "default",
        pattern=r"^[A-Za-z0-9.-]+$",
        description="Name of the address that the exchange sees; one budget each in Redis.",
    )
    tenants: int = Field(
        1,
        ge=1,
        description="Processes behind that address; each takes its part where Redis is not.",
    )
    backoff_cap: float = Field(30.0, gt=0, description="Longest wait between two attempts.")
    incidents: Path | None = Field(
        None,
        description="Folder for the raw frames around gaps, disconnections and invalid books, "
        "of this process alone; unset, none are kept.",
    )
    incident_seconds: float = Field(
        10.0, gt=0, le=300, description="Seconds of frames before an incident that are kept."
    )

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
                SymbolPattern(symbol)
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

    def wishes(self) -> Wishes:
        """Return what the settings ask for, to which rows of ``md.control`` may be added."""
        return Wishes(self.symbols, self.channels, self.intervals)

    def reach(self) -> Reach:
        """Return whose budgets are shared with whom."""
        url = self.redis_url
        return Reach(
            None if url is None else url.get_secret_value(), self.egress_address, self.tenants
        )

    def bundles(self) -> Incidents:
        """Return what keeps frames around incidents, or nothing if they are not wanted."""
        spec = adapter(self.exchange).spec
        source = Source(
            self.exchange,
            self.websocket_url or spec.websocket_url,
            self.rest_url or spec.rest_url,
        )
        return Incidents(self.incidents, source, self.incident_seconds)

    def session_options(self) -> SessionOptions:
        """Return the settings of each connection."""
        return SessionOptions(
            data_timeout=self.data_timeout,
            book_snapshot_every=self.book_snapshot_every,
            book_levels=self.book_levels,
            clock_lag=self.clock_lag,
            backoff_cap=self.backoff_cap,
            rotate_after=self.rotate_after,
            quiet_floor=self.quiet_floor,
            backfill=self.backfill,
            backfill_timeout=self.backfill_timeout,
        )
