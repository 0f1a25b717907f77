"""A lock on a file has one holder, also where the file goes with the one who lets it go."""

from __future__ import annotations

from pathlib import Path

import pytest

from dianku.storage import file_lock
from dianku.storage.file_lock import FileLock


def test_lock_let_go_between_opening_and_locking_has_one_holder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "import-1"
    first, second, third = (FileLock(path, passing=True) for _ in range(3))
    assert first.hold()
    lock = file_lock._lock
    met: list[int] = []

    def locking(file: int) -> None:
        if not met:  # the second has opened the file; now the first lets go and the third comes
            met.append(file)
            first.release()
            assert third.hold()
        lock(file)

    monkeypatch.setattr(file_lock, "_lock", locking)
    assert not second.hold()
    third.release()
    assert second.hold()
    assert path.exists()
    second.release()
    assert not path.exists()
