"""A bundle: one archive with all that an edition needs where there is no network.

It holds one folder of its own name. Every file but `SHA256SUMS` is listed there with its hash, so
that one byte more, less or other is named before anything is installed; what the bundle is for is
in `bundle.toml`. The same folder packed twice gives the same bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import sys
import sysconfig
import tarfile
import tomllib
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import IO, Any, Self

from attrs import define, field, frozen

from dianku_cli.assembly.errors import AssemblyError

FACTS_FILE = "bundle.toml"
SUMS_FILE = "SHA256SUMS"
REQUIREMENTS_FILE = "requirements.txt"
WHEELS = "wheels"
SUFFIX = ".tar.gz"
_CHUNK = 1 << 20


@frozen(kw_only=True)
class BundleFacts:
    """What a bundle is for, as `bundle.toml` says it.

    Attributes:
        edition: Name of the edition, `basic`.
        version: Of the edition's distribution.
        python: Tag of the only Python it installs under, `cp311`.
        platform: Tag of the machine it is for, `linux_x86_64`.
        commit: Of the sources, with `+changed` where files differed from it; empty where unknown.
        files: Every file but `bundle.toml` and `SHA256SUMS`, relative, in the alphabet's order.
    """

    edition: str
    version: str
    python: str
    platform: str
    commit: str = ""
    files: Sequence[str] = ()

    @property
    def name(self) -> str:
        """The name of the bundle's folder; its archive bears it too."""
        return f"dianku-{self.edition}-{self.version}-{self.python}-{self.platform}"


@define
class Bundle:
    """A bundle whose every byte has been checked, for this Python and this machine.

    Out of an archive it lies in a temporary folder, which goes when the bundle is closed or
    forgotten.

    Attributes:
        folder: Where it lies, unpacked.
        wheels: Every wheel in it.
        requirements: What to hand to `pip install --no-index --find-links WHEELS
            --require-hashes -r`.
    """

    facts: BundleFacts
    folder: Path
    _unpacked: TemporaryDirectory[str] | None = field(default=None, alias="unpacked", repr=False)

    @property
    def edition(self) -> str:
        """The name of its edition."""
        return self.facts.edition

    @property
    def version(self) -> str:
        """The version of its edition."""
        return self.facts.version

    @property
    def wheels(self) -> list[Path]:
        """Its wheels, ours and those of others."""
        return sorted((self.folder / WHEELS).glob("*.whl"))

    @property
    def requirements(self) -> Path:
        """Its file of exact versions with their hashes."""
        return self.folder / REQUIREMENTS_FILE

    def close(self) -> None:
        """Remove what was unpacked for it."""
        if self._unpacked is not None:
            self._unpacked.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def python_tag() -> str:
    """The tag of the Python that runs this."""
    return f"cp{sys.version_info[0]}{sys.version_info[1]}"


def platform_tag() -> str:
    """The tag of this machine."""
    return sysconfig.get_platform().replace("-", "_").replace(".", "_")


def open_bundle(path: Path, *, into: Path | None = None) -> Bundle:
    """Open a bundle, an archive or its unpacked folder, and check it before anything is done.

    An archive is unpacked into the empty folder `into`, which is the caller's to remove, or into
    a temporary one.

    Raises:
        AssemblyError: it is no bundle, one of its files was altered, is missing or was added, or
            it is for another Python or machine; says which and what to do.
    """
    if path.is_dir():
        check_sums(path, named=path)
        return Bundle(_facts_for_here(path, named=path), path)
    if into is not None:
        folder = _unpack(path, into)
        return Bundle(_facts_for_here(folder, named=path), folder)
    unpacked = TemporaryDirectory(prefix="dianku-bundle-")
    try:
        folder = _unpack(path, Path(unpacked.name))
        return Bundle(_facts_for_here(folder, named=path), folder, unpacked)
    except BaseException:
        unpacked.cleanup()
        raise


def check_sums(folder: Path, *, named: Path) -> None:
    """Compare every file of an unpacked bundle with `SHA256SUMS`; `named` is said in the error.

    Raises:
        AssemblyError: with each file that differs, is missing or does not belong.
    """
    sums = _read_sums(folder, named)
    there = _files_of(folder)
    wrong = [f"{name}: is missing" for name in sorted(sums.keys() - there.keys())]
    for name, path in there.items():
        if name not in sums:
            wrong.append(f"{name}: does not belong to it")
        elif not path.is_file() or path.is_symlink():
            wrong.append(f"{name}: is no plain file")
        elif sha256_of(path) != sums[name]:
            wrong.append(f"{name}: was altered")
    if wrong:
        raise AssemblyError("bundle_altered", path=named, files="\n".join(sorted(wrong)))


def read_facts(folder: Path, *, named: Path) -> BundleFacts:
    """What `bundle.toml` says.

    Raises:
        AssemblyError: it cannot be read, or says too little.
    """
    try:
        written = tomllib.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
        facts = BundleFacts(**written)
    except (OSError, ValueError, TypeError) as error:
        raise AssemblyError("bundle_unreadable", path=named, reason=error) from error
    return facts


def _facts_for_here(folder: Path, *, named: Path) -> BundleFacts:
    facts = read_facts(folder, named=named)
    for wanted, here in ((facts.python, python_tag()), (facts.platform, platform_tag())):
        if wanted != here:
            raise AssemblyError("bundle_for_another", path=named, wanted=wanted, here=here)
    return facts


def seal(folder: Path, facts: BundleFacts) -> BundleFacts:
    """Write `bundle.toml` and `SHA256SUMS` beside the files of a bundle, which are all there."""
    others = (name for name in _files_of(folder) if name != FACTS_FILE)
    whole = BundleFacts(
        edition=facts.edition,
        version=facts.version,
        python=facts.python,
        platform=facts.platform,
        commit=facts.commit,
        files=tuple(others),
    )
    lines = [
        f'{key} = "{getattr(whole, key)}"'
        for key in ("edition", "version", "python", "platform", "commit")
    ]
    listed = "".join(f'    "{name}",\n' for name in whole.files)
    text = "\n".join([*lines, f"files = [\n{listed}]", ""])
    (folder / FACTS_FILE).write_text(text, encoding="utf-8", newline="\n")
    sums = "".join(f"{sha256_of(path)}  {name}\n" for name, path in _files_of(folder).items())
    (folder / SUMS_FILE).write_text(sums, encoding="utf-8", newline="\n")
    return whole


def pack(folder: Path, into: Path, *, time: int) -> Path:
    """Pack a sealed folder into the archive `into/NAME.tar.gz`.

    The bytes depend on names, contents and `time` (seconds since 1970) alone: not on who packs,
    when, or under which umask. Nothing is compressed a second time: wheels are compressed already,
    and so no version of the compressor makes a difference.
    """
    file = into / (folder.name + SUFFIX)
    part = file.with_name(file.name + ".part")
    try:
        _write_archive(folder, part, time=time)
        part.replace(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return file


def _write_archive(folder: Path, part: Path, *, time: int) -> None:
    with (
        part.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=0, fileobj=raw, mtime=time) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive,
    ):
        for name in [*_files_of(folder), SUMS_FILE]:
            path = folder / name
            with path.open("rb") as content:
                archive.addfile(_member(folder, name, path, time), content)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _member(folder: Path, name: str, path: Path, time: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(f"{folder.name}/{name}")
    member.size = path.stat().st_size
    member.mtime = time
    member.mode = 0o755 if name.endswith(".sh") else 0o644
    return member


def _files_of(folder: Path) -> dict[str, Path]:
    """Every file below but `SHA256SUMS`, by its relative name, in the alphabet's order."""
    found = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if not path.is_dir() or path.is_symlink()
    }
    found.pop(SUMS_FILE, None)
    return dict(sorted(found.items()))


def _read_sums(folder: Path, named: Path) -> Mapping[str, str]:
    try:
        text = (folder / SUMS_FILE).read_text(encoding="utf-8")
        pairs = [line.split("  ", 1) for line in text.splitlines()]
        return {name: digest for digest, name in pairs}
    except (OSError, ValueError) as error:
        reason = f"{SUMS_FILE}: {error}"
        raise AssemblyError("bundle_unreadable", path=named, reason=reason) from error


def _unpack(path: Path, into: Path) -> Path:
    """Unpack plain files of the one folder of an archive; anything else in it is refused."""
    try:
        with gzip.open(path) as stream:
            with tarfile.open(fileobj=stream, mode="r:") as archive:
                for member in archive:
                    _unpack_one(archive, member, into)
            folder = _one_folder(into)
            # Names the altered file, where the sum at the archive's end only knows of one.
            check_sums(folder, named=path)
            while stream.read(_CHUNK):
                pass
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise AssemblyError("bundle_unreadable", path=path, reason=error) from error
    return folder


def _one_folder(into: Path) -> Path:
    folders = list(into.iterdir())
    if len(folders) != 1 or not folders[0].is_dir():
        raise tarfile.TarError("it holds not one folder")
    return folders[0]


def _unpack_one(archive: tarfile.TarFile, member: tarfile.TarInfo, into: Path) -> None:
    parts = PurePosixPath(member.name).parts
    if member.isdir():
        return
    if not member.isfile() or ".." in parts or member.name.startswith("/") or len(parts) < 2:
        raise tarfile.TarError(f"{member.name!r} is no file of a bundle")
    content: IO[Any] | None = archive.extractfile(member)
    assert content is not None  # a plain file has content
    target = into.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        while chunk := content.read(_CHUNK):
            file.write(chunk)
    target.chmod(0o755 if member.mode & 0o100 else 0o644)
