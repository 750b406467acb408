"""The service on loopback with a real client: both protocols, each fault, start and end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from collector_testkit.truth import TruthFault, TruthTrade, read_truth

from .running import DEADLINE, TRADES, Running, fetch, receive, running, trade_ids


@pytest.fixture
async def service() -> AsyncIterator[Running]:
    async with running() as made:
        yield made


async def test_subscribe_and_receive(service: Running) -> None:
    async with service.socket() as socket:
        await socket.send(TRADES)
        assert await receive(socket) == {"result": None, "id": 1}
        ids = await trade_ids(socket, 5)
        assert ids == list(range(ids[0], ids[0] + 5))


async def test_upbit_frames_are_binary(service: Running) -> None:
    async with service.socket("upbit") as socket:
        await socket.send(
            json.dumps([{"ticket": "a"}, {"type": "orderbook", "codes": ["KRW-BTC"]}])
        )
        async with asyncio.timeout(DEADLINE):
            message = await socket.recv()
        assert isinstance(message, bytes)
        assert json.loads(message)["stream_type"] == "SNAPSHOT"
        await socket.send("PING")
        while await receive(socket) != {"status": "UP"}:
            pass


async def test_paths_of_streams(service: Running) -> None:
    base = service.urls["binance"]["websocket_url"].removesuffix("/ws")
    async with connect(f"{base}/stream?streams=btcusdt@trade", compression=None) as socket:
        assert (await receive(socket))["stream"] == "btcusdt@trade"
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"{base}/nope")
    assert refused.value.response.status_code == 404


async def test_rest_and_history_at_once(service: Running) -> None:
    status, headers, body = await service.get("/api/v3/depth?symbol=BTCUSDT&limit=5")
    assert (status, len(body["bids"]), len(body["asks"])) == (200, 5, 5)
    assert headers["X-MBX-USED-WEIGHT-1M"] == "5"
    _, _, klines = await service.get("/api/v3/klines?symbol=BTCUSDT&interval=1s")
    # of the 20 s of preroll, those since the first trade
    assert len(klines) > 5
    _, headers, trades = await service.get("/v1/trades/ticks?market=KRW-BTC&count=5", "upbit")
    assert len(trades) == 5
    assert headers["Remaining-Req"].startswith("group=trade; min=600; sec=")
    status, _, error = await service.get("/api/v3/depth?symbol=NOPE")
    assert (status, error["code"]) == (400, -1121)


async def test_cut_resets_the_connection(service: Running) -> None:
    async with service.socket() as socket:
        await socket.send(TRADES)
        await trade_ids(socket, 1)
        await service.control("fault?kind=cut")
        with pytest.raises(ConnectionClosed) as ended:
            await trade_ids(socket, 1_000_000)
        assert ended.value.rcvd is None
    assert (await service.control("state"))["connections"] == []


async def test_stall_is_silent_and_the_socket_stays_open(service: Running) -> None:
    async with service.socket() as socket:
        await socket.send(TRADES)
        [last] = await trade_ids(socket, 1)
        await service.control("fault?kind=stall&channel=trade&symbol=BTC/USDT")
        before = await service.control("state")
        # the market goes on, the client is there, and nothing is sent to it
        async with asyncio.timeout(DEADLINE):
            while (state := await service.control("state"))["now"] < before["now"] + 300_000:
                pass
        assert state["connections"] == before["connections"]
        assert state["frames"] == before["frames"]
        await service.control("clear")
        ids = await trade_ids(socket, 50)
        assert any(b - a > 1 for a, b in zip([last, *ids], ids, strict=False))


async def test_freeze_answers_no_ping(service: Running) -> None:
    # without a bound on what waits, as a client that lets frames lie stops to read, pongs too
    async with service.socket(ping_interval=None, max_queue=None) as socket:
        await socket.send(TRADES)
        await trade_ids(socket, 1)
        await service.control("fault?kind=freeze&duration=0.5")
        pong = await socket.ping()
        assert not pong.done()
        async with asyncio.timeout(DEADLINE):
            await pong
        await trade_ids(socket, 1)


@pytest.mark.parametrize(("kind", "step"), [("drop", {2}), ("double", {0}), ("reorder", {2, -1})])
async def test_frames_are_dropped_doubled_and_reordered(
    service: Running, kind: str, step: set[int]
) -> None:
    async with service.socket() as socket:
        await socket.send(TRADES)
        [last] = await trade_ids(socket, 1)
        await service.control(f"fault?kind={kind}&channel=trade&symbol=BTC/USDT")
        seen: set[int] = set()
        async with asyncio.timeout(DEADLINE):
            while not step <= seen:
                [number] = await trade_ids(socket, 1)
                seen.add(number - last)
                last = number
        assert seen <= step | {1}


async def test_a_corrupt_frame_is_not_json(service: Running) -> None:
    async with service.socket() as socket:
        await socket.send(TRADES)
        await service.control("fault?kind=corrupt&channel=trade")
        with pytest.raises(json.JSONDecodeError):
            await trade_ids(socket, 1_000_000)
        await trade_ids(socket, 3)


async def test_planned_close_is_announced(service: Running) -> None:
    async with service.socket() as socket:
        await service.control("fault?kind=planned_close&delay=0.1")
        assert (await receive(socket))["e"] == "serverShutdown"
        with pytest.raises(ConnectionClosed) as ended:
            await receive(socket)
        assert ended.value.rcvd is not None
        assert ended.value.rcvd.code == 1001


async def test_throttled_and_failing_answers(service: Running) -> None:
    await service.control("fault?kind=throttle&retry_after=7&where=rest")
    status, headers, body = await service.get("/api/v3/time")
    assert (status, headers["Retry-After"], body["code"]) == (429, "7", -1003)
    assert (await service.get("/api/v3/time"))[0] == 200
    await service.control("fault?kind=server_error&where=rest", "upbit")
    assert (await service.get("/v1/market/all", "upbit"))[0] == 503
    await service.control("fault?kind=server_error&where=handshake&status=502")
    with pytest.raises(InvalidStatus) as refused:
        await service.socket()
    assert refused.value.response.status_code == 502
    async with service.socket():
        pass


async def test_a_slow_snapshot_is_older_than_the_stream(service: Running) -> None:
    await service.control("fault?kind=slow&delay=0.5")
    async with service.socket() as socket:
        await socket.send(TRADES.replace("@trade", "@depth@100ms"))
        asked = asyncio.create_task(service.get("/api/v3/depth?symbol=BTCUSDT"))
        last = 0
        while not asked.done():
            last = (await receive(socket)).get("u", last)
        assert (await asked)[2]["lastUpdateId"] < last


async def test_control_calls(service: Running) -> None:
    state = await service.control("state")
    assert (state["exchange"], state["rate"], state["faults"]) == ("binance", 200.0, [])
    assert (await service.control("rate?value=0"))["rate"] == 0
    plan = await service.control("schedule?seed=3&seconds=600&per_minute=30&kinds=drop,cut")
    assert {entry["fault"]["kind"] for entry in plan["scheduled"]} == {"drop", "cut"}
    await service.control("fault?kind=drop&count=9")
    assert (await service.control("clear"))["cleared"] == 1
    for wrong in ("nope", "fault?kind=nope", "rate", "rate?value=-1", "schedule?seed=1",
                  "schedule?seed=1&seconds=1&per_minute=0", "schedule?kinds=nope"):  # fmt: skip
        status, _, body = await service.get(f"/_control/{wrong}")
        assert status == 400
        assert "expected" in body["error"]


async def test_compression_when_it_is_taken() -> None:
    async with running(simulator_compression=True) as service:
        async with connect(service.urls["binance"]["websocket_url"]) as socket:
            assert socket.protocol.extensions
            await socket.send(TRADES)
            await trade_ids(socket, 3)
        async with connect(service.urls["upbit"]["websocket_url"]) as socket:
            await socket.send('[{"ticket":"a"},{"type":"orderbook","codes":["KRW-BTC"]}]')
            assert (await receive(socket))["type"] == "orderbook"


async def test_what_was_sent_stands_in_the_truth_log(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    async with running(simulator_truth_log=path) as service, service.socket() as socket:
        await socket.send(TRADES)
        ids = await trade_ids(socket, 20)
        await service.control("fault?kind=drop&channel=trade")
        records = list(read_truth(path))
        known = [
            int(record.id)
            for record in records
            if isinstance(record, TruthTrade)
            and (record.exchange, record.symbol) == ("binance", "BTC/USDT")
        ]
        assert known == list(range(1, len(known) + 1))
        assert set(ids) <= set(known)
        # trades that were under way come first, so the hole is waited for, not the fifth trade
        async with asyncio.timeout(DEADLINE):
            while await trade_ids(socket, 1) == [ids[-1] + 1]:
                ids.append(ids[-1] + 1)
        faults = [record for record in read_truth(path) if isinstance(record, TruthFault)]
        assert [fault.kind for fault in faults] == ["drop"]


async def test_a_port_that_is_taken_is_said(service: Running) -> None:
    port = service.urls["binance"]["rest_url"].rpartition(":")[2]
    with pytest.raises(Exception, match=f"expected a free port for binance, was {port}"):
        async with running(simulator_ports=f"binance={port}"):
            pass


def test_the_process_prints_its_urls_and_ends_on_sigterm() -> None:
    environment = os.environ | {"COLLECTOR_SIMULATOR_FAULTS_PER_MINUTE": "60"}
    process = subprocess.Popen(
        [sys.executable, "-m", "collector_simulator"],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        urls = json.loads(process.stdout.readline())
        assert urls["upbit"]["websocket_url"].endswith("/websocket/v1")
        assert urls["binance"]["websocket_url"].endswith("/ws")
        status, _, state = fetch(urls["upbit"]["rest_url"] + "/_control/state")
        assert (status, state["exchange"]) == (200, "upbit")
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE) == 0
        assert process.stdout.read() == ""
