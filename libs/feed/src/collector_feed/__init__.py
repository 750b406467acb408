"""What all exchange connections share: the contract, the session machine, integrity, recovery.

Pure: no socket, no clock, no randomness of its own. Time comes in as an argument, and whatever
has to happen outside goes out as an output (``collector_feed.outputs``).
"""
