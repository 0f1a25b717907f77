"""What is told of a plugin: how it stands, why, whose it is, and everything it brings."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from dianku_cli.environment.change import Change
from dianku_cli.settings import Settings
from dianku_cli.texts import say

if TYPE_CHECKING:
    from dianku.host import Host
    from dianku.operations import PluginState

NOT_STARTED = "not_started"
"""How a plugin stands with `--no-plugins`, where nothing but its manifest was read."""


def account_of(host: Host, state: PluginState, settings: Settings) -> dict[str, Any]:
    """A plugin in a list: how it stands and, the newest first, what is wrong with it."""
    manifest = state.manifest
    status = state.status.value
    faults = [str(fault) for fault in reversed(state.faults)]
    return {
        "name": state.name,
        "title": "" if manifest is None else manifest.title.title().in_language(settings.language),
        "version": state.version,
        "distribution": state.distribution,
        "status": NOT_STARTED if status == "loaded" and not settings.plugins else status,
        "edition": _member(host, state.name),
        "required": state.required,
        "requires": [] if manifest is None else list(manifest.requires),
        "routes": [] if manifest is None else list(manifest.routes),
        "tables": [] if manifest is None else list(manifest.tables),
        "commands": [] if manifest is None else sorted(manifest.commands),
        "cause": faults[0] if faults else "",
        "faults": faults,
    }


def account_in_full(host: Host, state: PluginState, settings: Settings) -> dict[str, Any]:
    """The same with what it adds, what it may do, its hooks in this process and its rows."""
    from dianku.rehearsal import tables_of

    manifest = state.manifest
    more: dict[str, Any] = {
        "permissions": [] if manifest is None else list(manifest.permissions),
        "rights": [] if manifest is None else list(manifest.rights),
        "settings": [f"{state.name}.{key}" for key in (manifest.settings if manifest else ())],
        "hooks": _hooks(host, state.name) if state.running and settings.plugins else [],
        "rows": dict(tables_of(host, state.name)),
    }
    return account_of(host, state, settings) | more


def cut_off_account(settings: Settings, *, known: Collection[str]) -> list[dict[str, Any]]:
    """Plugins that are half there: no list of what is installed would name them."""
    left = Change.cut_off()
    if left is None:
        return []
    cause = _told(left, settings.language)
    empty: dict[str, Any] = dict.fromkeys(("requires", "routes", "tables", "commands"), ())
    return [
        {
            "name": name,
            "title": "",
            "version": "",
            "distribution": "",
            "status": "missing",
            "edition": "no",
            "required": False,
            **empty,
            "cause": cause,
            "faults": [cause],
        }
        for name in left.names
        if name not in known
    ]


def cut_off_remark(language: str) -> str:
    """What to say of a change that was cut off; empty where there is none."""
    left = Change.cut_off()
    return "" if left is None else _told(left, language)


def _told(left: Change, language: str) -> str:
    key = "cut_off_install" if left.action == "install" else "cut_off_remove"
    return say(key, language, name=", ".join(left.names))


def _member(host: Host, name: str) -> str:
    edition = host.plugins.edition
    if name in edition.required:
        return "required"
    return "optional" if name in edition.optional else "no"


def _hooks(host: Host, plugin: str) -> list[dict[str, Any]]:
    timings = host.plugins.calls.timings
    found = []
    for name in host.plugins.calls.hooks_of(plugin):
        timing = timings.get((plugin, name))
        found.append(
            {
                "name": name,
                "calls": timing.calls if timing else 0,
                "total_ms": round(timing.total_ms, 3) if timing else 0.0,
                "longest_ms": round(timing.longest_ms, 3) if timing else 0.0,
            }
        )
    return found
