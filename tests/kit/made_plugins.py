"""Plugins made up by tests as an outsider would: a folder with `pyproject.toml`, and its wheel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import frozen
from installed import build_wheel

PROJECT = """\
[project]
name = "{distribution}"
version = "{version}"
dependencies = [{requires}]

[project.entry-points."dianku.plugins"]
{name} = "{package}.plugin"

[build-system]
requires = ["uv_build>=0.9,<1"]
build-backend = "uv_build"

[tool.uv.build-backend]
module-name = "{package}"
module-root = ""
"""
MANIFEST = """\
name = "{name}"
title = {{ zh = "{name}", en = "{name}" }}
core = ">=0.1,<0.2"
"""
REVISION = """\
import sqlalchemy as sa
from alembic import op

revision = "{number}"
down_revision = {before}


def upgrade():
    {step}
"""


@frozen(kw_only=True)
class MadePlugin:
    """One plugin's sources, to be written into a folder.

    Attributes:
        code: Its module, `plugin.py`.
        manifest: What its manifest says besides name, title and core; `core = ` may be said anew.
        steps: The bodies of its revisions, in order.
        files: Other files of the package, by their path in it.
    """

    name: str
    version: str = "1.0"
    distribution: str = ""
    code: str = ""
    manifest: str = ""
    requires: Sequence[str] = ("dianku-core>=0.1,<0.2",)
    steps: Sequence[str] = ()
    files: Mapping[str, str] = {}

    @property
    def package(self) -> str:
        """Its import package."""
        return f"dianku_{self.name}"

    def folder(self, into: Path) -> Path:
        """Write the sources; the folder with `pyproject.toml`."""
        source = into / f"{self.name}-{self.version}"
        package = source / self.package
        package.mkdir(parents=True)
        distribution = self.distribution or f"dianku-{self.name.replace('_', '-')}"
        words = {"name": self.name, "version": self.version, "package": self.package}
        quoted = ", ".join(f'"{one}"' for one in self.requires)
        (source / "pyproject.toml").write_text(
            PROJECT.format(distribution=distribution, requires=quoted, **words)
        )
        base = MANIFEST.format(name=self.name)
        if "core = " in self.manifest:
            base = base.replace('core = ">=0.1,<0.2"\n', "")
        (package / "plugin.toml").write_text(base + self.manifest)
        (package / "__init__.py").write_text("")
        (package / "plugin.py").write_text(self.code)
        for number, step in enumerate(self.steps, start=1):
            revision = package / "migrations" / f"{number:04}_step.py"
            revision.parent.mkdir(exist_ok=True)
            before = repr(f"{number - 1:04}") if number > 1 else None
            revision.write_text(REVISION.format(number=f"{number:04}", before=before, step=step))
        for path, text in self.files.items():
            (source / path).parent.mkdir(parents=True, exist_ok=True)
            (source / path).write_text(text)
        return source

    def wheel(self, into: Path) -> Path:
        """Build it; the wheel."""
        return build_wheel(self.folder(into / "sources"), into / "wheels")
