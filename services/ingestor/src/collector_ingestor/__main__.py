"""``python -m collector_ingestor``: one exchange's market data to Kafka."""

from __future__ import annotations
