"""A passing copy of a shop goes with its process, or with the next one that needs such a folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from dianku.storage.working_folder import working_folder


def pid_of_the_dead() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_copy_that_a_killed_process_left_goes_with_the_next_of_its_name(tmp_path: Path) -> None:
    dead = pid_of_the_dead()
    (tmp_path / f"dianku-backup-{dead}-x" / "database").mkdir(parents=True)
    (tmp_path / f"dianku-restore-{dead}-x").mkdir()
    with working_folder(tmp_path, "backup") as mine, working_folder(tmp_path, "backup") as other:
        assert mine != other
        there = sorted(path.name for path in tmp_path.iterdir())
        assert there == sorted([mine.name, other.name, f"dianku-restore-{dead}-x"])
    assert [path.name for path in tmp_path.iterdir()] == [f"dianku-restore-{dead}-x"]
