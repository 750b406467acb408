"""The folder is the registration."""

from __future__ import annotations

from types import ModuleType

import pytest

from collector_core.errors import SettingsError
from collector_exchanges import discovery
from collector_feed.adapter import Adapter

from .cases import Symbols


def test_the_exchanges_are_the_folders(exchange: str) -> None:
    assert exchange in discovery.exchanges()
    assert issubclass(discovery.adapter(exchange), Adapter)


def test_names_stand_in_order() -> None:
    assert list(discovery.exchanges()) == sorted(discovery.exchanges())


def test_an_exchange_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(SettingsError, match=r"binance.*upbit.*'nowhere'"):
        discovery.adapter("nowhere")


def test_a_folder_without_an_adapter_class_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("hollow")
    module.ADAPTER = "nothing"  # type: ignore[attr-defined]  # that is the fault
    monkeypatch.setattr(discovery, "import_module", lambda _name: module)
    with pytest.raises(TypeError, match="ADAPTER of binance, was 'nothing'"):
        discovery.adapter("binance")


def test_a_replay_learns_symbols_from_frames(exchange: str, symbols: Symbols) -> None:
    fresh = discovery.replay_adapter(exchange)
    assert len(fresh.symbols) == 0
    ours, theirs = next(iter(symbols.pairs.items()))
    assert ours == fresh.symbols.from_venue(theirs)
    assert theirs == fresh.symbols.to_venue(ours)
