"""A plugin to begin with: small, whole, and passing the conformance suite as it is.

It has one of each thing nearly every plugin has: a manifest, a permission, a route that reads the
shop through `dianku.api`, texts in both languages and the inherited tests.
"""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
"""What a plugin may be called: the one name in every place."""

FILES = {
    "pyproject.toml": """\
[project]
name = "dianku-$dashed"
version = "0.1.0"
description = "$title for Dianku"
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["dianku-core>=$version,<$next_version"]

[project.entry-points."dianku.plugins"]
$name = "dianku_$name.plugin"

[build-system]
requires = ["uv_build>=0.9,<1"]
build-backend = "uv_build"

[tool.uv.build-backend]
module-name = "dianku_$name"
module-root = ""
""",
    "README.md": """\
# dianku-$dashed

What this plugin is for, in a sentence a shopkeeper understands.

    pip install -e .                 # into the environment `dianku` runs in
    dianku plugin info $name
    pytest                           # needs: pip install 'dianku-core[testing]'
    dianku plugin install .          # into a shop

`GET /api/v1/$name` lists the stores that the caller may see.
""",
    "dianku_$name/__init__.py": '''\
"""$title: what the plugin is for, in one sentence."""
''',
    "dianku_$name/py.typed": "",
    "dianku_$name/plugin.toml": """\
name = "$name"
title = { zh = "$title", en = "$title" }
core = ">=$version,<$next_version"
routes = ["/$name"]

[permissions."$name.view"]
title = { zh = "查看$title", en = "See $title" }
roles = ["owner", "manager"]
""",
    "dianku_$name/plugin.py": '''\
"""The plugin's hooks: what it registers, and nothing that runs by itself."""

from __future__ import annotations

from collections.abc import Iterable

from dianku.api import Route, Shop, hookimpl


@hookimpl
def register_routes(shop: Shop) -> Iterable[Route]:
    """What the plugin answers over HTTP."""
    from dianku_$name.routes import routes

    return routes(shop)
''',
    "dianku_$name/routes.py": '''\
"""What the plugin answers over HTTP, under `/api/v1/$name`."""

from __future__ import annotations

from dianku.api import Answer, Call, Route, Shop


class StoreName(Answer):
    """A store and what it is called."""

    code: str
    name: str


def routes(shop: Shop) -> list[Route]:
    """Make the routes over one shop."""

    def stores(call: Call) -> list[StoreName]:
        found = shop.catalog.list_stores(ctx=call.ctx)
        return [StoreName(code=store.code, name=store.name) for store in found]

    return [
        Route(
            "GET", "/$name", stores, "$name.view", "List the stores", answer=list[StoreName]
        )
    ]
''',
    "tests/test_conformance.py": '''\
"""The promises every plugin keeps, inherited from the test kit."""

from __future__ import annotations

from dianku.testing.conformance import PluginConformance


class TestConformance(PluginConformance):
    plugin = "$name"
''',
}
"""Path of each file to its text, with the placeholders they share."""


def files_of(name: str, *, core_version: str) -> dict[str, str]:
    """Path and text of every file of a new plugin; `core_version` is the core it is begun for."""
    major, minor = core_version.split(".")[:2]
    words = {
        "name": name,
        "dashed": name.replace("_", "-"),
        "title": name.replace("_", " ").capitalize(),
        "version": f"{major}.{minor}",
        "next_version": f"{major}.{int(minor) + 1}",
    }
    return {
        Template(path).substitute(words): Template(text).substitute(words)
        for path, text in FILES.items()
    }


def write_skeleton(name: str, *, into: Path, core_version: str) -> Path:
    """Write a new plugin into a folder of its own, `dianku-NAME`, and return that folder.

    Raises:
        FileExistsError: There is something of that name; nothing is written over.
    """
    folder = into / f"dianku-{name.replace('_', '-')}"
    folder.mkdir(parents=True)
    for path, text in files_of(name, core_version=core_version).items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder
