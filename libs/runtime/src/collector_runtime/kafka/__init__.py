"""Kafka: connection, topics and their provisioning, catalogue, transactions, embedded broker."""
