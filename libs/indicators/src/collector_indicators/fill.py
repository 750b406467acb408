"""Bars that close when they are full: by trades, by volume or by quote value.

Source: Marcos Lopez de Prado, Advances in Financial Machine Learning, 2018, section 2.3.1 (tick,
volume and dollar bars): a bar is sampled once what was traded since the last one reaches a size.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final, Literal, TypeAlias, cast

import msgspec

from collector_core.errors import SettingsError

__all__ = ["Fill", "FillKind"]

FillKind: TypeAlias = Literal["trades", "volume", "quote"]

_COUNT: Final = re.compile(r"[1-9][0-9]{0,8}").fullmatch
# without zeros that say nothing, so that a size has one name
_AMOUNT: Final = re.compile(r"(?:[1-9][0-9]{0,17}|0(?=\.))(?:\.[0-9]{0,17}[1-9])?").fullmatch


class Fill(msgspec.Struct, frozen=True):
    """What fills a bar: ``trades:100``, ``volume:2.5`` (base units) or ``quote:100000``."""

    kind: FillKind
    size: str

    @classmethod
    def parse(cls, text: str) -> Fill | None:
        """Return what a setting says; None where it names no kind, as an interval does.

        Raises:
            SettingsError: a kind that is none, or a size that is no positive number, written
                without zeros that say nothing.
        """
        kind, colon, size = text.partition(":")
        if not colon:
            return None
        if kind not in {"trades", "volume", "quote"}:
            raise SettingsError(f"expected trades, volume or quote before the colon, was {text!r}")
        if kind == "trades" and _COUNT(size) is None:
            raise SettingsError(f"expected a count such as trades:100, was {text!r}")
        if kind != "trades" and _AMOUNT(size) is None:
            raise SettingsError(
                f"expected a positive number such as {kind}:2.5, without zeros at its ends, "
                f"was {text!r}"
            )
        return cls(cast("FillKind", kind), size)

    @property
    def text(self) -> str:
        """What a setting says."""
        return f"{self.kind}:{self.size}"

    @property
    def amount(self) -> Decimal:
        """The size as a number: trades, base units or quote units."""
        return Decimal(self.size)
