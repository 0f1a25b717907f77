"""Where things lie in an installation made by `install.sh`, told by the interpreter's own folder.

    PREFIX/versions/<edition>-<version>/   a virtual environment each
    PREFIX/current                         a link to the one in use
    PREFIX/plugins/                        wheels somebody added, for every version to come
    PREFIX/dianku.env                      where data and database are
    PREFIX/bin/dianku                      the command

A plain virtual environment is no installation: nothing is kept beside it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

VERSIONS = "versions"
CURRENT = "current"


class Installation(NamedTuple):
    """One installation, and the version of it that is running or was asked for.

    Attributes:
        prefix: The folder it was installed into, such as `/opt/dianku`.
        version: The virtual environment, a folder in `versions`.
    """

    prefix: Path
    version: Path

    @classmethod
    def here(cls, environment: Path | None = None) -> Self | None:
        """The installation this interpreter (or the virtual environment given) is a version of.

        None for a plain virtual environment. The links on the way are followed: `current/bin`
        leads to the version behind it.
        """
        version = Path(sys.prefix if environment is None else environment).resolve()
        prefix = version.parent.parent
        if version.parent.name != VERSIONS or not (prefix / CURRENT).is_symlink():
            return None
        return cls(prefix, version)

    @property
    def versions(self) -> Path:
        """The folder of all versions."""
        return self.prefix / VERSIONS

    @property
    def current(self) -> Path:
        """The link to the version in use; it need not be this one."""
        return self.prefix / CURRENT

    @property
    def in_use(self) -> bool:
        """Whether this version is the one that `current` leads to."""
        return self.current.resolve() == self.version

    @property
    def plugins(self) -> Path:
        """The folder of added wheels; it comes with the first that is added."""
        return self.prefix / "plugins"

    @property
    def added_wheels(self) -> Sequence[Path]:
        """The wheels somebody added, by name: each new version gets them too."""
        return sorted(self.plugins.glob("*.whl"))

    @property
    def settings(self) -> Path:
        """`DIANKU_DATA=...` and `DIANKU_DATABASE=...`, one a line."""
        return self.prefix / "dianku.env"

    @property
    def command(self) -> Path:
        """What people run, whatever version is in use."""
        return self.prefix / "bin" / "dianku"
