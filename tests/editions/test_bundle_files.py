"""A bundle as a file: the same bytes whoever packs it, and no byte that goes unseen."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from dianku_cli.assembly.bundle import (
    BundleFacts,
    open_bundle,
    pack,
    platform_tag,
    python_tag,
    seal,
)
from dianku_cli.assembly.errors import AssemblyError

COMMITTED = 1_700_000_000
FACTS = BundleFacts(edition="corner", version="2.0", python=python_tag(), platform=platform_tag())


def make_folder(inside: Path, facts: BundleFacts = FACTS) -> Path:
    folder = inside / facts.name
    (folder / "wheels").mkdir(parents=True)
    (folder / "wheels" / "one-1.whl").write_bytes(bytes(range(256)))
    (folder / "requirements.txt").write_text("one==1\n", encoding="utf-8")
    (folder / "install.sh").write_text("exit\n", encoding="utf-8")
    seal(folder, facts)
    return folder


def told(path: Path) -> str:
    with pytest.raises(AssemblyError) as caught:
        open_bundle(path)
    return caught.value.worded("en")


def test_archive_opens_as_its_folder_does(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    archive = pack(folder, tmp_path, time=COMMITTED)
    assert archive.name == f"dianku-corner-2.0-{python_tag()}-{platform_tag()}.tar.gz"
    with open_bundle(archive) as bundle:
        assert (bundle.edition, bundle.version) == ("corner", "2.0")
        assert [path.name for path in bundle.wheels] == ["one-1.whl"]
        assert bundle.requirements.read_text(encoding="utf-8") == "one==1\n"
        unpacked = bundle.folder
    assert not unpacked.exists()
    assert open_bundle(folder).facts == bundle.facts


def test_archive_has_the_same_bytes_whoever_packs_it(tmp_path: Path) -> None:
    packed = []
    for mask, time in ((0o022, 1_000_000_000), (0o077, 1_600_000_000)):
        before = os.umask(mask)
        try:
            folder = make_folder(tmp_path / str(mask))
            for path in folder.rglob("*"):
                os.utime(path, (time, time))
            packed.append(pack(folder, folder.parent, time=COMMITTED).read_bytes())
        finally:
            os.umask(before)
    assert packed[0] == packed[1]
    assert int.from_bytes(packed[0][4:8], "little") == COMMITTED
    with tarfile.open(fileobj=io.BytesIO(packed[0])) as archive:
        told = {(one.mtime, one.uid, one.uname, one.mode) for one in archive}
    assert told == {(COMMITTED, 0, "", 0o644), (COMMITTED, 0, "", 0o755)}


def test_every_altered_byte_of_an_archive_is_seen(tmp_path: Path) -> None:
    archive = pack(make_folder(tmp_path), tmp_path, time=COMMITTED)
    whole = archive.read_bytes()
    header = 10  # of gzip, with the time: nothing that is installed
    for at in range(header, len(whole), 97):
        archive.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert str(archive) in told(archive)


def altered(folder: Path) -> None:
    path = folder / "wheels" / "one-1.whl"
    path.write_bytes(path.read_bytes().replace(b"a", b"b", 1))


def missing(folder: Path) -> None:
    (folder / "install.sh").unlink()


def added(folder: Path) -> None:
    (folder / "wheels" / "two-1.whl").write_bytes(b"")


def linked(folder: Path) -> None:
    shutil.copy(folder / "install.sh", folder.parent / "elsewhere")
    (folder / "install.sh").unlink()
    (folder / "install.sh").symlink_to(folder.parent / "elsewhere")


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (altered, "wheels/one-1.whl: was altered"),
        (missing, "install.sh: is missing"),
        (added, "wheels/two-1.whl: does not belong to it"),
        (linked, "install.sh: is no plain file"),
    ],
    ids=["altered", "missing", "added", "linked"],
)
def test_spoilt_folder_is_told_by_the_file(
    spoil: Callable[[Path], None], line: str, tmp_path: Path
) -> None:
    folder = make_folder(tmp_path)
    spoil(folder)
    said = told(folder)
    assert said.splitlines()[1:] == [line]
    assert said.startswith(f"{folder} is not as it was built; fetch it again")


@pytest.mark.parametrize("key", ["python", "platform"])
def test_bundle_for_another_machine_is_told(key: str, tmp_path: Path) -> None:
    words = {"edition": "corner", "version": "2.0", "python": python_tag()}
    facts = BundleFacts(**{**words, "platform": platform_tag(), key: "another"})
    assert "is for another and this is" in told(make_folder(tmp_path, facts))


def test_what_is_no_bundle_is_told(tmp_path: Path) -> None:
    path = tmp_path / "shop.tar.gz"
    path.write_bytes(zlib.compress(b"none"))
    assert told(path).startswith(f"{path} is no bundle that can be read")
    assert told(tmp_path / "nowhere").startswith(f"{tmp_path}/nowhere is no bundle")
    assert "SHA256SUMS" in told(tmp_path)


def test_archive_that_writes_elsewhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evil.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("dianku/../../evil"), io.BytesIO(b""))
    assert "'dianku/../../evil' is no file of a bundle" in told(path)
    assert not (tmp_path.parent / "evil").exists()


def test_archive_that_could_not_be_written_is_not_there_by_half(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "made")
    (tmp_path / "out").mkdir()
    (folder / "SHA256SUMS").unlink()  # the last that is packed
    with pytest.raises(FileNotFoundError):
        pack(folder, tmp_path / "out", time=COMMITTED)
    assert list((tmp_path / "out").iterdir()) == []
