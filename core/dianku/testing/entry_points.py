"""Install plugins for a test: real folders and real entry points on a path of the test's own.

Nothing is faked: a distribution is a folder with `METADATA` and `entry_points.txt`, which is what
an installer leaves behind, and the host finds it as it finds any other.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MANIFEST = """\
name = "{name}"
title = {{ zh = "{name}", en = "{name}" }}
core = ">=0.1,<1"
{more}
"""


class Shelf:
    """A folder on `sys.path` that plugins are put on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def plugin(
        self,
        name: str,
        code: str = "",
        *,
        manifest: str | None = None,
        more: str = "",
        distribution: str | None = None,
        package: str | None = None,
    ) -> Path:
        """Put a plugin there; returns its package's folder.

        `manifest` replaces the whole `plugin.toml`, `more` adds lines to an ordinary one.
        """
        package = package or f"dianku_{name}"
        text = MANIFEST.format(name=name, more=more) if manifest is None else manifest
        home = self._package(package, {"__init__.py": code, "plugin.toml": text})
        self._distribution(distribution or f"dianku-{name}", "dianku.plugins", name, package)
        return home

    def edition(self, name: str, text: str) -> Path:
        """Put an edition there; `text` follows its name and title."""
        head = f'name = "{name}"\ntitle = {{ zh = "{name}", en = "{name}" }}\n'
        package = f"dianku_edition_{name}"
        home = self._package(package, {"__init__.py": "", "edition.toml": head + text})
        self._distribution(f"dianku-{name}-edition", "dianku.editions", name, package)
        return home

    def _package(self, package: str, files: dict[str, str]) -> Path:
        home = self.folder / package
        home.mkdir(exist_ok=True)
        for name, text in files.items():
            (home / name).write_text(text, encoding="utf-8")
        importlib.invalidate_caches()
        return home

    def _distribution(self, distribution: str, group: str, name: str, package: str) -> None:
        info = self.folder / f"{distribution.replace('-', '_')}-0.3.1.dist-info"
        info.mkdir()
        metadata = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 0.3.1\n"
        (info / "METADATA").write_text(metadata, encoding="utf-8")
        points = f"[{group}]\n{name} = {package}\n"
        (info / "entry_points.txt").write_text(points, encoding="utf-8")


@contextmanager
def shelf(folder: Path) -> Iterator[Shelf]:
    """A shelf for the length of a test; what was imported from it is forgotten afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    sys.path.insert(0, str(folder))
    try:
        yield Shelf(folder)
    finally:
        sys.path.remove(str(folder))
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if file is not None and Path(file).is_relative_to(folder):
                del sys.modules[name]
        importlib.invalidate_caches()
