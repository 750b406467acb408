"""Every peer is given indicators that we have, with parameters that we take."""

from __future__ import annotations

import pytest
from bench.environments import ROOT
from bench.indicator_peers import CHOSEN, PEERS, Peer

from collector_indicators.discovery import indicators
from collector_indicators.selection import parse_choice


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.label)
def test_what_a_peer_computes_is_chosen_of_ours_too(peer: Peer) -> None:
    assert set(peer.numbers) <= set(CHOSEN)
    assert {"rsi", "macd", "bollinger", "ema"} <= set(peer.numbers)


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.label)
def test_a_peer_has_a_program_and_requirements_with_hashes(peer: Peer) -> None:
    assert (ROOT / "bench" / "peers" / peer.script).is_file()
    locked = (ROOT / "requirements" / f"bench-{peer.environment}.txt").read_text()
    assert "--hash=sha256:" in locked


@pytest.mark.parametrize("name", CHOSEN)
def test_our_parameters_are_ones_that_we_take(name: str) -> None:
    assert name in indicators()
    assert parse_choice(f"{name}:{CHOSEN[name]}".rstrip(":")).name == name
