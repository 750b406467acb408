"""docs/metrics.md and docs/configuration.md name what there is, all of it and nothing else."""

from __future__ import annotations

import re

from collector_ingestor.settings import IngestorSettings
from collector_runtime.metrics import DEFINITIONS
from collector_runtime.settings import table

from .repository import ROOT


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def test_every_metric_is_explained_and_none_is_made_up() -> None:
    text = page("metrics.md")
    names = {definition.name for definition in DEFINITIONS}
    explained = set(re.findall(r"`(collector_[a-z_]+)`", text))
    assert explained == names
    assert set(re.findall(r"\bcollector_[a-z_]+\b", text)) <= names


def test_the_ingestors_settings_are_as_it_knows_them() -> None:
    assert table(IngestorSettings, own_only=True).strip() in page("configuration.md")
