"""Make everything an edition consists of out of its manifest, `editions/<name>/edition.toml`.

Made are the distribution `dianku-<name>` (its pins and its package with the entry point) and the
one-line install `editions/<name>.txt` with the closure of local folders. `--check` says what is
stale instead, `--constraints` notes the versions installed in the environment it runs in (see the
environment `lock` in tox.ini). Nothing here is part of a running shop.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NOTE = "Made from edition.toml by editions/compile.py; change that, then run it."

PYPROJECT = """\
# {note}
[project]
name = "dianku-{name}"
version = "{version}"
description = "Dianku, edition {title}: what it needs, at versions that were tested together"
license = "Apache-2.0"
requires-python = ">=3.11"
dependencies = [
{pins}
]

[project.entry-points."dianku.editions"]
{name} = "dianku_{name}"

[build-system]
requires = ["uv_build>=0.9,<1"]
build-backend = "uv_build"

[tool.uv.build-backend]
module-name = "dianku_{name}"
module-root = ""
"""
PACKAGE = '''\
"""Dianku, edition {title}: its manifest is beside this file.

{note}
"""
'''


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def manifests() -> dict[str, dict[str, Any]]:
    """Each edition's manifest by name, as it is written."""
    found = [_toml(path) for path in sorted((ROOT / "editions").glob("*/edition.toml"))]
    return {manifest["name"]: manifest for manifest in found}


def plugins_of(name: str, known: dict[str, dict[str, Any]]) -> list[str]:
    """The plugins of an edition and of what it extends, those of the simpler edition first."""
    manifest = known[name]
    before = plugins_of(manifest["extends"], known) if "extends" in manifest else []
    own = [*manifest.get("required", ()), *manifest.get("optional", ())]
    return [*before, *(plugin for plugin in own if plugin not in before)]


def folders_of(name: str, known: dict[str, dict[str, Any]]) -> list[str]:
    """The local folders an edition is installed from, each after those that it needs."""
    base = known[name].get("extends")
    editions = [*([base] if base else []), name]
    plugins = [f"plugins/{plugin}" for plugin in plugins_of(name, known)]
    return ["core", "cli", *plugins, *(f"editions/{edition}" for edition in editions)]


def texts(name: str, known: dict[str, dict[str, Any]]) -> dict[Path, str]:
    """All files that are made for an edition."""
    manifest, folders = known[name], folders_of(name, known)
    projects = [_toml(ROOT / folder / "pyproject.toml")["project"] for folder in folders[:-1]]
    pins = "\n".join(f'    "{project["name"]}=={project["version"]}",' for project in projects)
    words = {"name": name, "title": manifest["title"]["en"], "note": NOTE, "pins": pins}
    here = ROOT / "editions" / name
    package = here / f"dianku_{name}"
    lines = [
        f"# {NOTE.replace('edition.toml', f'{name}/edition.toml')}",
        "# At the root of the repository, in any fresh virtual environment:",
        f"#     pip install -r editions/{name}.txt",
        "-c constraints.txt",
        *(f"-e ./{folder}" for folder in folders),
    ]
    return {
        here / "pyproject.toml": PYPROJECT.format(version=projects[0]["version"], **words),
        package / "__init__.py": PACKAGE.format(**words),
        package / "edition.toml": (here / "edition.toml").read_text(encoding="utf-8"),
        ROOT / "editions" / f"{name}.txt": "\n".join(lines) + "\n",
    }


def stale() -> list[Path]:
    """The made files that are not what their manifests make."""
    known = manifests()
    wanted = {path: text for name in known for path, text in texts(name, known).items()}
    return [
        path
        for path, text in wanted.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def write() -> None:
    """Make every edition's files."""
    known = manifests()
    for name in known:
        for path, text in texts(name, known).items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def write_constraints() -> None:
    """Note the versions in this environment: run by `tox -r -e lock`, which makes a fresh one."""
    command = [sys.executable, "-m", "pip", "freeze", "--exclude-editable"]
    frozen = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    head = "# All versions that were tested together. Made by: tox -r -e lock\n"
    (ROOT / "editions" / "constraints.txt").write_text(head + frozen, encoding="utf-8")


def main() -> int:
    """Do what the options say; 1 if something is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="say what is stale, write nothing")
    parser.add_argument("--constraints", action="store_true", help="note the installed versions")
    options = parser.parse_args()
    if options.constraints:
        write_constraints()
    elif options.check:
        for path in stale():
            print(f"{path.relative_to(ROOT)} is stale: run python editions/compile.py")  # noqa: T201
        return 1 if stale() else 0
    else:
        write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
