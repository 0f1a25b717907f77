"""The data folder's side of an upgrade: the backup, the room for trials, and whose it all is.

Whoever upgrades may be root, since the programs are root's; the shop's data is not. What is made
among it is handed to the account that owns it, and a new version is tried with its rights alone.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dianku_cli.environment.programs import Account
from dianku_cli.output import progress
from dianku_cli.settings import Settings
from dianku_cli.shop import acting
from dianku_cli.texts import say

if TYPE_CHECKING:
    from dianku.host import Host

BACKUPS = "backups"
TRIAL = "upgrade-trial"
_ROOT = 0


def owner_of(data: Path) -> Account | None:
    """The account the data belongs to, where it is root who upgrades and another's data."""
    if os.geteuid() != _ROOT or data.stat().st_uid == _ROOT:
        return None
    return Account(data.stat().st_uid, data.stat().st_gid)


def back_up(host: Host, name: str, *, settings: Settings) -> Path:
    """Write the backup to go back to; what an earlier one left that was cut off is removed."""
    from dianku import operations

    data = settings.data_dir.resolve()
    folder = data / BACKUPS
    folder.mkdir(mode=0o700, exist_ok=True)
    for part in folder.glob(f".{_file('*', '*')}.*.partial"):
        part.unlink(missing_ok=True)
    now = datetime.fromtimestamp(host.clock.now_ms() / 1000, UTC)
    file = folder / _file(name, now.strftime("%Y%m%d-%H%M%S"))
    with progress(say("backing_up", settings.language)) as advance:
        operations.backup(host, file, ctx=acting(host, settings), progress=advance)
    file.chmod(0o600)
    hand_over(data)
    return file


def _file(name: str, moment: str) -> str:
    return f"before-{name}-{moment}.backup"


@contextmanager
def trial_folder(data: Path) -> Iterator[Path]:
    """An empty folder for a copy of the shop, beside it; it goes with the block."""
    folder = data.resolve() / TRIAL
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    hand_over(data)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def hand_over(data: Path) -> None:
    """Give what root made in the data folder, and in its backups, to the folder's owner."""
    owner = owner_of(data)
    if owner is None:
        return
    for path in (*data.iterdir(), *(data / BACKUPS).glob("*")):
        if path.lstat().st_uid == _ROOT:
            os.chown(path, owner.user, owner.group, follow_symlinks=False)
