"""An exchange is named in its own two folders and nowhere else in the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from collector_exchanges.discovery import exchanges

from .repository import name_of, source_files

PRODUCT = {"binance", "bithumb", "bybit", "coinbase", "coinone", "kraken", "okx", "upbit"}
NAMES = sorted(PRODUCT | set(exchanges()))
NAMED = re.compile(rf"(?<![a-z])({'|'.join(NAMES)})(?![a-z])", re.IGNORECASE)
OWN = re.compile(
    r"libs/(exchanges/src/collector_exchanges|testkit/src/collector_testkit/dialects)/(\w+)/"
)


@pytest.mark.parametrize("path", source_files(), ids=name_of)
def test_exchanges_are_named_in_their_own_folders(path: Path) -> None:
    own = OWN.match(name_of(path))
    allowed = {own[2]} if own else set()
    found = {
        f"{number}: {line.strip()}"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for name in NAMED.findall(line)
        if name.lower() not in allowed
    }
    assert found == set()


def test_folders_are_those_of_the_product_or_newer() -> None:
    assert set(exchanges()) <= set(NAMES)
    assert {"binance", "upbit"} <= set(exchanges())
