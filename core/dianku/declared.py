"""The command groups that installed plugins declare, read without importing any of them.

Apart from `dianku.operations`, because `dianku --help` must not import a database or a web server.
"""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from dianku.hooks.records import Title
from dianku.plugins.discovery import discover
from dianku.plugins.manifest import PLUGIN_FILE


@frozen
class Declared:
    """One plugin's manifest, where it lies, and the groups it names with their titles."""

    file: Path
    groups: dict[str, Title]


def declared_groups() -> list[Declared]:
    """What every installed plugin declares; one whose manifest is unreadable declares nothing."""
    return [
        Declared(
            found.folder / PLUGIN_FILE,
            {name: entry.title.title() for name, entry in found.manifest.commands.items()},
        )
        for found in discover()
        if found.manifest is not None and found.folder is not None
    ]
