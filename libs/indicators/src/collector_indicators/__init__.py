"""Streaming indicators, bars from trades, and the engine that feeds them; pure."""
