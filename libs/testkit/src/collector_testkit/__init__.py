"""What tests and the simulator need: brokers, recorded frames, exchange dialects."""
