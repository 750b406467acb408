"""What tests and the simulator need: brokers, recorded frames, a clock, exchange dialects."""
