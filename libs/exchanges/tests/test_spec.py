"""Every exchange as data: consistent, and no limit without sense."""

from __future__ import annotations

from typing import get_args

from collector_core import intervals
from collector_core.events import Channel
from collector_exchanges.discovery import adapter
from collector_feed.options import SessionOptions
from collector_feed.outputs import Subscription
from collector_feed.spec import Rate
from collector_feed.subscriptions import check

from .cases import Symbols, make_adapter


def test_limits_are_positive(exchange: str) -> None:
    spec = adapter(exchange).spec
    rates: list[Rate] = [spec.messages, spec.connection_attempts, spec.request_weight]
    for rate in rates:
        assert rate.count > 0
        assert rate.seconds > 0
    assert 0 < spec.subscriptions_per_message <= spec.subscriptions_per_connection
    assert spec.acknowledge_timeout > 0
    assert spec.max_age is None or spec.max_age > 0
    assert min(spec.keep_alive.interval, spec.keep_alive.timeout) > 0


def test_the_name_is_that_of_the_folder(exchange: str) -> None:
    spec = adapter(exchange).spec
    assert exchange == spec.exchange
    assert spec.title


def test_addresses_are_encrypted(exchange: str) -> None:
    spec = adapter(exchange).spec
    assert spec.websocket_url.startswith("wss://")
    assert spec.rest_url.startswith("https://")
    assert not spec.rest_url.endswith("/")


def test_channels_are_those_of_the_bus(exchange: str) -> None:
    channels = adapter(exchange).spec.channels
    assert {"trade", "ticker", "book", "candle", "instrument"} <= channels.keys()
    assert channels.keys() <= set(get_args(Channel))
    assert not channels["instrument"].stream


def test_only_candles_have_intervals_and_each_has_a_length(exchange: str) -> None:
    for name, channel in adapter(exchange).spec.channels.items():
        known = (*channel.intervals, *channel.polled)
        assert (name == "candle") == bool(known)
        assert len(known) == len(set(known))
        for interval in known:
            length = intervals.length(interval)
            assert (length is None) == (interval == "1M")


def test_every_stream_passes_the_check_of_the_session(exchange: str, symbols: Symbols) -> None:
    spec = make_adapter(exchange).spec
    for name, channel in spec.channels.items():
        if channel.stream:
            for interval in (*channel.intervals, *channel.polled) or ("",):
                check(spec, Subscription(name, next(iter(symbols.pairs)), interval))


def test_a_book_by_rest_is_a_book_of_changes(exchange: str) -> None:
    spec = adapter(exchange).spec
    assert not (spec.book_by_rest and spec.book_rule == "whole")


def test_all_retries_of_a_message_fit_the_message_limit(exchange: str) -> None:
    spec = adapter(exchange).spec
    # a quiet connection is pinged each second; that alone must not use the limit up
    assert spec.messages.count / spec.messages.seconds > 1.0
    assert spec.keep_alive.interval + spec.keep_alive.timeout < SessionOptions().data_timeout


def test_contiguous_ids_are_a_loss_seen_at_once(exchange: str) -> None:
    spec = adapter(exchange).spec
    assert (spec.trade_ids == "contiguous") == (spec.channels["trade"].loss == "at_once")


def test_quotes_are_upper_case_and_single(exchange: str) -> None:
    quotes = adapter(exchange).spec.quotes
    assert quotes
    assert list(quotes) == [quote.upper() for quote in dict.fromkeys(quotes)]
