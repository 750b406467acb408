from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator

import pytest
import structlog

from collector_runtime.logs import bind_connection, configure, correlation_id


@pytest.fixture(autouse=True)
def keep_logging() -> Iterator[None]:
    """Put the process's logging back as pytest had it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_service_and_connection() -> None:
    stream = io.StringIO()
    configure("info", "json", "ingestor", stream)
    log = structlog.get_logger("collector.test").bind(attempt=2)
    with bind_connection("binance", "c1") as identity:
        log.info("connected", url="wss://x")
    log.info("outside")
    assert identity == "c1"
    inside, outside = lines(stream)
    assert inside.pop("timestamp")
    assert inside == {
        "event": "connected",
        "level": "info",
        "logger": "collector.test",
        "service": "ingestor",
        "exchange": "binance",
        "connection": "c1",
        "attempt": 2,
        "url": "wss://x",
    }
    assert "connection" not in outside


def test_standard_logging_and_warnings_come_out_alike() -> None:
    stream = io.StringIO()
    configure("info", "json", "ingestor", stream)
    logging.getLogger("confluent_kafka").warning("broker %s is away", "b1")
    logging.getLogger("websockets.client").info("said ourselves already")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old way", DeprecationWarning, stacklevel=1)
    broker, warning = lines(stream)
    assert broker["event"] == "broker b1 is away"
    assert (broker["logger"], broker["level"]) == ("confluent_kafka", "warning")
    assert "old way" in str(warning["event"])


def test_the_level_holds_lines_back_and_a_traceback_is_a_field() -> None:
    stream = io.StringIO()
    configure("warning", "json", stream=stream)
    log = structlog.get_logger()
    log.info("too quiet")
    try:
        int("boom")
    except ValueError:
        log.exception("failed")
    (line,) = lines(stream)
    assert line["event"] == "failed"
    assert "ValueError: invalid literal" in str(line["exception"])


def test_the_console_form_is_for_eyes() -> None:
    stream = io.StringIO()
    configure("info", "console", stream=stream)
    structlog.get_logger("x").info("connected", exchange="binance")
    assert "connected" in stream.getvalue()
    assert "exchange=binance" in stream.getvalue()


def test_correlation_ids_differ() -> None:
    assert len({correlation_id() for _ in range(1000)}) == 1000
