"""How connections come about, or not: refusals, silence, proxies, TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trustme
from websockets.asyncio.server import ServerConnection, serve

from collector_core.errors import TransportError
from collector_runtime.transport import Kind, Options, connect

from .eventually import eventually
from .loopback import Recorder, accept, raw_server, read_head
from .test_transport import flood, kind, pause, url_of

__all__ = ["kind"]


async def test_a_refused_handshake_tells_status_and_pause(kind: Kind) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(
            b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 17\r\nContent-Length: 4\r\n\r\nslow"
        )

    async with raw_server(talk) as url:
        with pytest.raises(TransportError, match=f"HTTP status 101 from {url}, was 429") as caught:
            await connect(url, Recorder(), kind=kind)
    assert caught.value.status == 429
    assert caught.value.retry_after == 17.0
    assert caught.value.retry


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 101 Switching",
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"\x00\xff" * 50 + b"\r\n\r\n",
    ],
    ids=["nothing", "half", "ssh", "binary"],
)
async def test_a_socket_that_is_no_websocket_is_refused(kind: Kind, answer: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(answer)

    listener = Recorder()
    async with raw_server(talk) as url:
        with pytest.raises(TransportError, match=url):
            await connect(url, listener, kind=kind)
    assert listener.reasons == []


async def test_a_wrong_acceptance_is_refused(kind: Kind) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: bm90IHRoaXMgb25l\r\n\r\n"
        )

    async with raw_server(talk) as url:
        with pytest.raises(TransportError, match=url):
            await connect(url, Recorder(), kind=kind)


async def test_a_silent_server_is_given_up(kind: Kind) -> None:
    release = asyncio.Event()

    async def talk(*_: object) -> None:
        await release.wait()

    async with raw_server(talk) as url:
        with pytest.raises(TransportError, match=r"within 0\.1 s, was silent"):
            await connect(url, Recorder(), Options(handshake_timeout=0.1), kind)
        release.set()


async def test_a_closed_port_is_refused(kind: Kind, unused_tcp_port: int) -> None:
    url = f"ws://127.0.0.1:{unused_tcp_port}/"
    with pytest.raises(TransportError, match=url) as caught:
        await connect(url, Recorder(), kind=kind)
    assert caught.value.status is None


async def test_a_bad_url_is_refused(kind: Kind) -> None:
    with pytest.raises(TransportError, match="localhost"):
        await connect("http://localhost", Recorder(), kind=kind)


async def test_headers_are_sent_and_no_origin(kind: Kind) -> None:
    seen: list[dict[str, str]] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_head(reader))
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    async with raw_server(talk) as url:
        with pytest.raises(TransportError, match="was 403"):
            await connect(url, Recorder(), Options(headers=(("X-Key", "k1"),)), kind)
    assert seen[0]["x-key"] == "k1"
    assert "origin" not in seen[0]
    assert "sec-websocket-extensions" not in seen[0]


# --- proxy ------------------------------------------------------------------------------------


@asynccontextmanager
async def connect_proxy(asked: list[str], status: str = "200 OK") -> AsyncIterator[str]:
    """Serve HTTP CONNECT; note what was asked for."""

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65_536):
            sink.write(data)
        sink.close()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = (await reader.readline()).decode()
        headers = await read_head(reader)
        asked.append(f"{line.split()[1]} {headers.get('proxy-authorization', '')}".strip())
        writer.write(f"HTTP/1.1 {status}\r\n\r\n".encode())
        if not status.startswith("200"):
            return
        host, _, port = line.split()[1].rpartition(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

    async with raw_server(talk) as url:
        yield url.replace("ws://", "http://").rstrip("/")


async def greet(connection: ServerConnection) -> None:
    await connection.send("welcome")
    await connection.wait_closed()


async def test_a_proxy_is_gone_through(kind: Kind) -> None:
    asked: list[str] = []
    listener = Recorder()
    async with serve(greet, "127.0.0.1", 0) as server, connect_proxy(asked) as proxy:
        with_user = proxy.replace("http://", "http://me:secret@")
        transport = await connect(url_of(server), listener, Options(proxy=with_user), kind)
        await eventually(lambda: listener.frames)
        transport.close("enough")
        await transport.wait_closed()
        port = server.sockets[0].getsockname()[1]
    assert listener.payloads == [b"welcome"]
    assert asked == [f"127.0.0.1:{port} Basic bWU6c2VjcmV0"]


async def test_a_proxy_that_refuses_is_told(kind: Kind) -> None:
    asked: list[str] = []
    async with connect_proxy(asked, "407 Proxy Authentication Required") as proxy:
        with pytest.raises(TransportError, match="407"):
            await connect("ws://127.0.0.1:9/", Recorder(), Options(proxy=proxy), kind)
    assert asked == ["127.0.0.1:9"]


async def test_the_environment_names_no_proxy(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    listener = Recorder()
    async with serve(greet, "127.0.0.1", 0) as server:
        transport = await connect(url_of(server), listener, kind=kind)
        await eventually(lambda: listener.frames)
        transport.close("enough")
        await transport.wait_closed()
    assert listener.payloads == [b"welcome"]


# --- TLS --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


@pytest.fixture
def client_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


async def test_tls_and_tls_through_a_proxy(
    kind: Kind, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    asked: list[str] = []
    async with (
        serve(greet, "127.0.0.1", 0, ssl=server_tls) as server,
        connect_proxy(asked) as proxy,
    ):
        url = url_of(server).replace("ws:", "wss:")
        for options in (Options(ssl=client_tls), Options(ssl=client_tls, proxy=proxy)):
            listener = Recorder()
            transport = await connect(url, listener, options, kind)
            await eventually(lambda heard=listener: heard.frames)
            transport.close("enough")
            await asyncio.wait_for(transport.wait_closed(), 5)
            assert listener.payloads == [b"welcome"]
    assert len(asked) == 1


async def test_a_certificate_that_nobody_trusts_is_refused(
    kind: Kind, server_tls: ssl.SSLContext
) -> None:
    async with serve(greet, "127.0.0.1", 0, ssl=server_tls) as server:
        url = url_of(server).replace("ws:", "wss:")
        with pytest.raises(TransportError, match="CERTIFICATE_VERIFY_FAILED"):
            await connect(url, Recorder(), kind=kind)


async def test_a_pause_holds_a_tls_server_back(
    kind: Kind, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    counter = [0]
    async with serve(flood(counter), "127.0.0.1", 0, ssl=server_tls, compression=None) as server:
        url = url_of(server).replace("ws:", "wss:")
        await pause(kind, url, Options(ssl=client_tls), lambda: counter[0])


async def test_a_closed_connection_leaves_no_socket(kind: Kind) -> None:
    gone = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer)
        await reader.read()
        gone.set()

    async with raw_server(talk) as url:
        transport = await connect(url, Recorder(), Options(close_timeout=0.2), kind)
        transport.close("enough")
        await asyncio.wait_for(gone.wait(), 5)
    assert gone.is_set()
