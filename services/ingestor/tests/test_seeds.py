"""Where streams left off, read from the ends of their topics on a real Kafka."""

from __future__ import annotations

import pytest
from confluent_kafka import Producer

from collector_core.codec import encode
from collector_core.events import Clock, Event, Status, Trade
from collector_core.topics import Topics, key_of
from collector_feed.recent_trades import TradeSeed
from collector_feed.trade_fill import content
from collector_ingestor.seeds import Previous, previous_rows
from collector_runtime.kafka.connection import KafkaSettings
from collector_runtime.kafka.provisioner import Provisioner
from collector_runtime.kafka.topology import Topology
from collector_testkit.broker import Broker

pytestmark = pytest.mark.broker

STREAMS = [("trade", "BTC/USDT"), ("trade", "ETH/USDT"), ("ticker", "BTC/USDT")]


def trade(symbol: str, number: int, seq: int) -> Trade:
    return Trade("binance", symbol, number * 1000, 1, 7, seq, str(number), "1", "1", "buy")


def clock(symbol: str, seq: int) -> Clock:
    return Clock("binance", symbol, 9_000_000, 1, 7, seq, 9_000_000)


def publish(broker: Broker, topics: Topics, rows: list[Event]) -> None:
    named = [(channel, "binance", symbol) for channel, symbol in STREAMS]
    Provisioner(KafkaSettings(broker.bootstrap_servers)).ensure(Topology(topics).streams(named))
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
    for row in rows:
        channel = row.channel if isinstance(row, Status) else "trade"
        topic, partition, _ = topics.address(channel, "binance", row.symbol)
        producer.produce(topic, encode(row), key_of(row), partition)
    assert producer.flush(10) == 0


@pytest.mark.parametrize("layout", ["symbol", "keyed"])
def test_streams_go_on_where_their_topics_end(broker: Broker, prefix: str, layout: str) -> None:
    topics = Topics(prefix, "keyed" if layout == "keyed" else "symbol", 1)
    stopped = Status("binance", "BTC/USDT", None, 1, 7, 52, "stopped", "trade")
    btc = [trade("BTC/USDT", 100 + n, n) for n in range(1, 50)]
    # more clock rows than the first look takes in, so the last trade must be looked for
    clocks = [clock("ETH/USDT", seq) for seq in range(2, 40)]
    publish(broker, topics, [*btc, stopped, trade("ETH/USDT", 5, 1), *clocks])
    found = previous_rows(KafkaSettings(broker.bootstrap_servers), topics, "binance", STREAMS)
    assert found.keys() == {("trade", "BTC/USDT"), ("trade", "ETH/USDT")}
    left = found["trade", "BTC/USDT"]
    assert (left.epoch, left.seq) == (7, 52)
    assert left.trades is not None
    assert left.trades.ids[-1] == "149"
    assert left.trades.time == 149_000
    seed = TradeSeed(("5",), 9_000_000, (content(trade("ETH/USDT", 5, 1)),))
    assert found["trade", "ETH/USDT"] == Previous(7, 39, seed, {})


def test_a_crowded_partition_is_read_further_back(broker: Broker, prefix: str) -> None:
    topics = Topics(prefix, "keyed", 1)
    kafka = KafkaSettings(broker.bootstrap_servers)
    # its publisher died, and another symbol's has gone on for longer than the usual look
    stale = Status("binance", "BTC/USDT", None, 1, 7, 2, "stale", "trade")
    others = [trade("ETH/USDT", number, number) for number in range(1, 2_500)]
    publish(broker, topics, [trade("BTC/USDT", 149, 1), *others[:1_400], stale, *others[1_400:]])
    alone = previous_rows(kafka, topics, "binance", STREAMS)
    assert list(alone) == [("trade", "ETH/USDT")]
    found = previous_rows(kafka, topics, "binance", STREAMS, crowded=True)
    assert found.keys() == {("trade", "BTC/USDT"), ("trade", "ETH/USDT")}
    left = found["trade", "BTC/USDT"]
    assert (left.epoch, left.seq) == (7, 2)
    assert left.trades is not None
    assert (left.trades.ids, left.trades.time) == (("149",), 149_000)
    assert found["trade", "ETH/USDT"].seq == 2_499


def test_foreign_rows_say_nothing(broker: Broker, prefix: str) -> None:
    topics = Topics(prefix)
    publish(broker, topics, [trade("BTC/USDT", 1, 1)])
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
    topic = topics.address("trade", "binance", "BTC/USDT").topic
    producer.produce(topic, b"not ours", b"key")
    producer.produce(topic, None, b"a tombstone")
    assert producer.flush(10) == 0
    found = previous_rows(KafkaSettings(broker.bootstrap_servers), topics, "binance", STREAMS)
    seed = TradeSeed(("1",), 1_000, (content(trade("BTC/USDT", 1, 1)),))
    assert found == {("trade", "BTC/USDT"): Previous(7, 1, seed, {})}


def test_each_symbol_of_a_status_topic_has_its_own_end(broker: Broker, prefix: str) -> None:
    topics = Topics(prefix)
    kafka = KafkaSettings(broker.bootstrap_servers)
    Provisioner(kafka).ensure(Topology(topics).exchange("binance"))
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
    topic = topics.address("status", "binance", "BTC/USDT").topic
    for symbol, count in (("BTC/USDT", 3), ("ETH/USDT", 40)):
        for seq in range(1, count + 1):
            row = Status("binance", symbol, None, 1, 7, seq, "subscribed", "trade")
            producer.produce(topic, encode(row), key_of(row))
    assert producer.flush(10) == 0
    streams = [("status", "BTC/USDT"), ("status", "ETH/USDT")]
    found = previous_rows(kafka, topics, "binance", streams)
    assert {s: (p.epoch, p.seq) for s, p in found.items()} == {
        ("status", "BTC/USDT"): (7, 3),
        ("status", "ETH/USDT"): (7, 40),
    }
