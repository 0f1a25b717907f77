"""What a host is started with: where the data is, which plugins, how strict."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from attrs import field, frozen

from dianku.clock import Clock, SystemClock

DATABASE_FILE = "dianku.sqlite3"
ANY_4, ANY_6 = "0.0.0.0", "::"  # noqa: S104 - every address, where somebody asked for it
FOLDER_MODE = 0o750
"""Of the data folder when it is made: the books are for the shop's account and its group alone."""


@frozen(kw_only=True)
class Https:
    """That a shop is served over HTTPS with certificates of its own authority, and where.

    Attributes:
        host: The address that is listened on.
        port: The port of HTTPS.
        plain_port: The port beside it that leads phones to trust the authority, without HTTPS.
        names: Names and addresses of the machine that it does not know by itself.
    """

    host: str
    port: int
    plain_port: int
    names: tuple[str, ...] = ()

    @property
    def everywhere(self) -> bool:
        """Whether every address of the machine is listened on."""
        return self.host in {ANY_4, ANY_6}


@frozen(kw_only=True)
class HostConfig:
    """The choices of one run, all of them; nothing else is read from the surroundings.

    Attributes:
        data_dir: Folder of the embedded database, uploads and backups.
        database_url: `sqlite:///...` or `postgresql://...`; empty means the file in `data_dir`.
        clock: What tells the time.
        strict: Every degrade of a plugin is an error (`DIANKU_STRICT=1`, on in tests).
        plugins: False loads no plugin at all (`--no-plugins`).
        edition: Name of the edition to run as; None takes the highest installed.
        plugin_files: Single-file plugins to load besides (`serve --plugin FILE`).
        plugin_start_seconds: How long the start waits for one plugin's import, or one of its hooks.
        background: False runs neither jobs nor notifications (`serve --no-background`).
        https: Where it is served over HTTPS; None where it is not.
        practice: That it is a throw-away shop; its pages say so.
        alone: That no other process answers for the same shop on this machine.
    """

    data_dir: Path
    database_url: str = ""
    clock: Clock = field(factory=SystemClock)
    strict: bool = False
    plugins: bool = True
    edition: str | None = None
    plugin_files: tuple[Path, ...] = ()
    plugin_start_seconds: float = 30.0
    background: bool = True
    https: Https | None = None
    practice: bool = False
    alone: bool = True

    def make_folder(self) -> None:
        """Make the data folder where there is none; one that is there stays as it is."""
        self.data_dir.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        """The database's address with the default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir / DATABASE_FILE}"


def strict_from(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether `DIANKU_STRICT` is set to anything but nothing, 0 or false."""
    return environment.get("DIANKU_STRICT", "").lower() not in {"", "0", "false", "no"}
