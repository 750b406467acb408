"""Stands in for the indicator service: does nothing until it is ended."""

import signal

signal.pause()
