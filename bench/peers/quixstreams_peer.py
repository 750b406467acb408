"""quixstreams over the same topic of trades, exactly once, with the least state there can be.

One number a symbol. ``state``: its last price is kept and nothing is published, so that what is
left is what every program on it pays for: reading, decoding, a state by key with its changelog,
and transactions with the offsets. ``mean``: a running mean is kept, and published for each trade.
"""

from __future__ import annotations

import sys
from typing import Any

from quixstreams import Application
from quixstreams.state import State

COMMIT_SECONDS = 1.0
"""Between two transactions; its default is 5. Ours writes state at least as often."""


def remember(row: dict[str, Any], state: State) -> None:
    """Keep the last price of the row's symbol, which is the key; clock rows have none."""
    price = row.get("price")
    if price is not None:
        state.set("price", price)


def running_mean(row: dict[str, Any], state: State) -> dict[str, Any]:
    """Return the symbol and its running mean after the row; a clock row changes nothing."""
    count, mean = state.get("mean", (0, 0.0))
    price = row.get("price")
    if price is not None:
        count += 1
        mean += (float(price) - mean) / count
        state.set("mean", (count, mean))
    return {"symbol": row["symbol"], "mean": mean}


def main(bootstrap: str, topic: str, group: str, folder: str, kind: str) -> None:
    """Read from the beginning until it is ended."""
    app = Application(
        broker_address=bootstrap,
        consumer_group=group,
        auto_offset_reset="earliest",
        commit_interval=COMMIT_SECONDS,
        state_dir=folder,
        processing_guarantee="exactly-once",
        loglevel="WARNING",
    )
    trades = app.dataframe(app.topic(topic, value_deserializer="json"))
    if kind == "mean":
        means = trades.apply(running_mean, stateful=True)
        means.to_topic(app.topic(f"{topic}.mean", value_serializer="json"))
    else:
        trades.update(remember, stateful=True)
    app.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
