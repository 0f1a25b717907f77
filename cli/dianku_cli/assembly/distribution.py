"""The files that are made of a manifest: an edition's distribution, and its one-line install."""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote

from dianku.declared import EDITION_FILE, EDITION_GROUP
from dianku_cli.assembly.manifests import ManifestFile, Plan, version_of

NOTE = "Made from edition.toml by editions/compile.py; change that, then run it."

PYPROJECT = """\
# {note}
[project]
name = "{distribution}"
version = "{version}"
description = "Dianku, edition {title}: what it needs, at versions that were tested together"
license = "Apache-2.0"
requires-python = ">=3.11"
dependencies = [
{pins}
]

[project.entry-points."{group}"]
{name} = "{package}"

[build-system]
requires = ["uv_build>=0.9,<1"]
build-backend = "uv_build"

[tool.uv.build-backend]
module-name = "{package}"
module-root = ""
"""
PACKAGE = '''\
"""Dianku, edition {title}: its manifest is beside this file.

{note}
"""
'''


def distribution_files(plan: Plan) -> dict[str, str]:
    """The text of every file of an edition's distribution, by its path in the folder."""
    manifest = plan.manifest
    pinned = [(one.name, one.version) for one in plan.folders]
    pinned += [(base.distribution, version_of(base, plan.root)) for base in plan.lineage[:-1]]
    words = {
        "name": plan.name,
        "distribution": manifest.distribution,
        "package": f"dianku_{plan.name}",
        "version": plan.version,
        "title": _quotable(manifest.said.title.en),
        "note": NOTE,
        "group": EDITION_GROUP,
        "pins": "\n".join(f'    "{name}=={version}",' for name, version in pinned),
    }
    return {
        "pyproject.toml": PYPROJECT.format(**words),
        f"dianku_{plan.name}/__init__.py": PACKAGE.format(**words),
        f"dianku_{plan.name}/{EDITION_FILE}": manifest.path.read_text(encoding="utf-8"),
    }


def install_file(plan: Plan) -> Path:
    """Where an edition's one-line install lies: `editions/NAME.txt`, or beside another's."""
    folder = plan.manifest.path.parent
    return (folder.parent if _is_ours(plan.manifest, plan.root) else folder) / f"{plan.name}.txt"


def install_text(plan: Plan) -> str:
    """The one-line install with its whole closure of local folders.

    pip reads `-c` from the file's place and `-e` from where it is run, the repository's root.
    """
    file = install_file(plan)
    manifest = _relative(plan.manifest.path, file.parent)
    editions = [one.path.parent for one in plan.lineage]
    lines = [
        f"# {NOTE.replace('edition.toml', manifest)}",
        "# At the root of the repository, in any fresh virtual environment:",
        f"#     pip install -r {quote(_relative(file, plan.root))}",
        *(f"-c {quote(_relative(path, file.parent))}" for path in plan.constraints),
        *(
            f"-e {quote(f'./{_relative(folder, plan.root)}')}"
            for folder in [*(one.path for one in plan.folders), *editions]
        ),
    ]
    return "\n".join(lines) + "\n"


def made_files(plan: Plan) -> dict[Path, str]:
    """Every file that is made of an edition's manifest, where it lies in the sources."""
    folder = plan.manifest.path.parent
    made = {folder / name: text for name, text in distribution_files(plan).items()}
    return made | {install_file(plan): install_text(plan)}


def _quotable(text: str) -> str:
    """A text as it stands between the quotes of TOML and of Python, on one line."""
    line = "".join(sign for sign in " ".join(text.split()) if sign.isprintable())
    return line.replace("\\", "\\\\").replace('"', '\\"')


def _is_ours(manifest: ManifestFile, root: Path) -> bool:
    return manifest.path.resolve().parent.parent == (root / "editions").resolve()


def _relative(path: Path, base: Path) -> str:
    return Path(os.path.relpath(path.resolve(), base.resolve())).as_posix()
