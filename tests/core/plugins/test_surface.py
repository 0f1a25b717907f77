"""The surface for plugins is held against a snapshot: a change of it is always a visible one.

Refresh it on purpose: `DIANKU_SNAPSHOT=1 pytest tests/core/plugins/test_surface.py`.
"""

from __future__ import annotations

import difflib
import inspect
import os
from pathlib import Path

from attrs import fields, has

import dianku.api
from dianku.hooks import specs
from dianku.hooks.kinds import HOOKS

SNAPSHOT = Path(__file__).parent / "surface.txt"


def described() -> list[str]:
    lines = []
    for name in dianku.api.__all__:
        found = getattr(dianku.api, name)
        if inspect.isclass(found):
            lines.append(f"class {name}({', '.join(_members(found))})")
        elif inspect.isfunction(found):
            lines.append(f"def {name}{inspect.signature(found)}")
        else:
            lines.append(name)
    hooks = [f"hook {name}{inspect.signature(getattr(specs, name))}" for name in sorted(HOOKS)]
    return [*lines, *hooks]


def _members(found: type) -> list[str]:
    own = [f.name for f in fields(found)] if has(found) else []
    own += getattr(found, "__struct_fields__", ())
    public = [f.lstrip("_") for f in own if not f.startswith("_")]
    methods = [
        f"{key}{inspect.signature(value)}"
        for key, value in vars(found).items()
        if inspect.isfunction(value) and not key.startswith("_")
    ]
    return [*public, *sorted(methods)]


def test_surface_is_as_the_snapshot_says() -> None:
    now = described()
    if os.environ.get("DIANKU_SNAPSHOT"):
        SNAPSHOT.write_text("\n".join(now) + "\n", encoding="utf-8")
    then = SNAPSHOT.read_text(encoding="utf-8").splitlines()

    assert list(difflib.unified_diff(then, now, "snapshot", "now", lineterm="")) == []


def test_surface_names_are_sorted_and_there() -> None:
    assert sorted(dianku.api.__all__) == sorted(set(dianku.api.__all__))
    assert all(hasattr(dianku.api, name) for name in dianku.api.__all__)
