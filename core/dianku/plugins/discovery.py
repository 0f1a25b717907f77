"""Find installed plugins and editions and read what they declare, without importing them.

The one place that asks importlib-metadata. A declaration lies in the top-level package of the
entry point, because finding a nested one would import what is above it.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import importlib_metadata
from attrs import frozen

from dianku.plugins.declaration import DeclarationError, place, read_declaration
from dianku.plugins.manifest import PLUGIN_FILE, Manifest, read_manifest

PLUGIN_GROUP = "dianku.plugins"
EDITION_GROUP = "dianku.editions"
_log = logging.getLogger(__name__)


@frozen
class Installed:
    """One entry point: its name, where it leads, and the distribution that brings it."""

    name: str
    target: str
    distribution: str
    version: str
    error: str = ""
    """Why its name and version are not known: what an installer left half done has no metadata."""

    @property
    def package(self) -> str:
        """The top-level package."""
        return self.target.partition(":")[0].partition(".")[0]


@frozen
class Found:
    """A plugin on disk: its manifest, or why there is none."""

    name: str
    target: str
    distribution: str = ""
    version: str = ""
    manifest: Manifest | None = None
    folder: Path | None = None
    file: Path | None = None
    error: str = ""

    def line_of(self, key: str) -> str:
        """`FILE:LINE` of a key of the manifest, for the message; the target where there is none."""
        path = self.folder / PLUGIN_FILE if self.folder is not None else None
        try:
            text = path.read_text(encoding="utf-8") if path is not None else ""
        except (OSError, UnicodeDecodeError):
            text = ""
        where = str(path) if text else self.target
        return place(text, where, [key]).removesuffix(f": {key}")


def installed(group: str) -> list[Installed]:
    """The entry points of a group, by name; the scan costs milliseconds and is done per start."""
    found = [_installed(entry) for entry in _entries(group)]
    return sorted(found, key=lambda one: (one.name, one.distribution))


def _entries(group: str) -> Iterable[importlib_metadata.EntryPoint]:
    """The entry points of all distributions but those whose own list cannot be read."""
    try:
        return importlib_metadata.entry_points(group=group)
    except Exception:  # noqa: BLE001 - one list that is none stops the library for all
        return list(_one_by_one(group))


def _one_by_one(group: str) -> Iterator[importlib_metadata.EntryPoint]:
    # Only where one is broken: asking each for its name reads all the metadata there is.
    seen = set()
    for one in importlib_metadata.distributions():
        try:
            points = one.entry_points.select(group=group)
            name = one.name if points else None
        except Exception as error:  # noqa: BLE001 - it may hold anything
            _log.warning("a distribution in %s was left out: %s", one.locate_file(""), error)
            continue
        if points and name not in seen:
            seen.add(name)
            yield from points


def _installed(entry: importlib_metadata.EntryPoint) -> Installed:
    if entry.dist is None:
        return Installed(entry.name, entry.value, "", "")
    try:
        return Installed(entry.name, entry.value, entry.dist.name, entry.dist.version)
    except (importlib_metadata.MetadataNotFound, KeyError, ValueError, OSError) as error:
        said = f"the metadata of what brings {entry.name!r} cannot be read: {error}"
        return Installed(entry.name, entry.value, "", "", error=said)


def folder_of(package: str) -> Path | None:
    """Where a top-level package lies, not importing it; None when it is not there."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def discover(files: Iterable[Path] = ()) -> list[Found]:
    """Every plugin that is installed, and the single-file ones named, each judged by itself."""
    found = [_read(one) for one in installed(PLUGIN_GROUP)]
    return [*_without_twins(found), *(_single(path) for path in files)]


def _read(entry: Installed) -> Found:
    at = (entry.name, entry.target, entry.distribution, entry.version)
    if entry.error:
        return Found(*at, error=entry.error)
    folder = folder_of(entry.package)
    if folder is None:
        return Found(*at, error=f"its package {entry.package!r} is not there")
    path = folder / PLUGIN_FILE
    if path.exists() and not path.is_file():
        # A pipe would keep whoever opens it waiting.
        return Found(*at, error=f"{path} is no file")
    try:
        manifest = read_manifest(read_declaration(path), where=str(path))
    except OSError as error:
        return Found(*at, folder=folder, error=f"{path}: {error.strerror}")
    except DeclarationError as error:
        return Found(*at, folder=folder, error=str(error))
    wrong = _misnamed(entry, manifest, path)
    return Found(*at, manifest=None if wrong else manifest, folder=folder, error=wrong)


def _misnamed(entry: Installed, manifest: Manifest, path: Path) -> str:
    if manifest.name != entry.name:
        return f"{path}: name {manifest.name!r} differs from the entry point {entry.name!r}"
    return ""


def _without_twins(found: Sequence[Found]) -> list[Found]:
    """Of two distributions with one plugin name neither can be meant: both names are said."""
    kept: dict[str, Found] = {}
    for one in found:
        first = kept.get(one.name)
        if first is None:
            kept[one.name] = one
            continue
        error = f"{first.distribution!r} and {one.distribution!r} both bring plugin {one.name!r}"
        kept[one.name] = Found(one.name, one.target, first.distribution, error=error)
    return list(kept.values())


def _single(path: Path) -> Found:
    """A plugin that is one file: `plugin.toml` beside it, or none and so no claims at all."""
    name = path.stem
    declared = path.with_name(PLUGIN_FILE)
    where = declared if declared.is_file() else path
    try:
        if not path.is_file():
            return Found(name, name, file=path, error=f"{path} is not there")
        text = read_declaration(declared) if where is declared else _bare(name)
        manifest = read_manifest(text, where=str(where))
    except (DeclarationError, OSError) as error:
        return Found(name, name, file=path, error=str(error))
    return Found(manifest.name, name, manifest=manifest, folder=path.parent, file=path)


def _bare(name: str) -> str:
    return f'name = "{name}"\ntitle = {{ zh = "{name}", en = "{name}" }}\ncore = ">=0,<99"\n'
