"""Raw frames of an exchange to files, without Kafka; the session decides what is sent."""
