"""Loads the test kit also where Dianku is on the path without being installed."""

pytest_plugins = ["dianku.testing.plugin"]
