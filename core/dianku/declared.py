"""What plugins and editions declare, read without importing any of them.

Apart from `dianku.operations`, because `dianku --help` must not import a database or a web server.
The readers of declarations are here for whoever assembles an edition from its folders.
"""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from dianku.hooks.records import Title
from dianku.plugins.declaration import (
    DeclarationError,
    declaration_text,
    decode_declaration,
    place,
    read_declaration,
)
from dianku.plugins.discovery import EDITION_GROUP, PLUGIN_GROUP, discover
from dianku.plugins.editions import EDITION_FILE, EditionFile, read_edition
from dianku.plugins.manifest import PLUGIN_FILE, Manifest, read_manifest
from dianku.settings.kernel import KERNEL_SECTIONS

__all__ = [
    "EDITION_FILE",
    "EDITION_GROUP",
    "KERNEL_SECTIONS",
    "PLUGIN_FILE",
    "PLUGIN_GROUP",
    "DeclarationError",
    "Declared",
    "EditionFile",
    "Manifest",
    "declaration_text",
    "declared_groups",
    "decode_declaration",
    "place",
    "read_declaration",
    "read_edition",
    "read_manifest",
]


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
