"""The vocabulary of the bus: events, exact numbers, symbols, topics, the order book, errors.

Pure: no input or output, no clock, no randomness.
"""
