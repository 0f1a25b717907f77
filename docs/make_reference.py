"""Make docs/reference.md out of the code: every command, setting, hook, permission, route and code.

Run it after a change; `--check` says whether it is stale, and writes nothing.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

import dianku_reports
from dianku.access.permissions import KERNEL, ROLES
from dianku.errors import STATUS
from dianku.hooks import specs
from dianku.hooks.kinds import HOOKS
from dianku.http.routes import KERNEL_ROUTES
from dianku.messages import Messages
from dianku.plugins.manifest import read_manifest
from dianku.settings.kernel import KERNEL_SECTIONS
from dianku_cli.main import COMMANDS

PAGE = Path(__file__).with_name("reference.md")
HEAD = """\
# Reference

Made by docs/make_reference.py out of the code; change that, then run it.
"""
Rows = Iterable[Iterable[object]]


def _table(title: str, heads: str, rows: Rows) -> Iterator[str]:
    names = heads.split(", ")
    yield f"\n## {title}\n"
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"
    for row in rows:
        cells = (str(cell).replace("|", "\\|").replace("\n", " ") for cell in row)
        yield f"| {' | '.join(cells)} |"


def _first(text: str | None) -> str:
    return (text or "").strip().split("\n", maxsplit=1)[0]


def _commands(path: str, command: click.Command) -> Iterator[tuple[str, str]]:
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            yield from _commands(f"{path} {name}", each)
    else:
        yield f"`{path}`", _first(command.help)


def _settings() -> Iterator[tuple[object, ...]]:
    manifest = Path(dianku_reports.__file__).with_name("plugin.toml")
    plugin = read_manifest(manifest.read_text(encoding="utf-8"), where=manifest.name)
    for section in (*KERNEL_SECTIONS, plugin.section):
        for field in section.fields.values():
            bounds = [b for b in (field.minimum, field.maximum) if b is not None]
            admits = ", ".join(field.choices) or " to ".join(map(str, bounds))
            default = "" if field.default in (None, "") else f"`{field.default}`"
            name = f"`{section.name}.{field.name}`"
            yield name, field.type, default, admits, field.title.zh, field.title.en


def _hooks() -> Iterator[tuple[str, ...]]:
    for name, hook in sorted(HOOKS.items()):
        spec = getattr(specs, name)
        arguments = ", ".join(inspect.signature(spec).parameters)
        yield f"`{name}({arguments})`", hook.kind.value, _first(spec.__doc__)


def _codes(section: str) -> Iterator[tuple[str, str, str]]:
    words = Messages()
    prefix = f"{section}."
    for key in sorted(key for key in words.keys("en") if key.startswith(prefix)):
        zh, en = (words.template(key, language) or "" for language in ("zh-CN", "en"))
        yield key.removeprefix(prefix), zh, en


def _problems() -> Iterator[tuple[object, ...]]:
    for code, zh, en in _codes("problem"):
        if code in STATUS:
            yield f"`{code}`", STATUS[code], zh, en


def _permissions() -> Iterator[tuple[str, str]]:
    for permission in sorted(frozenset().union(*KERNEL.values())):
        roles = ", ".join(role for role in ROLES if permission in KERNEL[role])
        yield f"`{permission}`", roles


def text() -> str:
    """The page as it has to be."""
    commands = [
        row for name, lazy in sorted(COMMANDS.items()) for row in _commands(name, lazy.load())
    ]
    routes = [
        (f"`{r.method} {r.path}`", f"`{r.permission}`", r.summary)
        for r in sorted(KERNEL_ROUTES, key=lambda r: (r.path, r.method))
    ]
    coded = {s: [(f"`{c}`", zh, en) for c, zh, en in _codes(s)] for s in ("field", "warning")}
    parts = [
        _table("Commands of `dianku`", "command, does", commands),
        _table("Settings", "setting, type, default, admits, 中文, English", _settings()),
        _table("Permissions and the roles that have them", "permission, roles", _permissions()),
        _table("Hooks", "hook, kind, is", _hooks()),
        _table("Routes below `/api/v1`", "route, permission, is", routes),
        _table("Problems", "code, status, 中文, English", _problems()),
        _table("Field errors", "code, 中文, English", coded["field"]),
        _table("Warnings", "code, 中文, English", coded["warning"]),
    ]
    return HEAD + "\n".join(line for part in parts for line in part) + "\n"


def main() -> int:
    """Write the page, or say whether it is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="say whether it is stale")
    if not parser.parse_args().check:
        PAGE.write_text(text(), encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text():
        print("docs/reference.md is stale: run python docs/make_reference.py")  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
