"""Build a bundle out of a manifest: wheels, hashes, bill of materials, installer, archive.

Everything is made in a temporary folder; the archive appears in its place whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import gettempdir

from dianku_cli.assembly.bundle import (
    REQUIREMENTS_FILE,
    WHEELS,
    BundleFacts,
    pack,
    platform_tag,
    python_tag,
    seal,
)
from dianku_cli.assembly.distribution import distribution_files
from dianku_cli.assembly.errors import AssemblyError
from dianku_cli.assembly.manifests import ManifestFile, Plan, plan_edition
from dianku_cli.assembly.sources import Folder, commit_of
from dianku_cli.assembly.wheels import (
    Wheel,
    build_copied,
    build_wheel,
    check_pinned,
    check_tools,
    fetch_wheels,
)

EXTRAS = {"dianku-core": ("postgres",), "psycopg": ("binary",)}
"""What goes along beside the bare requirements, so that a shop on PostgreSQL needs no network."""

MATERIALS_FILE = "sbom.cdx.json"
FILES = Path("cli", "dianku_cli", "assembly", "files")
"""Installer and papers as the sources have them, which need not be those that this runs from."""
_FILES = (
    "Dockerfile",
    "README.txt",
    "dianku.service",
    "dianku.sh",
    "install.sh",
    "uninstall.sh",
)
Said = Callable[[str], None]


def build_edition(
    wanted: str, root: Path, *, into: Path, wheels: Path | None = None, said: Said | None = None
) -> Path:
    """Build the bundle of an edition for this Python and this machine; returns the archive.

    `wanted` is the edition's name or the path of its manifest, `root` the repository with the
    kernel and our editions, `wheels` a folder to take the wheels of others from instead of the
    index; `said` is told what is being built: each distribution, then the bundle.

    Raises:
        AssemblyError: with nothing written into `into`.
    """
    tell = said or (lambda _name: None)
    plan = plan_edition(wanted, root)
    from dianku.operations import working_folder

    try:
        from dianku_cli.assembly.materials import bill_of_materials
    except ImportError as error:
        raise AssemblyError("build_extra_missing", module=error.name) from error
    check_tools(plan.folders, plan.constraints)
    commit = commit_of(root, _parts(plan))
    facts = BundleFacts(
        edition=plan.name,
        version=plan.version,
        python=python_tag(),
        platform=platform_tag(),
        commit=commit.text,
    )
    # What a build left there that was killed goes with the next.
    with working_folder(Path(gettempdir()), "build") as work:
        own = build_own(plan, work, time=commit.time, said=tell)
        others = _others(plan, own, work, wheels)
        folder = work / facts.name
        placed = _place([*own, *others], folder / WHEELS)
        edition = next(one for one in placed if one.key == own[-1].key)
        bill = bill_of_materials(edition, placed, extras=EXTRAS, time=commit.time)
        _write(folder / MATERIALS_FILE, bill)
        _write(folder / REQUIREMENTS_FILE, requirements_text(placed))
        for file in _FILES:
            _write(folder / file, _filled(root / FILES / file, facts))
        seal(folder, facts)
        into.mkdir(parents=True, exist_ok=True)
        tell(facts.name)
        return pack(folder, into, time=commit.time)


def build_own(plan: Plan, work: Path, *, time: int, said: Said) -> list[Wheel]:
    """Build the wheels of an edition's own distributions, the edition's last, in a folder."""
    into = work / "own"
    into.mkdir()
    built = []
    for folder in plan.folders:
        said(folder.name)
        copy = work / f"source-{folder.name}"
        built.append(build_wheel(folder, into, work=copy, time=time))
    editions = (_edition_wheel(one, plan, work, time=time, said=said) for one in plan.lineage)
    return [*built, *editions]


def requirements_text(wheels: list[Wheel]) -> str:
    """Exact versions with their hashes, for `pip install --require-hashes`."""
    return "".join(f"{one.name}=={one.version} --hash=sha256:{one.sha256}\n" for one in wheels)


def _edition_wheel(
    manifest: ManifestFile, plan: Plan, work: Path, *, time: int, said: Said
) -> Wheel:
    """The distribution of an edition is made of its manifest here, whatever lies beside it."""
    one = plan_edition(str(manifest.path), plan.root) if manifest is not plan.manifest else plan
    copy = work / f"edition-{one.name}"
    for name, text in distribution_files(one).items():
        _write(copy / name, text)
    folder = Folder(copy)
    said(folder.name)
    return build_copied(folder, work / "own", work=copy, time=time)


def _others(plan: Plan, own: list[Wheel], work: Path, source: Path | None) -> list[Wheel]:
    into = work / "fetched"
    into.mkdir()
    ours = {one.key for one in own}
    named = [f"{one.path}{_extras(one)}" for one in own]
    fetched = fetch_wheels(named, into, constraints=plan.constraints, source=source)
    others = [one for one in fetched if one.key not in ours]
    check_pinned(others, plan.constraints)
    return others


def _extras(wheel: Wheel) -> str:
    wanted = EXTRAS.get(wheel.key, ())
    return f"[{','.join(wanted)}]" if wanted else ""


def _place(wheels: list[Wheel], into: Path) -> list[Wheel]:
    into.mkdir(parents=True)
    placed = [Wheel(one.path.rename(into / one.path.name)) for one in wheels]
    return sorted(placed, key=lambda one: one.key)


def _parts(plan: Plan) -> list[Path]:
    """The folders and files that a bundle is made of."""
    folders = [folder.path for folder in plan.folders]
    return [*folders, *(one.path for one in plan.lineage), *plan.constraints]


def _filled(file: Path, facts: BundleFacts) -> str:
    text = file.read_text(encoding="utf-8")
    words = {
        "EDITION": facts.edition,
        "VERSION": facts.version,
        "PYTHON": facts.python,
        "PLATFORM": facts.platform,
        "COMMIT": facts.commit or "-",
        "DOTTED": f"3.{facts.python.removeprefix('cp3')}",
    }
    for word, meant in words.items():
        text = text.replace(f"@{word}@", meant)
    return text


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
