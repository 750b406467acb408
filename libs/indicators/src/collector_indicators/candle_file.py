"""Candles from the lines of a file: CSV, or JSON lines (our own rows or plain objects).

A plain row has open_time, open, high, low, close and volume, and may have quote_volume and
trade_count. A time is ISO 8601 (UTC unless it says otherwise) or a number since the epoch in
seconds, milliseconds or microseconds, told apart by size (below 1e11, 1e14, 1e17).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, DecimalException
from itertools import chain, pairwise
from typing import Final

import msgspec

from collector_core.codec import decode
from collector_core.errors import CodecError, NumberError, SettingsError
from collector_core.events import Candle
from collector_core.intervals import close_time
from collector_core.numbers import exact

__all__ = ["infer_interval", "read_candles", "read_time"]

_PRICES: Final = ("open", "high", "low", "close", "volume")
_NEEDED: Final = ("open_time", *_PRICES)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO: Final = timedelta(microseconds=1)
_UNITS: Final = ((10**11, 1_000_000), (10**14, 1_000), (10**17, 1))
"""Below which size a number counts what, as microseconds."""
_STEPS: Final = (("w", 604800), ("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_ROW = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def read_candles(
    lines: Iterable[str],
    *,
    exchange: str = "file",
    symbol: str = "FILE/FILE",
    interval: str | None = None,
) -> list[Candle]:
    """Return the candles of a file's lines, in their order.

    ``exchange``, ``symbol`` and ``interval`` are for rows that do not say them; without
    ``interval`` it follows from the distance of the rows (one row alone is taken as ``1m``).

    Raises:
        SettingsError: names the line, what was expected and what came.
    """
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    first = next(numbered, None)
    if first is None:
        return []
    everything = chain([first], numbered)
    if first[1].lstrip("\ufeff").lstrip().startswith("{"):
        rows = _from_json(everything)
    else:
        rows = _from_csv(everything)
    plain: list[tuple[int, Mapping[str, str]]] = []
    found: list[Candle | int] = []
    for number, row in rows:
        if isinstance(row, Candle):
            found.append(row)
        else:
            found.append(len(plain))
            plain.append((number, row))
    times = [_time(number, row) for number, row in plain]
    name = interval or infer_interval(times)
    made = [
        _candle(number, row, time, (exchange, symbol, name))
        for (number, row), time in zip(plain, times, strict=True)
    ]
    return [made[one] if isinstance(one, int) else one for one in found]


def read_time(text: str) -> int:
    """Return a time as microseconds since the epoch.

    Raises:
        ValueError: says what was expected and what came.
    """
    wanted = "expected a time in ISO 8601 or since the epoch in s, ms or us"
    try:
        number = Decimal(text)
    except DecimalException:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{wanted}, was {text!r}") from None
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (aware - _EPOCH) // _MICRO
    for limit, unit in _UNITS:
        if number.is_finite() and abs(number) < limit:
            return int(number * unit)
    raise ValueError(f"{wanted}, was {text!r}")


def infer_interval(times: Iterable[int]) -> str:
    """Return the interval of candles that open at these times: their smallest distance.

    Raises:
        SettingsError: the smallest distance is no interval.
    """
    steps = [abs(after - before) for before, after in pairwise(times) if after != before]
    if not steps:
        return "1m"
    seconds, rest = divmod(min(steps), 1_000_000)
    days = seconds // 86400
    if not rest and 28 <= days <= 31 and seconds % 86400 == 0:
        return "1M"
    for unit, length in _STEPS:
        if not rest and seconds and seconds % length == 0:
            return f"{seconds // length}{unit}"
    raise SettingsError(
        f"expected rows whole seconds apart, was {min(steps)} us: name the interval"
    )


def _from_json(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, Candle | dict[str, str]]]:
    for number, line in lines:
        text = line.lstrip("\ufeff").strip().encode()
        try:
            fields = _ROW(text)
            if "type" not in fields:
                yield number, {name: _text(raw) for name, raw in fields.items()}
                continue
            row = decode(text)
        except (msgspec.MsgspecError, CodecError) as error:
            raise SettingsError(f"line {number}: expected a JSON object: {error}") from error
        if not isinstance(row, Candle):
            kind = row.__struct_config__.tag
            raise SettingsError(f"line {number}: expected a candle row, was a {kind} row")
        yield number, row


def _text(raw: msgspec.Raw) -> str:
    text = bytes(raw).decode()
    if text == "null":
        return ""
    return msgspec.json.decode(text, type=str) if text.startswith('"') else text


def _from_csv(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, dict[str, str]]]:
    columns: list[str] | None = None
    for number, line in lines:
        cells = [cell.strip() for cell in next(csv.reader([line.lstrip("\ufeff")]))]
        if columns is None:
            columns = [cell.lower() for cell in cells]
            missing = [name for name in _NEEDED if name not in columns]
            if missing:
                raise SettingsError(
                    f"line {number}: expected the columns {', '.join(_NEEDED)}, "
                    f"was without {', '.join(missing)}"
                )
        elif len(cells) != len(columns):
            raise SettingsError(f"line {number}: expected {len(columns)} cells, was {len(cells)}")
        else:
            yield number, dict(zip(columns, cells, strict=True))


def _time(number: int, row: Mapping[str, str]) -> int:
    missing = [name for name in _NEEDED if not row.get(name)]
    if missing:
        raise SettingsError(f"line {number}: expected {', '.join(missing)}, was none")
    try:
        return read_time(row["open_time"])
    except ValueError as error:
        raise SettingsError(f"line {number}: open_time: {error}") from None


def _candle(number: int, row: Mapping[str, str], time: int, series: tuple[str, str, str]) -> Candle:
    exchange, symbol, interval = series
    first, high, low, last, volume = (_exact(number, row, name) for name in _PRICES)
    count = row.get("trade_count")
    if count and not count.isdecimal():
        raise SettingsError(f"line {number}: trade_count: expected a whole number, was {count!r}")
    return Candle(
        exchange,
        symbol,
        None,
        None,
        0,
        0,
        interval,
        time,
        close_time(interval, time),
        first,
        high,
        low,
        last,
        volume,
        quote_volume=_exact(number, row, "quote_volume") if row.get("quote_volume") else None,
        trade_count=int(count) if count else None,
        closed=True,
    )


def _exact(number: int, row: Mapping[str, str], name: str) -> str:
    try:
        return exact(row[name])
    except NumberError as error:
        raise SettingsError(f"line {number}: {name}: {error}") from None
