"""The edition an upgrade leads to: its wheels, out of a bundle or from the index.

A bundle was checked byte by byte when it was opened. What comes from the index gets the same
papers here, so that the rest of an upgrade need not know where anything came from.
"""

from __future__ import annotations

import os
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import gettempdir

from msgspec import Struct

from dianku.declared import (
    EDITION_FILE,
    DeclarationError,
    declaration_text,
    decode_declaration,
)
from dianku_cli.assembly.bundle import (
    FACTS_FILE,
    REQUIREMENTS_FILE,
    SUFFIX,
    SUMS_FILE,
    WHEELS,
    open_bundle,
    sha256_of,
)
from dianku_cli.environment.packages import Wheel, WheelError, normal, read_wheel
from dianku_cli.environment.pip import PipRefused
from dianku_cli.environment.programs import ProgramFailed, ProgramHung, plain_environ, run
from dianku_cli.failures import Failed
from dianku_cli.texts import say

CORE = "dianku-core"
_PAPERS = (FACTS_FILE, REQUIREMENTS_FILE, "sbom.cdx.json")
_REVISION = re.compile(r"^revision = [\"']([^\"']+)[\"']", re.MULTILINE)
INDEX_S = 600
"""How long the index may be silent."""


class EditionSaid(Struct, frozen=True):
    """What of an `edition.toml` an upgrade goes by; it may be of a newer kind and say more."""

    name: str
    extends: str | None = None
    required: Sequence[str] = ()


class Candidate:
    """What an installation could become.

    Attributes:
        edition: The edition's name.
        folder: Where its wheels and papers lie.
        wheels: Its wheels, those of others too.
    """

    def __init__(self, edition: str, folder: Path, *, language: str) -> None:
        self.edition = edition
        self.folder = folder
        self._language = language
        paths = sorted((folder / WHEELS).glob("*.whl"))
        self.wheels = [_read_wheel_of(folder, path, language=language) for path in paths]
        if edition not in self.editions:
            raise Failed(say("no_such_edition_in", language, name=edition, source=folder.name))
        if CORE not in self.distributions:
            raise Failed(say("no_core_in", language, core=CORE, source=folder.name))

    @cached_property
    def distributions(self) -> Mapping[str, str]:
        """Versions by normal name."""
        return {wheel.name: wheel.version for wheel in self.wheels}

    @cached_property
    def version(self) -> str:
        """The version of the edition."""
        return self.distributions[normal(f"dianku-{self.edition}")]

    @cached_property
    def plugins(self) -> Sequence[str]:
        """The plugins that come with it."""
        return sorted({name for wheel in self.wheels for name in wheel.plugins})

    @cached_property
    def editions(self) -> Mapping[str, EditionSaid]:
        """The manifests in it: the edition's own and those it extends."""
        found = {}
        for wheel in self.wheels:
            for member in wheel.members if wheel.editions else ():
                if member.endswith(f"/{EDITION_FILE}"):
                    said = _read_edition_of(wheel, member, language=self._language)
                    found[said.name] = said
        return found

    @cached_property
    def required(self) -> Sequence[str]:
        """The plugins without which its shop does not start."""
        found: dict[str, None] = {}
        name: str | None = self.edition
        while name is not None and name in self.editions:
            found |= dict.fromkeys(self.editions[name].required)
            name = self.editions[name].extends
        return sorted(found)

    @cached_property
    def revisions(self) -> frozenset[str]:
        """The revisions of the kernel's tables that it knows."""
        [core] = [wheel for wheel in self.wheels if wheel.name == CORE]
        texts = (_read(core, m) for m in core.members if "/storage/revisions/" in m)
        return frozenset(r for text in texts for r in _REVISION.findall(text))

    @property
    def requirements(self) -> Path:
        """Exact versions of all its wheels, with their hashes."""
        return self.folder / REQUIREMENTS_FILE

    @property
    def sums(self) -> bytes:
        """What tells it from any other candidate."""
        return (self.folder / SUMS_FILE).read_bytes()

    @property
    def papers(self) -> Sequence[Path]:
        """What is kept of it in the version made of it."""
        return [path for path in (self.folder / name for name in _PAPERS) if path.is_file()]

    @cached_property
    def bytes_installed(self) -> int:
        """About how much room it takes once installed, with what Python compiles."""
        return 2 * sum(_unpacked_bytes(wheel.path) for wheel in self.wheels)


@contextmanager
def candidate_for(wish: str, *, source: Path | None, language: str) -> Iterator[Candidate]:
    """What upgrading to `wish` would bring: a name, with `source` the bundle it is in.

    A wish that is a path is the bundle itself.

    Raises:
        Failed: it cannot be had.
        AssemblyError: the bundle is no sound one, or for another Python or machine.
    """
    if source is None and (os.sep in wish or wish.endswith(SUFFIX)):
        source, wish = Path(wish), ""
    if source is not None and not source.exists():
        raise Failed(say("bundle_not_there", language, path=source))
    from dianku.operations import working_folder

    # What an upgrade left there that was killed goes with the next.
    with working_folder(Path(gettempdir()), "bundle") as folder:
        if source is None:
            yield _from_index(wish, folder, language=language)
            return
        bundle = open_bundle(source, into=folder)
        if wish and bundle.edition != wish:
            words = {"source": source, "there": bundle.edition, "name": wish}
            raise Failed(say("bundle_of_another_edition", language, **words))
        yield Candidate(bundle.edition, bundle.folder, language=language)


def _from_index(name: str, folder: Path, *, language: str) -> Candidate:
    """Have pip bring an edition with all it needs, as it is set up here."""
    wishes = [f"dianku-{name.replace('_', '-')}", f"{CORE}[postgres]"]
    pip = [sys.executable, "-P", "-m", "pip", "--disable-pip-version-check", "--no-input"]
    words = [*pip, "wheel", "--quiet", "--wheel-dir", str(folder / WHEELS), *wishes]
    try:
        run(words, folder=folder, patience_s=INDEX_S, environ=plain_environ())
    except (ProgramFailed, ProgramHung) as error:
        raise Failed(say("edition_not_had", language, name=name, reason=error)) from error
    wheels = sorted((folder / WHEELS).glob("*.whl"))
    try:
        held = [(read_wheel(path), sha256_of(path)) for path in wheels]
    except WheelError as error:
        raise Failed(say("edition_not_had", language, name=name, reason=error)) from error
    lines = [f"{one.name}=={one.version} --hash=sha256:{digest}\n" for one, digest in held]
    (folder / REQUIREMENTS_FILE).write_text("".join(lines), encoding="utf-8")
    sums = [f"{digest}  {WHEELS}/{one.path.name}\n" for one, digest in held]
    (folder / SUMS_FILE).write_text("".join(sums), encoding="utf-8")
    return Candidate(name, folder, language=language)


def install(candidate: Candidate, into: Path) -> None:
    """Put a candidate into a new virtual environment, from its own wheels and nothing else.

    Raises:
        PipRefused: it cannot be, or its distributions do not fit each other.
    """
    base = getattr(sys, "_base_executable", sys.executable)
    _patient([base, "-m", "venv", str(into)], folder=candidate.folder)
    # The requirements name every wheel there is, so there is nothing to be resolved.
    pip_in(
        into,
        "install",
        *("--no-deps", "--no-index", "--find-links", str(candidate.folder / WHEELS)),
        *("--require-hashes", "--requirement", str(candidate.requirements)),
    )
    pip_in(into, "check")


def pip_in(version: Path, *words: str) -> None:
    """Run the pip of a version, as nobody has set it up. Raises `PipRefused`."""
    usual = ("--isolated", "--disable-pip-version-check", "--no-input", "--no-cache-dir")
    quiet = ("--root-user-action", "ignore", "--quiet") if words[0] == "install" else ()
    python = str(version / "bin" / "python")
    _patient([python, "-I", "-m", "pip", *usual, *words, *quiet], folder=version)


def _patient(words: Sequence[str], *, folder: Path) -> None:
    environ = plain_environ() | {"PIP_CONFIG_FILE": os.devnull}
    try:
        run(words, folder=folder, patience_s=INDEX_S, environ=environ)
    except (ProgramFailed, ProgramHung) as error:
        raise PipRefused(str(error)) from error


def _read_wheel_of(folder: Path, path: Path, *, language: str) -> Wheel:
    try:
        return read_wheel(path)
    except WheelError as error:
        name = f"{folder.name}/{WHEELS}/{path.name}"
        raise Failed(say("no_wheel", language, file=name, reason=error)) from error


def _read_edition_of(wheel: Wheel, member: str, *, language: str) -> EditionSaid:
    where = f"{WHEELS}/{wheel.path.name}/{member}"
    try:
        text = declaration_text(_content(wheel, member), where=where)
        return decode_declaration(text, EditionSaid, where=where)
    except DeclarationError as error:
        raise Failed(say("edition_wrong_in", language, reason=error)) from error


def _read(wheel: Wheel, member: str) -> str:
    return _content(wheel, member).decode("utf-8", errors="replace")


def _content(wheel: Wheel, member: str) -> bytes:
    with zipfile.ZipFile(wheel.path) as archive:
        return archive.read(member)


def _unpacked_bytes(path: Path) -> int:
    with zipfile.ZipFile(path) as archive:
        return sum(member.file_size for member in archive.infolist())
