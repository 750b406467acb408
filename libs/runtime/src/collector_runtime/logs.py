"""Structured logs on standard error: an event's name and its fields, never a row a line.

What belongs together carries one id: ``connection`` (bound by ``bind_connection``) or ``request``.
Libraries that use the standard ``logging`` module come out in the same form.
"""

from __future__ import annotations

import logging
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal, TextIO, TypeAlias

import orjson
import structlog
from structlog.contextvars import bound_contextvars, merge_contextvars

__all__ = ["Format", "Level", "bind_connection", "configure", "correlation_id"]

Format: TypeAlias = Literal["json", "console"]
Level: TypeAlias = Literal["debug", "info", "warning", "error"]

_TALKATIVE: Final = ("picows", "websockets", "httpx2", "httpcore2", "aiokafka", "asyncio")
"""Libraries that say at level info what we say ourselves."""


def correlation_id() -> str:
    """Return a short id, unique enough within the logs of a day."""
    return secrets.token_hex(6)


@contextmanager
def bind_connection(exchange: str, connection: str | None = None) -> Iterator[str]:
    """Put an exchange and a connection's id on each log line of the running task; yield the id."""
    identity = connection or correlation_id()
    with bound_contextvars(exchange=exchange, connection=identity):
        yield identity


def configure(
    level: Level = "info",
    style: Format = "json",
    service: str | None = None,
    stream: TextIO | None = None,
) -> None:
    """Send all logs of the process to ``stream`` (standard error); a second call replaces it."""
    shared: list[structlog.typing.Processor] = [
        merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    if service is not None:
        shared.append(_put_service(service))
    final: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_to_json)]
        if style == "json"
        else [structlog.dev.ConsoleRenderer(colors=False)]
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.DEBUG if level == "debug" else logging.WARNING)
    logging.captureWarnings(capture=True)


def _put_service(service: str) -> structlog.typing.Processor:
    def put(
        _: structlog.typing.WrappedLogger, __: str, fields: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        fields["service"] = service
        return fields

    return put


def _to_json(fields: Any, default: Callable[[Any], Any], **_: Any) -> str:  # noqa: ANN401  # structlog's own signature
    return orjson.dumps(fields, default=default).decode()
