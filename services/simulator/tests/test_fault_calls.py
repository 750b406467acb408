"""Faults and listings by control call, over real sockets."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from collector_core.errors import SettingsError
from collector_core.symbols import SymbolTable
from collector_exchanges.discovery import adapter as adapter_of
from collector_testkit.dialects import available
from collector_testkit.truth import TruthFault, TruthTrade, read_truth

from .running import DEADLINE, TRADES, Running, receive, running, trade_ids

ASK = json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": 9})


@pytest.fixture
async def service() -> AsyncIterator[Running]:
    async with running(simulator_exchanges="binance,upbit") as made:
        yield made


async def raw(service: Running, stream: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a WebSocket that is open, as bare bytes."""
    host, port = service.urls["binance"]["rest_url"].removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"GET /ws/{stream} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    async with asyncio.timeout(DEADLINE):
        await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def test_acknowledgements_lost_late_and_rejected(service: Running) -> None:
    async with service.socket() as socket:
        await service.control("fault?kind=no_ack")
        await socket.send(ASK)
        await socket.send(TRADES)
        assert (await receive(socket))["id"] == 1
        await service.control("rate?value=0")
        await service.control("fault?kind=late_ack&delay=0.3")
        await socket.send(ASK)
        while (await receive(socket)).get("id") != 9:
            pass
    async with service.socket() as socket:
        await service.control("fault?kind=reject")
        await socket.send(TRADES)
        assert (await receive(socket))["code"] == 2
        await socket.send(ASK)
        assert (await receive(socket))["result"] == []


async def test_huge_and_unknown_frames(service: Running) -> None:
    async with service.socket(max_size=None) as socket:
        await service.control("fault?kind=huge&channel=trade&size=5000000")
        await service.control("fault?kind=unknown&channel=trade")
        await socket.send(TRADES)
        sizes, kinds = set(), set()
        async with asyncio.timeout(DEADLINE):
            while 5_000_000 not in sizes or "of_tomorrow" not in kinds:
                text = await socket.recv()
                sizes.add(len(text))
                kinds.add(json.loads(text).get("type"))


async def test_handshakes_are_refused_or_reset(service: Running) -> None:
    for status in (403, 418, 429, 503):
        await service.control(f"fault?kind=refuse&status={status}")
        with pytest.raises(InvalidStatus) as refused:
            await service.socket()
        assert refused.value.response.status_code == status
    await service.control("fault?kind=refuse")
    with pytest.raises((ConnectionError, InvalidHandshake)) as reset:
        await service.socket()
    assert not isinstance(reset.value, InvalidStatus)
    async with service.socket():
        pass


async def test_maintenance_is_announced_and_ends(service: Running) -> None:
    async with service.socket() as socket:
        state = await service.control("fault?kind=maintenance")
        assert state["maintenance"]
        assert (await receive(socket))["e"] == "serverShutdown"
        with pytest.raises(ConnectionClosed) as ended:
            await receive(socket)
        assert ended.value.rcvd is not None
        assert ended.value.rcvd.code == 1012
    assert (await service.get("/api/v3/time"))[0] == 503
    with pytest.raises(InvalidStatus) as refused:
        await service.socket()
    assert refused.value.response.status_code == 503
    assert not (await service.control("clear"))["maintenance"]
    assert (await service.get("/api/v3/time"))[0] == 200


async def test_a_half_open_connection_is_silent_and_stays(service: Running) -> None:
    reader, writer = await raw(service, "btcusdt@trade")
    async with asyncio.timeout(DEADLINE):
        await reader.readexactly(10)
    state = await service.control("fault?kind=half_open")
    assert state["connections"] == []
    # what was on the way before the fault comes still, then nothing, and no end either
    start = state["now"]
    async with asyncio.timeout(DEADLINE):
        while (await service.control("state"))["now"] < start + 500_000:
            if not reader.at_eof():
                await asyncio.wait({asyncio.create_task(reader.read(65536))}, timeout=0.05)
    assert not reader.at_eof()
    assert not writer.is_closing()
    writer.close()


async def test_frames_in_small_segments(service: Running) -> None:
    reader, writer = await raw(service, "btcusdt@trade")
    answer = await service.control("fault?kind=split&size=3")
    assert answer["started"] == {"kind": "split", "connection": None, "size": 3, "duration": 0.0}
    # reads return less than a frame, which has more than 100 bytes, and frames stay whole
    data, sizes = b"", []
    async with asyncio.timeout(DEADLINE):
        while len(sizes) < 400:
            data += (piece := await reader.read(65536))
            sizes.append(len(piece))
    assert sum(size <= 60 for size in sizes) > 200
    frames = []
    while len(data) >= 4 and len(data) >= 4 + (size := struct.unpack("!H", data[2:4])[0]):
        assert data[:2] == b"\x81\x7e"
        frames.append(json.loads(data[4 : 4 + size]))
        data = data[4 + size :]
    assert frames
    ids = [frame["t"] for frame in frames]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    await service.control("clear")
    writer.close()


async def test_a_client_library_joins_the_segments(service: Running) -> None:
    async with service.socket(ping_interval=None) as socket:
        await service.control("fault?kind=split&size=5&duration=0.5")
        await socket.send(TRADES)
        assert await receive(socket) == {"result": None, "id": 1}
        pong = await socket.ping()
        ids = await trade_ids(socket, 100)
        assert ids == list(range(ids[0], ids[0] + 100))
        async with asyncio.timeout(DEADLINE):
            await pong
        await service.control("fault?kind=split&size=7")
    assert (await service.control("clear"))["faults"] == []


async def test_a_stale_snapshot(service: Running) -> None:
    first = (await service.get("/api/v3/depth?symbol=BTCUSDT"))[2]["lastUpdateId"]
    async with asyncio.timeout(DEADLINE):
        while (await service.get("/api/v3/depth?symbol=BTCUSDT"))[2]["lastUpdateId"] == first:
            pass
    await service.control("fault?kind=stale_snapshot&delay=0.001")
    state = await service.control("state")
    assert [fault["kind"] for fault in state["faults"]] == ["stale_snapshot"]
    stale = (await service.get("/api/v3/depth?symbol=BTCUSDT"))[2]["lastUpdateId"]
    fresh = (await service.get("/api/v3/depth?symbol=BTCUSDT"))[2]["lastUpdateId"]
    assert first <= stale < fresh


async def test_update_ids_begin_anew(service: Running) -> None:
    async with service.socket() as socket:
        await socket.send(TRADES.replace("@trade", "@depth@100ms"))
        await receive(socket)
        last = (await receive(socket))["u"]
        await service.control("fault?kind=sequence_reset")
        while (frame := await receive(socket))["U"] > 1:
            last = frame["u"]
        assert frame["u"] < last


async def test_listings_come_and_go(service: Running) -> None:
    state = await service.control("list?symbol=NEW/USDT")
    assert (state["listed"], state["still"]) == ("NEW/USDT", 0)
    async with service.socket() as socket:
        await socket.send(TRADES.replace("btcusdt", "newusdt"))
        await trade_ids(socket, 3)
        await service.control("delist?symbol=NEW/USDT")
        status, _, _ = await service.get("/api/v3/depth?symbol=NEWUSDT")
        assert status == 400
        assert "NEW/USDT" not in (await service.control("state"))["symbols"]
    state = await service.control("list?symbol=OLD/USDT&still=true")
    assert state["still"] == 1
    async with service.socket() as socket:
        await socket.send(TRADES.replace("btcusdt", "oldusdt"))
        await trade_ids(socket, 1)
    assert (await service.control("state"))["still"] == 0


@pytest.mark.parametrize(
    "call",
    [
        "list", "list?symbol=BTC/USDT", "list?symbol=NEW/XYZ", "list?symbol=A&still=x",
        "delist?symbol=NO/USDT", "delist?colour=red", "fault?kind=split&size=0",
        "fault?kind=split&count=3", "fault?kind=split&connection=99", "fault?kind=huge&size=0",
        "fault?kind=huge&form=flip",
    ],
)  # fmt: skip
async def test_wrong_calls_are_answered_with_a_sentence(service: Running, call: str) -> None:
    status, _, body = await service.get(f"/_control/{call}")
    assert status == 400
    assert "expected" in body["error"]


async def test_limits_of_an_address() -> None:
    async with running(
        simulator_exchanges="binance", simulator_attempts="3/600", simulator_connections=1
    ) as service:
        async with service.socket():
            with pytest.raises(InvalidStatus) as refused:
                await service.socket()
            assert refused.value.response.status_code == 429
            async with connect(
                service.urls["binance"]["websocket_url"], local_addr=("127.0.0.2", 0)
            ):
                assert len((await service.control("state"))["connections"]) == 2
        async with asyncio.timeout(DEADLINE):
            while (await service.control("state"))["connections"]:
                pass
        async with service.socket():
            pass
        with pytest.raises(InvalidStatus) as refused:
            await service.socket()
        assert refused.value.response.headers["Retry-After"]


async def test_thousands_of_symbols_are_listed() -> None:
    async with running(simulator_exchanges="binance", simulator_listed="binance=5000") as service:
        state = await service.control("state")
        assert (len(state["symbols"]), state["still"]) == (5005, 5000)
        _, _, info = await service.get("/api/v3/exchangeInfo")
        assert len(info["symbols"]) == 5005
        code = info["symbols"][-1]["symbol"].lower()
        async with service.socket() as socket:
            await socket.send(TRADES.replace("btcusdt", code))
            await trade_ids(socket, 3)
        assert (await service.control("state"))["still"] == 4999


async def test_lost_frames_stand_in_the_truth_log_with_their_trades(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    options = {"simulator_truth_log": path, "simulator_exchanges": "binance"}
    async with running(**options) as service, service.socket() as socket:
        await socket.send(TRADES)
        seen = await trade_ids(socket, 5)
        await service.control("fault?kind=drop&channel=trade&symbol=BTC/USDT&count=4")
        await service.control("fault?kind=split&size=9")
        while len(seen) < 50 or seen[-1] - seen[0] < len(seen):
            seen += await trade_ids(socket, 1)
    records = list(read_truth(path))
    lost = [
        int(identity)
        for record in records
        if isinstance(record, TruthFault) and record.lost
        for identity in record.trades
    ]
    assert len(lost) == 4
    assert "split" in {record.kind for record in records if isinstance(record, TruthFault)}
    told = {
        int(record.id)
        for record in records
        if isinstance(record, TruthTrade) and record.symbol == "BTC/USDT"
    }
    assert set(range(seen[0], seen[-1] + 1)) - set(seen) == set(lost)
    assert set(lost) <= told


async def test_all_exchanges_are_served_by_one_process() -> None:
    async with running(simulator_preroll=1.0) as service:
        assert sorted(service.urls) == available()
        assert len({urls["rest_url"] for urls in service.urls.values()}) == len(service.urls)
        for exchange in service.urls:
            state = await service.control("state", exchange)
            assert state["exchange"] == exchange
            # some exchanges have a path for each kind of channel behind their address
            adapter = adapter_of(exchange)(SymbolTable())
            path = adapter.spec.channels["trade"].path
            address = adapter.url(service.urls[exchange]["websocket_url"], path)
            async with connect(address, compression=None):
                assert len((await service.control("state", exchange))["connections"]) == 1


async def test_attempts_are_a_count_and_seconds() -> None:
    for wrong in ("5", "0/1", "x/1", "5/0"):
        with pytest.raises(SettingsError, match="expected count/seconds"):
            async with running(simulator_attempts=wrong):
                pass
    with pytest.raises(SettingsError, match="expected 0 to 50000 for binance, was '50001'"):
        async with running(simulator_listed="binance=50001"):
            pass
