"""Endpoints that fail before a frame is seen: TLS, plain text, silence, reset, nobody there."""

from __future__ import annotations

import ssl
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from collector_testkit.broker import Broker
from collector_testkit.eventually import eventually
from tests.e2e.ingestor import ledger
from tests.e2e.ingestor.door import Door, Mode
from tests.e2e.ingestor.stage import PATIENCE, Ingestor, staged

pytestmark = [pytest.mark.broker, pytest.mark.e2e]

WRONG: dict[Mode, tuple[str, ...]] = {
    "untrusted": ("CERTIFICATE_VERIFY_FAILED", "certificate verify failed"),
    "plain": ("SSL", "wrong version number"),
    # both transports say at which address, and the operating system why
    "refused": ("Connect call failed", "Connection refused"),
    "reset": ("Connection reset by peer", "closed socket", "ConnectionResetError"),
    "silent": ("within 10 s, was silent",),
}
"""By what is wrong, the words of which the log has one."""


def certificate(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def says(service: Ingestor, words: tuple[str, ...], seen: int) -> bool:
    assert service.process.poll() is None, service.log()
    lines = [line for line in service.log()[seen:].splitlines() if '"disconnected"' in line]
    return any(word in line and '"cause":"refused"' in line for line in lines for word in words)


@pytest.mark.parametrize("transport", ["picows", "websockets"])
def test_what_is_wrong_is_said_and_a_good_server_heals_it(
    transport: str, broker: Broker, prefix: str, tmp_path: Path
) -> None:
    authority = trustme.CA()
    known = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(known))
    with staged("binance", broker, prefix, tmp_path, rate=50) as stage:
        behind = urlsplit(stage.exchange.websocket_url)
        assert behind.port is not None
        with (
            Door(behind.port, certificate(authority), certificate(trustme.CA()), "good") as door,
            stage.ingestor(
                COLLECTOR_WEBSOCKET_URL=f"wss://127.0.0.1:{door.port}{behind.path}",
                COLLECTOR_TRANSPORT=transport,
                COLLECTOR_CHANNELS="trade,book",
                COLLECTOR_BACKOFF_CAP="0.5",
                SSL_CERT_FILE=str(known),
            ) as service,
        ):
            stage.flows(5)
            seen = len(service.log())
            for mode, words in WRONG.items():
                door.turn(mode)
                if mode == "untrusted":
                    stage.exchange.control("fault", kind="cut")
                eventually(
                    lambda words=words, seen=seen: says(service, words, seen),  # type: ignore[misc]  # mypy knows no type of a lambda's default
                    f"one of {words} in the log, which went on:\n{service.log()[seen:]}",
                    timeout=PATIENCE,
                )
                seen = len(service.log())
            assert not service.ready()
            assert service.losses()["refused"] >= len(WRONG)
            door.turn("good")
            stage.said("subscribed", 2)
            stage.flows(5)
            eventually(service.ready, "an ingestor that is ready", timeout=PATIENCE)
            assert service.terminate() == 0
            assert "Traceback" not in service.log()
        for symbol in stage.symbols:
            rows = stage.whole(symbol)
            assert ledger.states(rows).count("disconnected") == 1
