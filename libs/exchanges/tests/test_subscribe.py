"""Every adapter: what is sent to subscribe, and what is refused before anything is sent."""

from __future__ import annotations

import json
from itertools import product

import pytest

from collector_core.errors import SettingsError, SymbolError
from collector_exchanges.discovery import adapter
from collector_feed.outputs import Subscription

from .cases import SubscribeCase, Symbols, make_adapter


def subscriptions(parts: list[tuple[str, str, str]]) -> list[Subscription]:
    return [Subscription(*part) for part in parts]


def everything(exchange: str, symbols: list[str]) -> list[Subscription]:
    channels = adapter(exchange).spec.channels
    return [
        Subscription(name, symbol, interval)
        for symbol in symbols
        for name, channel in channels.items()
        if channel.stream
        for interval in (channel.intervals or ("",))
    ]


def test_a_change_is_sent_as_its_golden_messages(subscribe_case: SubscribeCase) -> None:
    case = subscribe_case
    sent = make_adapter(case.exchange).change(
        *map(subscriptions, (case.held, case.add, case.remove))
    )
    assert [(s.text, s.request_id, s.adds) for s in case.sent] == [
        (json.loads(message.text), message.request_id, [_parts(s) for s in adds])
        for message, adds in sent
    ]


def _parts(subscription: Subscription) -> tuple[str, str, str]:
    return subscription.channel, subscription.symbol, subscription.interval


def test_messages_keep_to_their_limit_and_add_each_subscription_once(exchange: str) -> None:
    fresh = make_adapter(exchange)
    spec = fresh.spec
    for number in range(spec.subscriptions_per_connection):
        fresh.symbols.add(f"C{number}/{spec.quotes[0]}", f"{spec.quotes[0]}-C{number}")
    wanted = [
        Subscription("trade", f"C{number}/{spec.quotes[0]}")
        for number in range(spec.subscriptions_per_connection)
    ]
    sent = fresh.change([], wanted, [])
    assert max(len(adds) for _, adds in sent) <= spec.subscriptions_per_message
    assert wanted == [s for _, adds in sent for s in adds]


def test_all_that_is_pushed_can_be_subscribed_and_taken_back(
    exchange: str, symbols: Symbols
) -> None:
    fresh = make_adapter(exchange)
    wanted = everything(exchange, list(symbols.pairs))
    # an exchange whose messages are of one channel each sorts them by it
    assert sorted(wanted) == sorted(s for _, adds in fresh.change([], wanted, []) for s in adds)
    assert [s for _, adds in fresh.change(wanted, [], wanted) for s in adds] == []


def test_messages_that_are_answered_have_ids_of_their_own(exchange: str, symbols: Symbols) -> None:
    fresh = make_adapter(exchange)
    ids = []
    for symbol, channel in product(symbols.pairs, ("trade", "book")):
        for message, _ in fresh.change([], [Subscription(channel, symbol)], []):
            ids.append(message.request_id)  # two loops read better than one line
    # an exchange that answers by the names of the subscriptions has no ids either
    if set(ids) != {None}:
        assert fresh.spec.acknowledges
        assert len(ids) == len(set(ids))
        assert None not in ids


def test_a_symbol_that_is_not_listed_is_refused(exchange: str) -> None:
    with pytest.raises(SymbolError, match="NOPE/NOPE"):
        make_adapter(exchange).change([], [Subscription("trade", "NOPE/NOPE")], [])


def test_a_channel_that_is_not_pushed_is_refused(exchange: str, symbols: Symbols) -> None:
    symbol = next(iter(symbols.pairs))
    for wrong in (
        Subscription("instrument", symbol),
        Subscription("depth", symbol),
        Subscription("candle", symbol, "7m"),
        Subscription("candle", symbol),
    ):
        with pytest.raises(SettingsError, match=wrong.channel):
            make_adapter(exchange).change([], [wrong], [])


def test_symbols_are_spelled_both_ways(exchange: str, symbols: Symbols) -> None:
    table = make_adapter(exchange).symbols
    for ours, theirs in symbols.pairs.items():
        assert (theirs, ours) == (table.to_venue(ours), table.from_venue(theirs))
        assert ours == adapter(exchange).read_symbol(theirs)


def test_a_text_that_is_no_symbol_is_refused(exchange: str, symbols: Symbols) -> None:
    for text in symbols.unreadable:
        with pytest.raises(SymbolError):
            adapter(exchange).read_symbol(text)
