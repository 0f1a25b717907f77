"""How the installation stands: plugins, jobs, backups, what administrators did, what it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dianku.api import Call, Page, Title

VENDORED = Path(__file__).parent.parent / "assets" / "vendor" / "vendor.json"
LINES = 50
"""Lines of the trail on a page."""
TONES: Mapping[str, str] = {
    "loaded": "good",
    "degraded": "warn",
    "refused": "bad",
    "missing": "bad",
    "disabled": "",
}
"""How a plugin stands, as a colour."""
ACTIONS = frozenset(
    {
        "user.create",
        "user.change",
        "token.create",
        "token.revoke",
        "session.end",
        "device.enrol",
        "device.remove",
        "settings.change",
        "plugin.enable",
        "plugin.disable",
        "backup",
        "backup.download",
    }
)
"""What the trail tells of in words; plugins have more."""


def _plugins(call: Call) -> dict[str, Any]:
    return {"plugins": call.ask("/plugins")["items"], "tones": TONES}


def _jobs(call: Call) -> dict[str, Any]:
    return {"jobs": call.ask("/jobs")["items"]}


def _backups(call: Call) -> dict[str, Any]:
    return {"backups": call.ask("/backups")["items"], "size": size}


def size(count: int) -> str:
    """Bytes as people read them."""
    units = ("B", "kB", "MB", "GB", "TB")
    power = min(len(units) - 1, max(0, (len(str(count)) - 1) // 3))
    whole = count / 1000**power
    return f"{whole:.1f} {units[power]}" if power and whole < 10 else f"{whole:.0f} {units[power]}"


def _audit(call: Call) -> dict[str, Any]:
    names = ("cursor", "actor", "action", "subject")
    asked = {name: str(call.query[name]) for name in names if call.query.get(name)}
    page = call.ask("/audit", limit=LINES, **asked)
    return {
        "lines": page["items"],
        "cursor": page["next_cursor"],
        "asked": {name: asked.get(name, "") for name in names},
        "actions": ACTIONS,
        "changes": changes,
    }


def changes(line: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What a line of the trail says was changed: the field, what it was and what it is."""
    before, after = line["before"] or {}, line["after"] or {}
    names = [*before, *(name for name in after if name not in before)]
    return [
        (name, _said(before.get(name)), _said(after.get(name)))
        for name in names
        if before.get(name) != after.get(name) and name not in {"id", "created_at"}
    ]


def _said(value: Any) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _about(call: Call) -> dict[str, Any]:
    vendored = json.loads(VENDORED.read_text(encoding="utf-8"))
    return {
        "edition": call.ask("/edition"),
        "plugins": call.ask("/plugins")["items"],
        "vendored": [
            (name, one["version"], one["licence"]) for name, one in sorted(vendored.items())
        ],
    }


PAGES = (
    Page(
        "/console/plugins", Title("插件", "Plugins"), "plugin.view", "admin/plugins.html", _plugins
    ),
    Page("/console/jobs", Title("定时任务", "Jobs"), "plugin.view", "admin/jobs.html", _jobs),
    Page(
        "/console/backups", Title("备份", "Backups"), "backup.make", "admin/backups.html", _backups
    ),
    Page(
        "/console/audit", Title("操作记录", "Audit trail"), "audit.view", "admin/audit.html", _audit
    ),
    Page("/console/about", Title("关于", "About"), "plugin.view", "admin/about.html", _about),
)
