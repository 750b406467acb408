"""What an operator may set of the indicator service."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from pydantic import Field, ValidationInfo, field_validator

from collector_core.errors import SettingsError
from collector_indicators.following import Following
from collector_indicators.plan import Entry, Plan
from collector_indicators.plan_file import read_plan
from collector_indicators.selection import parse_set
from collector_indicators.settings import CalculationSettings
from collector_runtime.settings import Settings, Words

__all__ = ["IndicatorSettings"]

_MICRO: Final = 1_000_000
_INPUTS: Final[dict[str, Literal["bar", "candle", "book"]]] = {
    "bar_intervals": "bar",
    "candle_intervals": "candle",
    "book_intervals": "book",
}


class IndicatorSettings(Settings):
    """Settings of one process; all processes of an installation should have the same ones."""

    shards: int = Field(
        16, ge=1, le=1024, description="Partitions of the state topic; fixed once it exists."
    )
    follow: Words = Field(
        ("*:*",), min_length=1, description="Streams to follow, exchange:symbol with * and ?."
    )
    bar_intervals: Words = Field(
        ("1s", "1m"),
        description="Bars built from trades, also trades:100, volume:2.5, quote:50000; empty "
        "follows no trades.",
    )
    candle_intervals: Words = Field(
        ("1m",),
        description="Candles to compute over, also merged ones such as 8h/1h; empty follows none.",
    )
    book_intervals: Words = Field(
        (), description="Intervals of indicators over order books; empty follows no books."
    )
    plan: Path | None = Field(
        None,
        description="YAML file of calculations; it replaces the settings above and those below "
        "down to the horizon.",
    )
    indicators: str = Field(
        "rsi:14,macd:12:26:9,bollinger:20:2,vwap", description="Indicators over bars and candles."
    )
    book_indicators: str = Field(
        "spread,book_imbalance:5", description="Indicators over order books."
    )
    live_every: float = Field(
        1.0, ge=0, description="Grid of live values, in seconds; 0 publishes closed ones alone."
    )
    grace: float = Field(
        0.1,
        ge=0,
        le=3600,
        description="Seconds past a bar's end for which trades are waited for; book rows without "
        "an exchange time count as so much earlier.",
    )
    horizon: int = Field(2, ge=0, le=1000, description="Closed bars that late rows still revise.")
    tick: float = Field(
        0.1, ge=0.01, le=5, description="Least seconds between two transactions of a shard."
    )
    checkpoint: float = Field(
        1.0, ge=0, le=60, description="Most seconds for which state without new rows is unwritten."
    )
    history_rows: int = Field(
        200_000,
        ge=0,
        description="Rows of an input that are read back for what a changed plan adds; 0 none.",
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

    @field_validator("bar_intervals", "candle_intervals", "book_intervals")
    @classmethod
    def _are_intervals(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        try:
            if value:
                CalculationSettings(_INPUTS[info.field_name or ""], value)
        except SettingsError as error:
            raise ValueError(str(error).removeprefix("intervals: ")) from error
        others = [info.data.get(name, ("?",)) for name in ("bar_intervals", "candle_intervals")]
        if info.field_name == "book_intervals" and not value and not any(others):
            raise ValueError(
                "expected intervals here, in COLLECTOR_BAR_INTERVALS or in "
                "COLLECTOR_CANDLE_INTERVALS, was none"
            )
        return value

    @field_validator("indicators", "book_indicators")
    @classmethod
    def _are_indicators(cls, value: str, info: ValidationInfo) -> str:
        source = "book" if info.field_name == "book_indicators" else "candle"
        try:
            for choice in parse_set(value):
                choice.check(source)
        except SettingsError as error:
            raise ValueError(str(error)) from error
        return value

    @field_validator("live_every")
    @classmethod
    def _is_a_grid(cls, value: float) -> float:
        if 0 < value < 0.001:
            raise ValueError(f"expected 0 or at least 0.001 seconds, was {value:g}")
        return value

    def calculations(self) -> Plan:
        """Return what is computed from which streams.

        Raises:
            SettingsError: the plan file is wrong; names the line.
        """
        if self.plan is not None:
            return _plan_in(self.plan)
        following = Following(self.follow)
        chosen, of_books = parse_set(self.indicators), parse_set(self.book_indicators)
        grace = round(self.grace * _MICRO)
        rules = self.horizon, round(self.live_every * _MICRO) or None
        found = []
        if self.bar_intervals:
            found.append(CalculationSettings("bar", self.bar_intervals, chosen, grace, *rules))
        if self.candle_intervals:
            found.append(CalculationSettings("candle", self.candle_intervals, chosen, 0, *rules))
        if self.book_intervals:
            found.append(CalculationSettings("book", self.book_intervals, of_books, grace, *rules))
        return Plan(Entry(following, settings) for settings in found)


def _plan_in(path: Path) -> Plan:
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"expected a readable file at {path}, was {error}") from error
    return read_plan(text, str(path), str(path.parent))
