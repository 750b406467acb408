"""Who listens to what."""

from __future__ import annotations

from collector_testkit.dialects import Streams


def test_listeners_by_stream_and_variant() -> None:
    streams: Streams[str, int] = Streams()
    for connection, key, variant in (
        (1, "a", 0),
        (2, "a", 0),
        (2, "a", 0),
        (3, "a", 1),
        (1, "b", 0),
    ):
        streams.add(connection, key, variant)
    assert streams.listeners("a") == {0: (1, 2), 1: (3,)}
    assert streams.held(1) == ["a", "b"]
    assert streams.keys() == ["a", "b"]
    streams.remove(1, "a", 0)
    streams.remove(1, "a", 0)
    streams.remove(9, "z", 0)
    assert streams.listeners("a") == {0: (2,), 1: (3,)}
    streams.drop(2)
    streams.drop(3)
    assert "a" not in streams
    assert streams.listeners("a") == {}
    assert "b" in streams
