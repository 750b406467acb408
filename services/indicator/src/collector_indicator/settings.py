"""What an operator may set of the indicator service."""

from __future__ import annotations

from typing import Final

from pydantic import Field, ValidationInfo, field_validator

from collector_core.errors import SettingsError
from collector_core.intervals import length
from collector_indicator.following import Following
from collector_indicators.selection import parse_set
from collector_indicators.settings import CalculationSettings
from collector_runtime.settings import Settings, Words

__all__ = ["IndicatorSettings"]

_MICRO: Final = 1_000_000


class IndicatorSettings(Settings):
    """Settings of one process; all processes of an installation should have the same ones."""

    shards: int = Field(
        16, ge=1, le=1024, description="Partitions of the state topic; fixed once it exists."
    )
    follow: Words = Field(
        ("*:*",), min_length=1, description="Streams to follow, exchange:symbol with * and ?."
    )
    bar_intervals: Words = Field(
        ("1s", "1m"), description="Bars built from trades; empty follows no trades."
    )
    candle_intervals: Words = Field(
        ("1m",), description="Candles to compute over; empty follows no candles."
    )
    indicators: str = Field(
        "rsi:14,macd:12:26:9,bollinger:20:2,vwap", description="Indicators over both."
    )
    live_every: float = Field(
        1.0, ge=0, description="Grid of live values, in seconds; 0 publishes closed ones alone."
    )
    grace: float = Field(
        0.1, ge=0, le=3600, description="Seconds past a bar's end for which trades are waited for."
    )
    horizon: int = Field(2, ge=0, le=1000, description="Closed bars that late rows still revise.")
    tick: float = Field(
        0.1, ge=0.01, le=5, description="Least seconds between two transactions of a shard."
    )
    checkpoint: float = Field(
        1.0, ge=0, le=60, description="Most seconds for which state without new rows is unwritten."
    )
    session_timeout: float = Field(
        6.0, ge=1, le=300, description="Seconds after which a silent process loses its shards."
    )
    instance_id: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9._-]{1,200}$",
        description="Name of the process in its group, kept over a restart (static membership).",
    )
    rebuild: bool = Field(
        False,  # noqa: FBT003  # a default
        description="Build anew what was stored by a version that cannot be continued.",
    )

    @field_validator("follow")
    @classmethod
    def _are_patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        try:
            Following(value)
        except SettingsError as error:
            raise ValueError(str(error)) from error
        return value

    @field_validator("bar_intervals", "candle_intervals")
    @classmethod
    def _are_intervals(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        try:
            for interval in value:
                length(interval)
        except SettingsError as error:
            raise ValueError(str(error)) from error
        if len(set(value)) < len(value):
            raise ValueError(f"expected each interval once, was {','.join(value)}")
        bars = info.data.get("bar_intervals", value)
        if info.field_name == "candle_intervals" and not value and not bars:
            raise ValueError("expected intervals here or in COLLECTOR_BAR_INTERVALS, was none")
        return value

    @field_validator("indicators")
    @classmethod
    def _are_indicators(cls, value: str) -> str:
        try:
            parse_set(value)
        except SettingsError as error:
            raise ValueError(str(error)) from error
        return value

    @field_validator("live_every")
    @classmethod
    def _is_a_grid(cls, value: float) -> float:
        if 0 < value < 0.001:
            raise ValueError(f"expected 0 or at least 0.001 seconds, was {value:g}")
        return value

    def calculations(self) -> dict[str, CalculationSettings]:
        """Return what to compute, by the channel of the input topics."""
        chosen = parse_set(self.indicators)
        live_every = round(self.live_every * _MICRO) or None
        found = {}
        if self.bar_intervals:
            found["trade"] = CalculationSettings(
                "bar",
                self.bar_intervals,
                chosen,
                round(self.grace * _MICRO),
                self.horizon,
                live_every,
            )
        if self.candle_intervals:
            found["candle"] = CalculationSettings(
                "candle", self.candle_intervals, chosen, 0, self.horizon, live_every
            )
        return found
