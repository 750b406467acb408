"""The server of frames (``feed_server.py``) as seen by the benchmark that starts it."""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.processes import Failed, Program

__all__ = ["Feed"]

_SCRIPT = Path(__file__).parent / "feed_server.py"


class Feed:
    """A process that serves prepared trades; leaving its ``with`` block ends it.

    Args:
        count: frames that each client can be sent.
        kind: ``trade`` or ``aggTrade``.
        combined: wrap each frame as the path ``/stream`` does.
    """

    def __init__(self, count: int, kind: str = "trade", *, combined: bool = False) -> None:
        command = [sys.executable, str(_SCRIPT), "--count", str(count), "--kind", kind]
        self.program = Program("feed", [*command, *(["--combined"] if combined else [])])
        self.port: int = json.loads(self.program.line(60))["port"]
        self.url = f"http://127.0.0.1:{self.port}"
        self.websocket_url = f"ws://127.0.0.1:{self.port}"

    def forget(self) -> None:
        """Take none of the clients so far for the next one."""
        self._get("_forget")

    def go(self, frames: int) -> None:
        """Send ``frames`` more to the newest client."""
        self._get(f"_go?frames={frames}")

    def await_client(self, timeout: float, alive: Callable[[], None]) -> None:
        """Wait until a client has subscribed.

        Raises:
            Failed: none did within ``timeout`` seconds, or ``alive`` says that none ever will.
        """
        deadline = time.monotonic() + timeout
        while not self._get("_state")["ready"]:
            alive()
            if time.monotonic() > deadline:
                raise Failed(f"expected a subscription within {timeout:g} s, was none")
            time.sleep(0.02)

    def _get(self, path: str) -> dict[str, bool]:
        with urllib.request.urlopen(f"{self.url}/{path}", timeout=10) as answer:
            found: dict[str, bool] = json.load(answer)
            return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.program.stop()
