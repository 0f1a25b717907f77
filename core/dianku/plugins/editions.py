"""Editions: which plugins a shop of one kind needs, which it may have, and its default settings.

An edition is what is installed, not a licence: `edition.toml` in the package behind an entry point
of the group `dianku.editions`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from attrs import frozen
from msgspec import Meta

from dianku.errors import ConfigurationError
from dianku.hooks.records import Title
from dianku.plugins.declaration import (
    DeclarationError,
    Strict,
    Words,
    decode_declaration,
    read_declaration,
)
from dianku.plugins.discovery import EDITION_GROUP, folder_of, installed
from dianku.plugins.manifest import PluginName

EDITION_FILE = "edition.toml"
EditionName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,30}(?!\n)$")]
Version = Annotated[str, Meta(pattern=r"^[0-9]+(\.[0-9]+)*((a|b|rc|\.post)[0-9]+)?(?!\n)$")]


class EditionFile(Strict, frozen=True):
    """An `edition.toml` as written.

    Attributes:
        extends: The edition whose plugins and settings this one has too.
        required: Plugins without which the shop does not start.
        optional: Plugins that belong to it; broken or absent ones do not stop it.
        settings: Defaults by section, before those of the plugins' manifests.
        version: Of its distribution; the core's where it says none.
    """

    name: EditionName
    title: Words
    version: Version | None = None
    extends: EditionName | None = None
    required: list[PluginName] = []
    optional: list[PluginName] = []
    settings: dict[str, dict[str, Any]] = {}


@frozen
class Edition:
    """An edition with all that it extends folded in."""

    name: str
    title: Title
    required: Sequence[str] = ()
    optional: Sequence[str] = ()
    settings: Mapping[str, Mapping[str, Any]] = {}
    lineage: Sequence[str] = ()


KERNEL = Edition("kernel", Title("内核", "Kernel"))
"""No edition installed: nothing is required."""


def read_edition(path: Path) -> EditionFile:
    """Read one `edition.toml`.

    Raises:
        ConfigurationError: naming file, line and key.
    """
    try:
        return decode_declaration(read_declaration(path), EditionFile, where=str(path))
    except (OSError, DeclarationError) as error:
        raise ConfigurationError("edition_unreadable", reason=str(error)) from error


def installed_editions() -> dict[str, Edition]:
    """Every edition that is installed, by name.

    Raises:
        ConfigurationError: one is unreadable, or extends one that is not installed.
    """
    files = {}
    for entry in installed(EDITION_GROUP):
        folder = folder_of(entry.package)
        if folder is None:
            raise ConfigurationError(
                "edition_package_missing",
                edition=entry.name,
                package=entry.package,
                distribution=entry.distribution,
            )
        files[entry.name] = read_edition(folder / EDITION_FILE)
    return fold(files.values())


def fold(files: Iterable[EditionFile]) -> dict[str, Edition]:
    """Fold what each edition extends into it.

    Raises:
        ConfigurationError: an edition extends one that is not given, or itself in a circle.
    """
    by_name = {file.name: file for file in files}
    return {name: _folded(name, by_name) for name in sorted(by_name)}


def choose(editions: Mapping[str, Edition], name: str | None) -> Edition:
    """The edition to run as: the one named, else the one that extends all others.

    Raises:
        ConfigurationError: it is not installed, or several are and none is the highest.
    """
    if name is not None:
        if name not in editions:
            there = ", ".join(sorted(editions)) or "-"
            raise ConfigurationError("edition_not_installed", edition=name, installed=there)
        return editions[name]
    if not editions:
        return KERNEL
    highest = [e for e in editions.values() if set(e.lineage) >= set(editions)]
    if not highest:
        raise ConfigurationError("editions_ambiguous", editions=", ".join(sorted(editions)))
    return highest[0]


def _folded(name: str, files: Mapping[str, EditionFile]) -> Edition:
    lineage: list[str] = []
    step: str | None = name
    while step is not None:
        if step in lineage:
            raise ConfigurationError(
                "edition_extends_itself", edition=name, lineage=" -> ".join(lineage)
            )
        if step not in files:
            raise ConfigurationError("edition_base_missing", edition=lineage[-1], base=step)
        lineage.append(step)
        step = files[step].extends
    settings: dict[str, dict[str, Any]] = {}
    required: dict[str, None] = {}
    optional: dict[str, None] = {}
    for one in reversed(lineage):
        required |= dict.fromkeys(files[one].required)
        optional |= dict.fromkeys(files[one].optional)
        for section, values in files[one].settings.items():
            settings.setdefault(section, {}).update(values)
    return Edition(
        name=name,
        title=files[name].title.title(),
        required=tuple(required),
        optional=tuple(one for one in optional if one not in required),
        settings=settings,
        lineage=tuple(lineage),
    )
