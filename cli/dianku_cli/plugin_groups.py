"""The groups plugins add: their names from a cache of manifests, their code when one is run.

The cache says which distributions and manifests it was made from (names and times of change), and
is made anew when these are others. It can always be made anew, so a cache that cannot be read or
written costs time and nothing else. No plugin is imported here to list its group.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import click

from dianku_cli.failures import Failed
from dianku_cli.settings import Settings, platform_cache_dir
from dianku_cli.texts import say

LANGUAGE = "dianku.language"
"""Under this name of click's `meta` a plugin's commands find the language to speak."""


def known_groups(*, chinese: bool) -> dict[str, str]:
    """Names of the plugins' groups and their titles in the person's language."""
    path = platform_cache_dir(os.environ) / f"plugin-groups-{_environment()}.json"
    installed = _distributions()
    groups = _cached(path, installed)
    if groups is None:
        groups, manifests = _discover()
        _write(path, {"installed": installed, "manifests": manifests, "groups": groups})
    member = "zh" if chinese else "en"
    return {name: titles[member] for name, titles in groups.items()}


def load_group(settings: Settings, name: str) -> click.Command:
    """Import the plugin whose group this is, and return the group; its `obj` is its `Shop`.

    Raises:
        Failed: The plugin is switched off or does not load.
    """
    from dianku_cli.shop import open_shop

    root = click.get_current_context().find_root()
    root.meta[LANGUAGE] = settings.language
    host = root.with_resource(open_shop(settings))
    for collected in host.plugins.collect("register_commands"):
        if collected.record.name == name:
            command: click.Command = collected.record.load()
            shop = host.plugins.arguments(collected.plugin)["shop"]
            command.context_settings = {**command.context_settings, "obj": shop}
            return command
    raise Failed(say("group_not_loaded", settings.language, name=name))


def _environment() -> str:
    """A short name for this environment's own cache; several may share one user."""
    return f"{crc32(sys.prefix.encode()):08x}"


def _distributions() -> list[list[str | int]]:
    """Name and time of change of each installed distribution's metadata, in a stable order."""
    return sorted(
        [entry.path, entry.stat().st_mtime_ns]
        for entry in _entries()
        if entry.name.endswith((".dist-info", ".egg-info"))
    )


def _entries() -> Iterator[os.DirEntry[str]]:
    for folder in dict.fromkeys(sys.path):
        try:
            with os.scandir(folder or ".") as entries:
                yield from entries
        except OSError:
            continue


def _cached(path: Path, installed: list[list[str | int]]) -> dict[str, Any] | None:
    try:
        kept = json.loads(path.read_bytes())
        same = kept["installed"] == installed and all(
            Path(name).stat().st_mtime_ns == at for name, at in kept["manifests"]
        )
        return dict(kept["groups"]) if same else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _discover() -> tuple[dict[str, Any], list[list[str | int]]]:
    from dianku.declared import declared_groups

    groups: dict[str, Any] = {}
    files: list[list[str | int]] = []
    for one in declared_groups():
        files.append([str(one.file), one.file.stat().st_mtime_ns])
        groups |= {name: {"zh": title.zh, "en": title.en} for name, title in one.groups.items()}
    return groups, files


def _write(path: Path, content: dict[str, Any]) -> None:
    """Replace the cache in one step, so that nobody reads half of it."""
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(content), encoding="utf-8")
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
