"""The plan as operators write it: a YAML file of calculations (docs/indicator-service.md).

::

    calculations:
      - symbols: ["*:*/USDT", "*:BTC/KRW"]
        input: bar                     # bars that we build from trades, candle, or book
        intervals: [1s, 1m]
        indicators:
          - rsi                        # with its defaults
          - macd:12:26:9               # parameters in declared order
          - bollinger: {period: 20, deviations: 2.5}
        live: 1                        # grid of live values in seconds, or off
        grace: 0.1                     # seconds, bars and books
        horizon: 2                     # closed bars that late rows still revise
    modules: [mine.py]                 # Python files with more indicators, from this file's folder

Whatever is wrong is said with the line on which it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import PurePath
from typing import Any, Final, Literal, TypeVar

import msgspec
import yaml

from collector_core.errors import SettingsError
from collector_indicators.discovery import load_file
from collector_indicators.following import Following
from collector_indicators.plan import Entry, Plan
from collector_indicators.selection import Choice, parse_choice, parse_named
from collector_indicators.settings import CalculationSettings
from collector_indicators.yaml_lines import Lines

__all__ = ["read_plan"]

_MICRO: Final = 1_000_000
_PATH: Final = re.compile(r"(?P<said>.*?)(?: - at `(?P<path>\$[^`]*)`)?\Z", re.DOTALL)
_STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.+)`")

_T = TypeVar("_T")


class _Calculations(msgspec.Struct, forbid_unknown_fields=True):
    symbols: list[str]
    input: Literal["bar", "candle", "book"]
    intervals: list[str]
    indicators: list[str | dict[str, dict[str, Any]]] = []
    live: bool | float = 1.0
    grace: float = 0.1
    horizon: int = 2


class _File(msgspec.Struct, forbid_unknown_fields=True):
    calculations: list[_Calculations]
    modules: list[str] = []


def read_plan(text: str, name: str, folder: str = ".") -> Plan:
    """Return the plan in a YAML text, after loading the modules that it names.

    Args:
        text: the file.
        name: how errors call it.
        folder: where the modules' paths begin.

    Raises:
        SettingsError: names the line, what was expected and what came.
    """
    return _Reading(text, name).plan(folder)


class _Reading:
    def __init__(self, text: str, name: str) -> None:
        self._name = name
        try:
            self._lines = Lines(text)
            self._data = yaml.safe_load(text)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise SettingsError(f"{name} line {line}: expected YAML, {error.problem}") from error
        except yaml.YAMLError as error:
            raise SettingsError(f"{name}: expected YAML, was {error}") from error

    def plan(self, folder: str) -> Plan:
        if not isinstance(self._data, dict):
            raise SettingsError(f"{self._name}: expected a mapping with calculations")
        try:
            file = msgspec.convert(self._data, _File)
        except msgspec.ValidationError as error:
            raise self._refused(error) from error
        if not file.calculations:
            raise self._error(("calculations",), "expected at least one entry, was none")
        for number, module in enumerate(file.modules):
            self._checked(("modules", number), partial(load_file, str(PurePath(folder, module))))
        return Plan(
            self._entry(("calculations", number), entry)
            for number, entry in enumerate(file.calculations)
        )

    def _entry(self, at: tuple[str | int, ...], given: _Calculations) -> Entry:
        following = self._checked((*at, "symbols"), partial(Following, given.symbols))
        if not given.symbols:
            raise self._error((*at, "symbols"), "expected at least one pattern, was none")
        choices = tuple(
            self._checked((*at, "indicators", number), partial(_choice, one, given.input))
            for number, one in enumerate(given.indicators)
        )
        for number, choice in enumerate(choices):
            if choice in choices[:number]:
                raise self._error(
                    (*at, "indicators", number), f"expected each indicator once, was {choice} twice"
                )
        for number, interval in enumerate(given.intervals):
            self._checked(
                (*at, "intervals", number),
                partial(CalculationSettings, given.input, (interval,)),
            )
        settings = self._checked(
            at,
            partial(
                CalculationSettings,
                given.input,
                tuple(given.intervals),
                choices,
                grace=0 if given.input == "candle" else round(given.grace * _MICRO),
                horizon=given.horizon,
                live_every=self._live((*at, "live"), given.live),
            ),
        )
        return Entry(following, settings)

    def _live(self, at: tuple[str | int, ...], given: float) -> int | None:
        if isinstance(given, bool):
            return _MICRO if given else None
        if given and not 0.001 <= given <= 86_400:
            raise self._error(at, f"expected off or 0.001 to 86400 seconds, was {given:g}")
        return round(given * _MICRO) or None

    def _checked(self, at: tuple[str | int, ...], make: Callable[[], _T]) -> _T:
        try:
            return make()
        except SettingsError as error:
            raise self._error(at, str(error)) from error

    def _error(self, at: tuple[str | int, ...], said: str) -> SettingsError:
        words = [str(step) for step in at if isinstance(step, str)]
        where = f"{self._name} line {self._lines.of(at)}"
        return SettingsError(f"{where}: {words[-1]}: {said}")

    def _refused(self, error: msgspec.ValidationError) -> SettingsError:
        match = _PATH.match(str(error))
        said = match["said"] if match else str(error)
        at = tuple(_steps((match["path"] if match else None) or ""))
        unknown = _UNKNOWN.fullmatch(said)
        if unknown is not None:
            known = _Calculations if at else _File
            fields = ", ".join(field.name for field in msgspec.structs.fields(known))
            return self._error((*at, unknown[1]), f"expected one of {fields}, was {unknown[1]}")
        if not at:
            return SettingsError(f"{self._name}: {said[:1].lower()}{said[1:]}")
        said = said.replace(", got ", ", was ").replace("`", "")
        return self._error(at, said[:1].lower() + said[1:])


def _steps(path: str) -> Iterable[str | int]:
    for match in _STEP.finditer(path):
        yield match[1] if match[1] is not None else int(match[2])


def _choice(given: str | dict[str, dict[str, Any]], source: str) -> Choice:
    choice = _read(given)
    choice.check(source)
    return choice


def _read(given: str | dict[str, dict[str, Any]]) -> Choice:
    if isinstance(given, str):
        return parse_choice(given)
    if len(given) != 1:
        raise SettingsError(
            f"expected one indicator with its parameters, was {', '.join(given) or 'none'}"
        )
    [(name, parameters)] = given.items()
    return parse_named(name, parameters)
