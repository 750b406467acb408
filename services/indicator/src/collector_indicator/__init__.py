"""The indicator service: trades and candles in, bars and indicators out, exactly once."""
