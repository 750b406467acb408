"""The floor: a loop that hands ready rows to the same producer, topics and keys.

It prints ``ready``, then reads from its standard input, line by line, how many rows to send.
"""

from __future__ import annotations

import sys

from confluent_kafka import Producer

SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT")


def row(i: int) -> bytes:
    """Return a row as long as the ingestor's own."""
    return (
        f'{{"type":"trade","exchange":"binance","symbol":"{SYMBOLS[i & 3]}",'
        f'"exchange_time":{1_790_000_000_000_000 + i * 10},'
        f'"receive_time":{1_790_000_000_090_000 + i * 5},'
        f'"epoch":1790000000000000,"seq":{i // 4 + 1},"id":"{i // 4 + 1}",'
        f'"price":"{60_000 + i % 997}.{i % 100:02d}000000",'
        f'"amount":"0.{(i * 31) % 99999999 + 1:08d}","side":"buy","backfilled":false}}'
    ).encode()


def main(bootstrap: str, prefix: str, count: int) -> None:
    """Prepare ``count`` rows and send them in the portions that are asked for.

    Raises:
        RuntimeError: rows could not be delivered.
    """
    failures: list[str] = []

    def delivered(error: object, _: object) -> None:
        if error is not None:
            failures.append(str(error))

    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "enable.idempotence": True,
            "compression.type": "lz4",
            "linger.ms": 5,
            "delivery.report.only.error": True,
            "queue.buffering.max.messages": 500_000,
        }
    )
    topics = [f"{prefix}.trade.binance.{s.replace('/', '-')}" for s in SYMBOLS]
    keys = [f"binance|{s}".encode() for s in SYMBOLS]
    rows = [row(i) for i in range(count)]
    print("ready", flush=True)
    done = 0
    for line in sys.stdin:
        until = done + int(line)
        for i in range(done, until):
            while True:
                try:
                    producer.produce(topics[i & 3], rows[i], keys[i & 3], 0, delivered)
                    break
                except BufferError:
                    producer.poll(0.01)
            if not i & 127:
                producer.poll(0)
        done = until
        left = producer.flush(60)
        if failures or left:
            raise RuntimeError(f"expected every row delivered, was {left} left, {failures[:1]}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
