"""Run the conformance suite over an installed plugin, in a process of its own.

The suite is pytest's; what its author sees is pytest's own report, with nothing of ours around it.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

TESTS = '''\
"""The conformance suite over one plugin."""

from dianku.testing.conformance import PluginConformance


class TestConformance(PluginConformance):
    plugin = {name!r}
'''


def suite_is_installed() -> bool:
    """Whether the test kit's own requirements are there: `dianku-core[testing]`."""
    return all(importlib.util.find_spec(name) for name in ("pytest", "hypothesis", "psutil"))


def run_suite(name: str) -> int:
    """Run it; pytest's exit status, 0 when every promise is kept."""
    with tempfile.TemporaryDirectory(prefix="dianku-check-") as folder:
        file = Path(folder) / "test_conformance.py"
        file.write_text(TESTS.format(name=name), encoding="utf-8")
        settings = file.with_name("pytest.ini")
        settings.write_text("[pytest]\n", encoding="utf-8")
        # A root and settings of its own: those of whatever folder one stands in do not count.
        command = [sys.executable, "-m", "pytest", "--no-header", "-c", str(settings)]
        return subprocess.run(  # noqa: S603 - this interpreter, our own words
            [*command, "-p", "dianku.testing.plugin", "-p", "no:cacheprovider", "-vv", str(file)],
            check=False,
        ).returncode
