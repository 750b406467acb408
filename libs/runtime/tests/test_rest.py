"""The REST client, against a server of bare streams."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from collector_core.errors import FrameError, RequestError, Throttled
from collector_feed.outputs import Request
from collector_runtime.rest import RestClient, RestOptions

from .loopback import raw_server


def parse(body: bytes, receive_time: int | None) -> tuple[object, int | None]:
    try:
        return json.loads(body), receive_time
    except ValueError as error:
        raise FrameError("expected JSON") from error


def request(path: str = "/v1/thing", *query: tuple[str, str]) -> Request[tuple[object, int | None]]:
    return Request("GET", path, query, 1, parse)


def answer(status: str, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@asynccontextmanager
async def exchange(reply: Callable[[str], bytes]) -> AsyncIterator[str]:
    """Answer each request's head with ``reply``; connections stay open."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            writer.write(reply(head))

    async with raw_server(talk) as url:
        yield url.replace("ws:", "http:")


async def test_an_answer_is_parsed_with_its_time_and_headers() -> None:
    heads: list[str] = []

    def reply(head: str) -> bytes:
        heads.append(head)
        return answer("200 OK", b'{"a": 1}', X_Mbx_Used_Weight="7")

    async with exchange(reply) as url, RestClient(url) as client:
        before = time.time_ns() // 1000
        (value, stamped), response = await client.fetch(request("/v1/thing", ("symbol", "A B&C")))
    assert value == {"a": 1}
    assert stamped == response.receive_time
    assert before <= response.receive_time <= time.time_ns() // 1000
    assert response.headers["x-mbx-used-weight"] == "7"
    assert heads[0].startswith("GET /v1/thing?symbol=A+B%26C HTTP/1.1\r\n")
    assert "origin:" not in heads[0].lower()


async def test_a_packed_body_is_unpacked() -> None:
    packed = gzip.compress(b"[1, 2]")
    async with (
        exchange(lambda _: answer("200 OK", packed, Content_Encoding="gzip")) as url,
        RestClient(url) as client,
    ):
        response = await client.send(request())
    assert response.body == b"[1, 2]"


@pytest.mark.parametrize("status", ["429 Too Many Requests", "418 I'm a teapot"])
async def test_a_pause_that_is_asked_for_is_told(status: str) -> None:
    async with (
        exchange(lambda _: answer(status, b"slow down", Retry_After="2.5")) as url,
        RestClient(url) as client,
    ):
        with pytest.raises(Throttled, match="slow down") as caught:
            await client.send(request())
    assert caught.value.retry_after == 2.5
    assert caught.value.status == int(status[:3])


async def test_a_throttle_without_a_pause_leaves_it_open() -> None:
    async with exchange(lambda _: answer("429 Slow")) as url, RestClient(url) as client:
        with pytest.raises(Throttled) as caught:
            await client.send(request())
    assert caught.value.retry_after is None


@pytest.mark.parametrize("status", ["500 Oops", "503 Away", "400 Bad", "404 Gone", "301 Moved"])
async def test_other_statuses_are_errors_that_quote_the_body(status: str) -> None:
    async with (
        exchange(lambda _: answer(status, b'{"code": -1121}')) as url,
        RestClient(url) as client,
    ):
        with pytest.raises(RequestError, match=rf"was {status[:3]}.*-1121") as caught:
            await client.send(request())
    assert caught.value.status == int(status[:3])
    assert not isinstance(caught.value, Throttled)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"nonsense\r\n\r\n",
        answer("200 OK", b"not packed", Content_Encoding="gzip"),
    ],
    ids=["nothing", "half", "nonsense", "bad-gzip"],
)
async def test_a_broken_answer_is_an_error(sent: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(sent)

    async with raw_server(talk) as url, RestClient(url.replace("ws:", "http:")) as client:
        with pytest.raises(RequestError, match="expected an answer to GET") as caught:
            await client.send(request())
    assert caught.value.status is None


async def test_a_closed_port_is_an_error(unused_tcp_port: int) -> None:
    async with RestClient(f"http://127.0.0.1:{unused_tcp_port}") as client:
        with pytest.raises(RequestError, match=str(unused_tcp_port)):
            await client.send(request())


async def test_a_silent_server_is_given_up() -> None:
    release = asyncio.Event()

    async def talk(*_: object) -> None:
        await release.wait()

    async with (
        raw_server(talk) as url,
        RestClient(url.replace("ws:", "http:"), RestOptions(timeout=0.1)) as client,
    ):
        with pytest.raises(RequestError, match=r"within 0\.1 s, was silent"):
            await client.send(request())
        release.set()


async def test_a_body_is_bounded_after_unpacking() -> None:
    packed = gzip.compress(b"x" * 1_000_000)
    assert len(packed) < 10_000
    async with (
        exchange(lambda _: answer("200 OK", packed, Content_Encoding="gzip")) as url,
        RestClient(url, RestOptions(max_body_bytes=10_000)) as client,
    ):
        with pytest.raises(RequestError, match="at most 10000 bytes"):
            await client.send(request())


async def test_a_body_that_the_parser_refuses_is_a_frame_error() -> None:
    async with exchange(lambda _: answer("200 OK", b"<html>")) as url, RestClient(url) as client:
        with pytest.raises(FrameError):
            await client.fetch(request())


async def test_connections_are_used_again() -> None:
    opened: list[int] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.append(1)
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer("200 OK", b"1"))

    async with raw_server(talk) as url, RestClient(url.replace("ws:", "http:")) as client:
        for _ in range(5):
            await client.send(request())
    assert len(opened) == 1
