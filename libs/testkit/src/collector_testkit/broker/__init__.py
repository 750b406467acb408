"""A Kafka broker for tests and benchmarks: found, or started and surely ended.

Order (design section 8): ``KAFKA_BOOTSTRAP_SERVERS``, a Docker engine that answers, a real Apache
Kafka whose jars Maven copies; else ``Unavailable`` says why there is none.
"""

from collector_testkit.broker.choice import open_broker
from collector_testkit.broker.contract import Broker, Unavailable
from collector_testkit.broker.local import start_kafka

__all__ = ["Broker", "Unavailable", "open_broker", "start_kafka"]
