"""Raw frames of connections on disk: whole recordings and bundles around incidents.

The format (docs/recording.md) is a folder with files of JSON lines, compressed with zstd, and a
``manifest.json`` that says what they hold and what is missing. Frames are handed over on the event
loop; everything that can wait for a disk happens on a thread.
"""

from __future__ import annotations

from collector_runtime.recording.bundles import BundleLimits, BundleStore
from collector_runtime.recording.incident import IncidentRing, RingLimits
from collector_runtime.recording.journal import JournalOptions
from collector_runtime.recording.line import Direction, Entry, Line, request_text
from collector_runtime.recording.listing import LISTING, write_listing
from collector_runtime.recording.manifest import (
    Dropped,
    Manifest,
    Source,
    StoredFile,
    read_manifest,
    versions,
)
from collector_runtime.recording.reading import Place, Recording
from collector_runtime.recording.recorder import Recorder

__all__ = [
    "LISTING",
    "BundleLimits",
    "BundleStore",
    "Direction",
    "Dropped",
    "Entry",
    "IncidentRing",
    "JournalOptions",
    "Line",
    "Manifest",
    "Place",
    "Recorder",
    "Recording",
    "RingLimits",
    "Source",
    "StoredFile",
    "read_manifest",
    "request_text",
    "versions",
    "write_listing",
]
