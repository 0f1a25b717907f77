"""The reports keep the promises that every plugin makes."""

from __future__ import annotations

from dianku.testing.conformance import PluginConformance


class TestConformance(PluginConformance):
    plugin = "reports"
