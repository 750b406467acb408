"""The installation that the settings describe, as the commands need it."""

from __future__ import annotations

from collector_runtime.kafka.topology import Topology
from collector_runtime.settings import Settings

__all__ = ["topology"]


def topology(settings: Settings) -> Topology:
    """Return the desired state of the topics.

    Raises:
        SettingsError: a retention for something that has none.
    """
    return Topology(settings.topics(), settings.topic_retention, settings.topic_replicas)
