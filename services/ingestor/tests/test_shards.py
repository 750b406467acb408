"""Which symbols are whose."""

from __future__ import annotations

from collector_core.topics import Topics
from collector_ingestor.shards import Shards


def test_alone_everything_is_ours() -> None:
    shards = Shards("binance", 1)
    assert shards.held == {0}
    assert shards.holds("BTC/USDT")


def test_a_symbols_shard_is_kafkas_hash_of_its_key() -> None:
    shards = Shards("binance", 16)
    # docs/topics.md: the same rule as for the partition of the keyed layout
    assert (shards.of("BTC/USDT"), shards.of("ETH/USDT")) == (14, 7)
    keyed = Topics(layout="keyed", partitions=16)
    for symbol in ("SOL/USDT", "DOGE/BTC", "1INCH.X/USDT"):
        assert shards.of(symbol) == keyed.address("trade", "binance", symbol).partition


def test_shards_come_and_go() -> None:
    shards = Shards("binance", 16)
    assert not shards.holds("BTC/USDT")
    shards.take([14, 3])
    assert shards.holds("BTC/USDT")
    assert not shards.holds("ETH/USDT")
    shards.give([14, 9])
    assert shards.held == {3}
    assert not shards.holds("BTC/USDT")
