"""REST requests as data, made real: one client, one exchange (docs/adr/0021)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import httpx2
import msgspec
import structlog

from collector_core.errors import RequestError, Throttled
from collector_feed.outputs import Request
from collector_runtime.clock import monotonic, wall_us
from collector_runtime.logs import correlation_id
from collector_runtime.retry_after import retry_after

__all__ = ["Response", "RestClient", "RestOptions"]

Answer = TypeVar("Answer")

_THROTTLED: Final = frozenset({418, 429})
_EXCERPT: Final = 200
_LOG: Final = structlog.get_logger("collector.rest")


class RestOptions(msgspec.Struct, frozen=True):
    """How requests are made. Proxies of the environment are not used."""

    timeout: float = 10.0
    """Seconds for a whole request, its wait for a free connection among them."""
    max_body_bytes: int = 64 * 1024 * 1024
    """Of an answer, after decompression; a longer one is an error."""
    max_connections: int = 8
    proxy: str | None = None
    ssl: ssl.SSLContext | None = None
    """For ``https`` URLs; None means the system's certificates."""
    headers: tuple[tuple[str, str], ...] = ()


class Response(msgspec.Struct, frozen=True):
    """An answer with a status of 2xx."""

    body: bytes
    headers: Mapping[str, str]
    """By name, whose case does not matter; rate limits stand here."""
    receive_time: int
    """Microseconds, when the whole body was there."""
    request_id: str
    """By which the log names this request."""


class RestClient:
    """One exchange's REST interface; connections are kept open between requests.

    Args:
        base_url: what each request's path is put behind.
        options: how requests are made.
    """

    def __init__(self, base_url: str, options: RestOptions | None = None) -> None:
        self._base = base_url.rstrip("/")
        self._options = options or RestOptions()
        self._client = httpx2.AsyncClient(
            headers=[
                ("User-Agent", "ccxt-collector"),
                ("Accept-Encoding", "gzip"),
                *self._options.headers,
            ],
            # one bound for the whole request stands in send
            timeout=None,
            limits=httpx2.Limits(max_connections=self._options.max_connections),
            proxy=self._options.proxy,
            verify=True if self._options.ssl is None else self._options.ssl,
            trust_env=False,
        )

    async def fetch(self, request: Request[Answer]) -> tuple[Answer, Response]:
        """Make a request and parse its answer.

        Raises:
            RequestError: as ``send``.
            FrameError: the parser does not know the body.
        """
        response = await self.send(request)
        return request.parse(response.body, response.receive_time), response

    async def send(self, request: Request[Any]) -> Response:
        """Make a request.

        Raises:
            Throttled: status 429 or 418; with the pause, if the exchange named one.
            RequestError: another status than 2xx (the text quotes the body's beginning), no
                answer in time, a lost connection, a body that is too long or cannot be unpacked.
        """
        request_id = correlation_id()
        started = monotonic()
        name = f"{request.method} {self._base}{request.path}"
        log = _LOG.bind(request=request_id, method=request.method, path=request.path)
        try:
            async with asyncio.timeout(self._options.timeout):
                response = await self._exchange(request, name, request_id)
        except TimeoutError as error:
            log.warning("request_failed", reason="timeout")
            raise RequestError(
                f"expected an answer to {name} within {self._options.timeout:g} s, was silent"
            ) from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            log.warning("request_failed", reason=repr(error))
            # some of them say nothing but what they are
            said = str(error) or type(error).__name__
            raise RequestError(f"expected an answer to {name}, was none: {said}") from error
        except RequestError as error:
            log.warning("request_refused", status=error.status, reason=str(error))
            raise
        log.debug("request", size=len(response.body), seconds=round(monotonic() - started, 6))
        return response

    async def _exchange(self, request: Request[Any], name: str, request_id: str) -> Response:
        async with self._client.stream(
            request.method, self._base + request.path, params=list(request.query)
        ) as answer:
            body = bytearray()
            limit = self._options.max_body_bytes
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > limit:
                    raise RequestError(
                        f"expected at most {limit} bytes from {name}, were more",
                        answer.status_code,
                    )
            receive_time = wall_us()
        if not answer.is_success:
            raise _refusal(name, answer, bytes(body[:_EXCERPT]))
        return Response(bytes(body), answer.headers, receive_time, request_id)

    async def close(self) -> None:
        """Close the kept connections."""
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


def _refusal(name: str, answer: httpx2.Response, excerpt: bytes) -> RequestError:
    status = answer.status_code
    text = excerpt.decode(errors="replace").strip()
    sentence = f"expected status 200 of {name}, was {status}"
    if text:
        sentence = f"{sentence}: {text}"
    if status in _THROTTLED:
        return Throttled(
            sentence, status, retry_after(answer.headers.get("Retry-After"), wall_us())
        )
    return RequestError(sentence, status)
