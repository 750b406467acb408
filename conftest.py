"""Loads the testkit's fixtures for every test of the repository."""

pytest_plugins = ["collector_testkit.plugin", "pytester"]
