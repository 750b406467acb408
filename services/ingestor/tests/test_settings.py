"""What an operator sets, and what the ingestor makes of it."""

from __future__ import annotations

import pytest

from collector_core.errors import SettingsError
from collector_feed.outputs import Subscription
from collector_ingestor.settings import IngestorSettings


def test_symbols_channels_and_intervals_become_wishes() -> None:
    settings = IngestorSettings.load(
        exchange="binance",
        symbols="BTC/USDT, */KRW",
        channels="trade,candle",
        intervals="1m,1h",
    )
    wishes = settings.wishes()
    for symbol in ("BTC/USDT", "ETH/KRW"):
        assert wishes.of(symbol) == {
            Subscription("trade", symbol),
            Subscription("candle", symbol, "1m"),
            Subscription("candle", symbol, "1h"),
        }
    assert wishes.of("ETH/USDT") == frozenset()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"exchange": "nope"}, "setting EXCHANGE: expected one of binance, bithumb, "),
        ({"symbols": "BTCUSDT"}, "setting SYMBOLS: expected a symbol such as BTC/USDT"),
        ({"symbols": "*"}, "setting SYMBOLS: expected a pattern of symbols such as */USDT"),
        ({"listings_every": "0"}, "setting COLLECTOR_LISTINGS_EVERY: expected"),
        ({"ingestor_shards": "0"}, "setting COLLECTOR_INGESTOR_SHARDS: expected"),
        ({"channels": "ghost"}, "setting COLLECTOR_CHANNELS: expected a channel that Binance"),
        ({"intervals": "7m"}, "setting COLLECTOR_INTERVALS: expected an interval of Binance"),
        ({"book_levels": "0"}, "setting COLLECTOR_BOOK_LEVELS: expected"),
    ],
)
def test_a_wrong_setting_is_named(wrong: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        IngestorSettings.load(**{"exchange": "binance", "symbols": "BTC/USDT", **wrong})
    assert str(caught.value).startswith(sentence)


def test_session_options_are_the_settings() -> None:
    settings = IngestorSettings.load(exchange="binance", data_timeout="7", clock_lag="0.5")
    options = settings.session_options()
    assert (options.data_timeout, options.clock_lag, options.book_levels) == (7.0, 0.5, 1_000)
