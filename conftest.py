"""Loads the testkit's fixtures for every test, and says how properties are searched."""

import os

from hypothesis import settings

pytest_plugins = ["collector_testkit.plugin", "pytester"]

# An example may take as long as the machine needs: no test asserts wall time. CI plays the same
# examples each time, so that a change is judged by what it changed; new ones are searched for
# wherever else the tests run.
settings.register_profile("collector", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("collector")
