"""docs/troubleshooting.md names logs, metrics and settings that there are."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import get_args

import pytest

from collector_core.events import State
from collector_indicator.settings import IndicatorSettings
from collector_ingestor.settings import IngestorSettings
from collector_runtime.metrics import DEFINITIONS

from .repository import ROOT, source_files, tree

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
METRICS = sorted(set(re.findall(r"\bcollector_[a-z_]+\b", PAGE)) - {"collector_"})
SETTINGS = sorted(set(re.findall(r"\bCOLLECTOR_[A-Z_]+\b", PAGE)) - {"COLLECTOR_DEBUG"})
EVENTS = sorted(set(re.findall(r"\blog `([a-z_]+)`", PAGE)))
SENTENCES = [
    "silent for longer than it ever was",
    "deaf to a stream",
    "no data since it was asked for",
    "the exchange never acknowledged it",
    "trades may be missing",
    "trades were missing, as the exchange's history shows",
    "could not be had from the exchange's history",
    "connect timeout",
]


@cache
def texts() -> frozenset[str]:
    """Return every text in the product's source."""
    return frozenset(
        node.value
        for path in source_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_is_one(name: str) -> None:
    assert name in {definition.name for definition in DEFINITIONS}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_is_one(name: str) -> None:
    fields = {*IngestorSettings.model_fields, *IndicatorSettings.model_fields}
    assert name.removeprefix("COLLECTOR_").lower() in fields


@pytest.mark.parametrize("name", EVENTS)
def test_a_log_event_is_written_somewhere(name: str) -> None:
    assert name in texts()


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_reason_is_one_that_is_given(sentence: str) -> None:
    assert sentence in PAGE
    assert sentence in texts()


def test_the_page_is_about_logs_metrics_settings_and_reasons() -> None:
    assert len(EVENTS) >= 10
    assert len(METRICS) >= 8
    assert len(SETTINGS) >= 6


def test_states_that_trouble_are_explained() -> None:
    calm = {"started", "connected", "login", "stopped"}
    words = set(re.findall(r"[a-z_]+", PAGE))
    assert set(get_args(State)) - calm - words == set()
