"""``/healthz``, ``/readyz`` and ``/metrics`` on one small HTTP server.

``/healthz`` says that the process is alive and its event loop not blocked; a supervisor restarts
it otherwise. ``/readyz`` says, check by check, whether it does its work. Both answer 200 or 503
with JSON. Only GET and HEAD are known, one request a connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from http import HTTPStatus
from types import TracebackType
from typing import Final, Self, TypeAlias

import orjson
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

from collector_core.errors import SettingsError
from collector_runtime.clock import monotonic
from collector_runtime.metrics import LOOP_LAG, Exporter, Sample

__all__ = ["Check", "Health"]

Check: TypeAlias = Callable[[], str | None]
"""Returns None when all is well, else what is not, in one sentence."""

_TICK: Final = 0.5
_MAX_HEAD: Final = 8 * 1024
_MAX_CONNECTIONS: Final = 32
_REQUEST_TIMEOUT: Final = 5.0
_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"


class Health:
    """The server; an async context manager that serves while it is open.

    Args:
        exporter: what ``/metrics`` shows, beside the process's own figures.
        host: address to listen on.
        port: port to listen on; 0 takes a free one.
        max_lag: seconds by which the event loop may be late and the process still be healthy.
    """

    def __init__(
        self,
        exporter: Exporter,
        host: str = "127.0.0.1",
        port: int = 0,
        max_lag: float = 5.0,
    ) -> None:
        self._exporter = exporter
        self._host = host
        self._wanted_port = port
        self._max_lag = max_lag
        self._checks: dict[str, Check] = {}
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(exporter)
        ProcessCollector(registry=self._registry)
        self._server: asyncio.Server | None = None
        self._ticker: asyncio.Task[None] | None = None
        # connections being served
        self._open: set[asyncio.StreamWriter] = set()
        # set when the last of them is done
        self._idle = asyncio.Event()
        # when the event loop should have turned last, and by how much it was late then
        self._due = 0.0
        self._lag = 0.0

    def check(self, name: str, check: Check) -> None:
        """Ask ``check`` at each ``/readyz``; another one of the same name is replaced."""
        self._checks[name] = check

    @property
    def port(self) -> int:
        """Port that is served; only while open."""
        if self._server is None:
            raise RuntimeError("expected an open health server, was closed")
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def connections(self) -> int:
        """Connections that are being served."""
        return len(self._open)

    @property
    def lag(self) -> float:
        """Seconds by which the event loop is late: at its last turn, or now if that is more."""
        return max(self._lag, monotonic() - self._due, 0.0)

    async def __aenter__(self) -> Self:
        try:
            self._server = await asyncio.start_server(
                self._serve, self._host, self._wanted_port, limit=_MAX_HEAD
            )
        except (OSError, OverflowError) as error:
            raise SettingsError(
                f"expected a free address for COLLECTOR_HEALTH_HOST and COLLECTOR_HEALTH_PORT, "
                f"was {self._host}:{self._wanted_port}: {error}"
            ) from error
        self._due = monotonic() + _TICK
        self._ticker = asyncio.create_task(self._tick(), name="health-ticker")
        self._exporter.add(self._samples)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._exporter.remove(self._samples)
        if self._ticker is not None:
            self._ticker.cancel()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        for writer in self._open:
            writer.transport.abort()
        if self._open:
            await self._idle.wait()

    def _samples(self) -> Iterable[Sample]:
        yield LOOP_LAG.sample(self.lag)

    async def _tick(self) -> None:
        while True:
            self._due = monotonic() + _TICK
            await asyncio.sleep(_TICK)
            self._lag = monotonic() - self._due

    # --- HTTP --------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        self._idle.clear()
        try:
            if len(self._open) > _MAX_CONNECTIONS:
                return
            async with asyncio.timeout(_REQUEST_TIMEOUT):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._respond(head))
                await writer.drain()
        except asyncio.LimitOverrunError:
            writer.write(_answer(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, _TEXT, b""))
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError):
            # a scraper that went away, or never asked; nobody is left to be told
            return
        finally:
            self._open.discard(writer)
            if not self._open:
                self._idle.set()
            writer.close()

    def _respond(self, head: bytes) -> bytes:
        words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        if len(words) != 3:
            return _answer(HTTPStatus.BAD_REQUEST, _TEXT, b"expected an HTTP request\n")
        method, target, _ = words
        if method not in ("GET", "HEAD"):
            return _answer(HTTPStatus.METHOD_NOT_ALLOWED, _TEXT, b"expected GET\n")
        match target.partition("?")[0]:
            case "/healthz":
                status, kind, body = self._health()
            case "/readyz":
                status, kind, body = self._readiness()
            case "/metrics":
                status, kind, body = HTTPStatus.OK, _TEXT, generate_latest(self._registry)
            case _:
                status, kind, body = HTTPStatus.NOT_FOUND, _TEXT, b"expected /healthz or so\n"
        return _answer(status, kind, body, with_body=method == "GET")

    def _health(self) -> tuple[HTTPStatus, str, bytes]:
        lag = self.lag
        well = lag <= self._max_lag
        body = orjson.dumps({"healthy": well, "event_loop_lag_seconds": round(lag, 6)})
        return _status(well), "application/json", body

    def _readiness(self) -> tuple[HTTPStatus, str, bytes]:
        results = {name: check() for name, check in self._checks.items()}
        well = all(result is None for result in results.values())
        checks = {name: result or "ok" for name, result in results.items()}
        return _status(well), "application/json", orjson.dumps({"ready": well, "checks": checks})


def _status(well: bool) -> HTTPStatus:  # noqa: FBT001  # the one thing that it decides by
    return HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE


def _answer(status: HTTPStatus, kind: str, body: bytes, *, with_body: bool = True) -> bytes:
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode()
    return head + body if with_body else head
