from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress

import pytest

from collector_core.errors import SettingsError
from collector_runtime import metrics
from collector_runtime.health import Health
from collector_runtime.metrics import Exporter

from .eventually import eventually


async def ask(port: int, request: bytes) -> tuple[int, dict[str, str], bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return int(first.split(" ")[1]), headers, body


async def get(port: int, path: str) -> tuple[int, dict[str, str], bytes]:
    return await ask(port, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())


async def test_a_healthy_process_says_so() -> None:
    async with Health(Exporter()) as health:
        status, headers, body = await get(health.port, "/healthz")
        assert status == 200
        assert headers["Content-Type"] == "application/json"
        assert int(headers["Content-Length"]) == len(body)
        assert json.loads(body)["healthy"] is True


async def test_a_blocked_event_loop_is_not_healthy() -> None:
    async with Health(Exporter(), max_lag=0.05) as health:
        await asyncio.sleep(0)
        # what a handler that never yields does to the loop, seen by the next turn
        blocked_until = time.monotonic() + 0.7
        while time.monotonic() < blocked_until:
            pass
        status, _, body = await get(health.port, "/healthz")
        assert status == 503
        assert json.loads(body)["event_loop_lag_seconds"] > 0.05


async def test_readiness_names_each_check() -> None:
    state: dict[str, str | None] = {"kafka": None, "exchange": "no socket is open"}
    async with Health(Exporter()) as health:
        assert (await get(health.port, "/readyz"))[0] == 200
        health.check("kafka", lambda: state["kafka"])
        health.check("exchange", lambda: state["exchange"])
        status, _, body = await get(health.port, "/readyz")
        assert status == 503
        assert json.loads(body) == {
            "ready": False,
            "checks": {"kafka": "ok", "exchange": "no socket is open"},
        }
        state["exchange"] = None
        status, _, body = await get(health.port, "/readyz?verbose")
        assert status == 200
        assert json.loads(body)["ready"] is True


async def test_metrics_are_those_of_the_exporter_and_of_the_process() -> None:
    exporter = Exporter()
    exporter.add(lambda: [metrics.ROWS.sample(3, "upbit", "book")])
    async with Health(exporter) as health:
        status, headers, body = await get(health.port, "/metrics")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert b'collector_rows_total{channel="book",exchange="upbit"} 3.0' in body
    assert b"collector_event_loop_lag_seconds" in body
    assert b"process_cpu_seconds_total" in body


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /nothing HTTP/1.1\r\n\r\n", 404),
        (b"POST /healthz HTTP/1.1\r\n\r\n", 405),
        (b"hello\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", 431),
    ],
)
async def test_what_is_no_request_of_ours_is_refused(request_: bytes, status: int) -> None:
    async with Health(Exporter()) as health:
        assert (await ask(health.port, request_))[0] == status
        # and the server goes on
        assert (await get(health.port, "/healthz"))[0] == 200


async def test_head_has_no_body() -> None:
    async with Health(Exporter()) as health:
        status, headers, body = await ask(health.port, b"HEAD /healthz HTTP/1.1\r\n\r\n")
    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) > 0


async def test_too_many_connections_are_turned_away() -> None:
    async with Health(Exporter()) as health:
        idle = [await asyncio.open_connection("127.0.0.1", health.port) for _ in range(32)]
        reader, writer = await asyncio.open_connection("127.0.0.1", health.port)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        for _, other in [*idle, (reader, writer)]:
            other.close()
        await eventually(lambda: health.connections == 0)
        assert (await get(health.port, "/healthz"))[0] == 200


async def test_closing_does_not_wait_for_a_connection_that_never_asks() -> None:
    async with Health(Exporter()) as health:
        reader, writer = await asyncio.open_connection("127.0.0.1", health.port)
        await eventually(lambda: health.connections == 1)
    assert health.connections == 0
    with suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()


async def test_a_taken_port_is_one_sentence() -> None:
    async with Health(Exporter()) as first:
        second = Health(Exporter(), port=first.port)
        with pytest.raises(
            SettingsError, match=f"COLLECTOR_HEALTH_PORT, was 127.0.0.1:{first.port}"
        ):
            await second.__aenter__()


async def test_a_closed_server_has_no_port() -> None:
    with pytest.raises(RuntimeError, match="open health server"):
        _ = Health(Exporter()).port
