"""What tests and the simulator need: brokers, recorded frames, a manual clock, exchange dialects."""
