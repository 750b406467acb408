"""Stands in for an ingestor: publishes a trade and a clock row in turn, twenty of each."""

import json
import os
import signal
import sys
import threading
from pathlib import Path

from collector_core.events import Clock, Trade
from collector_core.topics import Topics
from collector_feed.numbering import Numbering
from collector_runtime.clock import wall_us
from collector_runtime.kafka.catalog import entries_of, publish_catalog
from collector_runtime.kafka.connection import KafkaSettings, producer_config
from collector_runtime.kafka.provisioner import Provisioner
from collector_runtime.kafka.publisher import Publisher
from collector_runtime.kafka.topology import Topology

exchange = os.environ["EXCHANGE"]
symbol = os.environ["SYMBOLS"].split(",")[0]
told = {name: os.environ.get(name, "") for name in ("SYMBOLS", "COLLECTOR_WEBSOCKET_URL")}
if folder := os.environ.get("FAKE_FOLDER"):
    Path(folder, f"{exchange}.json").write_text(json.dumps({**told, "pid": os.getpid()}))
if os.environ.get("FAKE_INGESTOR") == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

settings = KafkaSettings(os.environ["KAFKA_BOOTSTRAP_SERVERS"])
topics = Topics(os.environ.get("TOPIC_PREFIX", "md"))
topology = Topology(topics)
# what stands in a stream stands in the exchange's status topic as well
wanted = [*topology.exchange(exchange), *topology.streams([("trade", exchange, symbol)])]
Provisioner(settings).ensure(wanted)
numbering = Numbering(wall_us(), topics)
publisher = Publisher(producer_config(settings), numbering, exchange)
publish_catalog(settings, topics, entries_of(topics, [("trade", exchange, symbol)]))
publisher.open("trade", symbol, None, wall_us())
pause = threading.Event()
for number in range(1, 21):
    now = wall_us()
    publisher.publish(Trade(exchange, symbol, now, now, 0, 0, str(number), "100", "1", "buy"))
    publisher.publish(Clock(exchange, symbol, None, now, 0, 0, now))
    publisher.poll()
    pause.wait(0.02)
publisher.flush(30)
if os.environ.get("FAKE_INGESTOR") == exchange:
    sys.exit("collector-ingestor: expected room on the disk,\nwas full")
if folder:
    Path(folder, f"{exchange}.done").touch()
pause.wait()
