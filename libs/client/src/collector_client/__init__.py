"""Subscribe to the bus from Python."""
