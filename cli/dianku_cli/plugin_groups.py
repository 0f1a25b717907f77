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

import click

from dianku_cli.output import remark
from dianku_cli.settings import Settings, platform_cache_dir
from dianku_cli.texts import say

CACHE_FILE = "plugin-groups.json"


def known_groups(settings: Settings) -> dict[str, str]:
    """Names of the plugins' groups and their titles in the person's language."""
    path = platform_cache_dir(os.environ) / CACHE_FILE
    installed = _distributions()
    groups = _cached(path, installed)
    if groups is None:
        groups, manifests = _discover()
        _write(path, {"installed": installed, "manifests": manifests, "groups": groups})
    member = "en" if settings.language == "en" else "zh"
    return {name: titles[member] for name, titles in groups.items()}


def load_group(settings: Settings, name: str) -> click.Command:
    """Import the plugin whose group this is, and return the group.

    Raises:
        click.UsageError: The plugin is switched off or does not load.
    """
    from dianku_cli.shop import open_shop  # noqa: PLC0415 - not for --help

    host = click.get_current_context().find_root().with_resource(open_shop(settings))
    command = host.plugins.command(name)
    if command is None:
        raise click.UsageError(say("group_not_loaded", settings.language, name=name))
    group: click.Command = command
    return group


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
            os.stat(name).st_mtime_ns == at for name, at in kept["manifests"]
        )
        return dict(kept["groups"]) if same else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _discover() -> tuple[dict[str, Any], list[list[str | int]]]:
    from dianku.api import installed_manifests  # noqa: PLC0415 - only when the cache is stale

    groups: dict[str, Any] = {}
    files: list[list[str | int]] = []
    for path, manifest in installed_manifests():
        files.append([str(path), path.stat().st_mtime_ns])
        for name, entry in manifest.commands.items():
            groups[name] = {"zh": entry.title.zh, "en": entry.title.en}
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
