"""The only input and output of the product: sockets, REST, Kafka, health, settings, logs, clock."""
