"""Stands in for the simulator: prints its line, then waits, or ends as it is told."""

import json
import os
import signal
import sys

if os.environ.get("FAKE_SIMULATOR") == "dies":
    sys.exit("collector-simulator: expected a better day")
if os.environ.get("FAKE_SIMULATOR") == "ponders":
    signal.pause()
if os.environ.get("FAKE_SIMULATOR") == "babbles":
    print("hello", flush=True)
else:
    url = {"websocket_url": "ws://127.0.0.1:1/ws", "rest_url": "http://127.0.0.1:1"}
    names = os.environ["COLLECTOR_SIMULATOR_EXCHANGES"].split(",")
    print(json.dumps(dict.fromkeys(names, url)), flush=True)
signal.pause()
