"""What an edition consists of: its manifest, those it extends, and the folders of their plugins.

All that can be wrong is found here, before anything is written: the file, the line, and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from attrs import frozen

from dianku.declared import (
    EDITION_FILE,
    KERNEL_SECTIONS,
    PLUGIN_FILE,
    PLUGIN_GROUP,
    DeclarationError,
    EditionFile,
    Manifest,
    place,
    read_declaration,
    read_edition,
    read_manifest,
)
from dianku.errors import ConfigurationError
from dianku_cli.assembly.errors import AssemblyError
from dianku_cli.assembly.sources import Folder

KERNEL = ("core", "cli")
"""The folders that every edition has, each after those that it needs."""


@frozen
class ManifestFile:
    """One `edition.toml` and where it lies."""

    path: Path
    said: EditionFile

    @property
    def distribution(self) -> str:
        """The name of the edition's distribution."""
        return f"dianku-{self.said.name}"

    def line(self, key: str, value: str) -> str:
        """`file:line` of a value under a key."""
        return line_of(self.path, key, value)


@frozen
class PluginFolder:
    """A plugin's distribution and its manifest."""

    folder: Folder
    path: Path
    said: Manifest


@frozen(kw_only=True)
class Plan:
    """An edition with all it is made of.

    Attributes:
        root: The repository that the kernel is taken from.
        lineage: Its manifest and those it extends, the simplest edition first.
        plugins: Those of the whole lineage, each after those that it requires.
    """

    root: Path
    lineage: Sequence[ManifestFile]
    plugins: Sequence[PluginFolder]

    @property
    def manifest(self) -> ManifestFile:
        """The edition's own manifest."""
        return self.lineage[-1]

    @property
    def name(self) -> str:
        """The edition's name."""
        return self.manifest.said.name

    @property
    def kernel(self) -> list[Folder]:
        """The folders that every edition has."""
        return [Folder(self.root / name) for name in KERNEL]

    @property
    def version(self) -> str:
        """The version of the edition's distribution."""
        return version_of(self.manifest, self.root)

    @property
    def folders(self) -> list[Folder]:
        """The folders it is installed from, the editions' not among them."""
        return [*self.kernel, *(plugin.folder for plugin in self.plugins)]

    @property
    def constraints(self) -> list[Path]:
        """Files of exact versions: ours, and those beside third parties' manifests."""
        ours = self.root / "editions" / "constraints.txt"
        beside = (one.path.with_name("constraints.txt") for one in self.lineage)
        return [ours, *(path for path in beside if path.is_file())]


def version_of(manifest: ManifestFile, root: Path) -> str:
    """The version of an edition's distribution."""
    return manifest.said.version or Folder(root / "core").version


def find_root(start: Path) -> Path:
    """The repository around a folder, or else the one this command was installed from.

    Raises:
        AssemblyError: there is none.
    """
    here = Path(__file__).resolve().parents[3]
    for folder in (start.resolve(), *start.resolve().parents, here):
        if (folder / "core" / "pyproject.toml").is_file() and (folder / "editions").is_dir():
            return folder
    raise AssemblyError("sources_not_found", folder=start)


def manifests(root: Path, *, further: Path | None = None) -> dict[str, ManifestFile]:
    """Every edition of the repository by name, and one whose manifest lies elsewhere.

    Raises:
        AssemblyError: one cannot be read, or two have one name.
    """
    paths = sorted((root / "editions").glob(f"*/{EDITION_FILE}"))
    if further is not None and further.resolve() not in [path.resolve() for path in paths]:
        paths.append(further)
    found: dict[str, ManifestFile] = {}
    for path in paths:
        read = ManifestFile(path, _read_edition(path))
        if read.said.name in found:
            where, other = read.line("name", read.said.name), found[read.said.name].path
            raise AssemblyError("edition_twice", where=where, name=read.said.name, other=other)
        found[read.said.name] = read
    return found


def plan_edition(wanted: str, root: Path) -> Plan:
    """What an edition consists of; `wanted` is its name, or the path of its manifest.

    Raises:
        AssemblyError: there is no such edition, or its manifest, or that of one of its plugins,
            names what is not there, goes in a circle or cannot be read.
    """
    path = _as_path(wanted)
    known = manifests(root, further=path)
    if path is not None:
        [wanted] = [n for n, one in known.items() if one.path.resolve() == path.resolve()]
    if wanted not in known:
        raise AssemblyError("edition_unknown", name=wanted, known=", ".join(known))
    lineage = _lineage(known[wanted], known)
    plugins = {name: _plugin(name, one, root) for name, one in _named_in(lineage)}
    plan = Plan(root=root, lineage=lineage, plugins=_ordered(plugins, lineage[-1]))
    _refuse_names_taken(plan)
    _refuse_wrong_settings(plan)
    return plan


def line_of(path: Path, key: str, value: str) -> str:
    """`file:line` of a quoted value from a key on; of the key where the value is not found."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    at = place(text, str(path), [key])
    begun = re.match(rf"{re.escape(str(path))}:(\d+)", at)
    first = int(begun[1]) if begun else 1
    quoted = re.compile(rf"[\"']{re.escape(value)}[\"']")
    for number, line in enumerate(lines[first - 1 :], start=first):
        if quoted.search(line):
            return f"{path}:{number}"
    return f"{path}:{first}"


def _as_path(wanted: str) -> Path | None:
    if not wanted.endswith(".toml") and "/" not in wanted and "\\" not in wanted:
        return None
    path = Path(wanted)
    path = path / EDITION_FILE if path.is_dir() else path
    if not path.is_file():
        raise AssemblyError("manifest_missing", path=path)
    return path


def _read_edition(path: Path) -> EditionFile:
    try:
        return read_edition(path)
    except ConfigurationError as error:
        keys = ", ".join(EditionFile.__struct_fields__)
        reason = error.params["reason"]
        raise AssemblyError("manifest_wrong", reason=reason, keys=keys) from error


def _lineage(manifest: ManifestFile, known: Mapping[str, ManifestFile]) -> list[ManifestFile]:
    found = [manifest]
    while (base := found[0].said.extends) is not None:
        where = found[0].line("extends", base)
        over = known.get(base) or _beside(found[0], base)
        if over is None:
            there = ", ".join(sorted(known))
            raise AssemblyError("base_unknown", where=where, name=base, known=there)
        names = [one.said.name for one in reversed(found)]
        if base in names:
            circle = " -> ".join([*names[names.index(base) :], base])
            raise AssemblyError("edition_circle", where=where, circle=circle)
        found.insert(0, over)
    return found


def _beside(manifest: ManifestFile, base: str) -> ManifestFile | None:
    """An edition of the same third party: its folder, of its name, lies beside."""
    path = manifest.path.resolve().parent.with_name(base) / EDITION_FILE
    if not path.is_file():
        return None
    found = ManifestFile(path, _read_edition(path))
    return found if found.said.name == base else None


def _named_in(lineage: Iterable[ManifestFile]) -> Iterator[tuple[str, tuple[ManifestFile, str]]]:
    seen = set()
    for manifest in lineage:
        for key in ("required", "optional"):
            for name in getattr(manifest.said, key):
                if name not in seen:
                    seen.add(name)
                    yield name, (manifest, key)


def _plugin(name: str, named: tuple[ManifestFile, str], root: Path) -> PluginFolder:
    manifest, key = named
    beside = manifest.path.parent
    places = list(
        dict.fromkeys([beside / name, beside / "plugins" / name, root / "plugins" / name])
    )
    folder = next((Folder(path) for path in places if (path / "pyproject.toml").is_file()), None)
    where = manifest.line(key, name)
    if folder is None:
        looked = ", ".join(map(str, places))
        raise AssemblyError("plugin_unknown", where=where, name=name, looked=looked)
    target = folder.entry_points(PLUGIN_GROUP).get(name)
    if target is None:
        raise AssemblyError(
            "plugin_no_entry", where=where, name=name, file=folder.file, group=PLUGIN_GROUP
        )
    return _declared(name, folder, target.partition(":")[0].partition(".")[0], root)


def _declared(name: str, folder: Folder, package: str, root: Path) -> PluginFolder:
    """Read a plugin's manifest in its package, which may lie under `src`."""
    places = [folder.path / package / PLUGIN_FILE, folder.path / "src" / package / PLUGIN_FILE]
    path = next((one for one in places if one.is_file()), places[0])
    try:
        said = read_manifest(read_declaration(path), where=str(path))
    except (OSError, DeclarationError) as error:
        keys = ", ".join(Manifest.__struct_fields__)
        raise AssemblyError("manifest_wrong", reason=error, keys=keys) from error
    if said.name != name:
        raise AssemblyError("plugin_misnamed", where=line_of(path, "name", said.name), name=name)
    core = Folder(root / "core").version
    if not said.window.admits(core):
        where = line_of(path, "core", said.core)
        raise AssemblyError("plugin_core", where=where, name=name, window=said.core, core=core)
    return PluginFolder(folder, path, said)


def _refuse_names_taken(plan: Plan) -> None:
    """Two distributions of one name, or two packages, cannot be installed together."""
    taken: dict[str, Path] = {}
    for folder in plan.folders:
        _take(taken, folder.name, folder.file, line_of(folder.file, "name", folder.name))
    taken |= {f"dianku-{one.said.name}".replace("_", "-"): one.path for one in plan.plugins}
    for one in plan.lineage:
        _take(taken, one.distribution, one.path, one.line("name", one.said.name))


def _take(taken: dict[str, Path], name: str, path: Path, where: str) -> None:
    other = taken.setdefault(name.replace("_", "-"), path)
    if other != path:
        raise AssemblyError("named_as_another", where=where, distribution=name, other=other)


def _refuse_wrong_settings(plan: Plan) -> None:
    """Defaults of what nobody has, or of another kind than is wanted."""
    sections = {one.name: one for one in KERNEL_SECTIONS}
    sections |= {one.said.name: one.said.section for one in plan.plugins}
    for manifest in plan.lineage:
        for name, values in manifest.said.settings.items():
            if name not in sections:
                _refuse_setting(manifest, [name], "unknown_section", sections)
            for error in sections[name].wrong(values):
                keys = [name, error.pointer.removeprefix("/")]
                _refuse_setting(manifest, keys, error.code, sections[name].fields)


def _refuse_setting(
    manifest: ManifestFile, keys: Sequence[str], code: str, known: Iterable[str]
) -> NoReturn:
    text = read_declaration(manifest.path)
    where = place(text, str(manifest.path), ["settings", *keys])
    raise AssemblyError("edition_sets", where=where, reason=code, known=", ".join(known) or "-")


def _ordered(plugins: Mapping[str, PluginFolder], manifest: ManifestFile) -> list[PluginFolder]:
    """Each after those that it requires, which must all be named."""
    placed: dict[str, PluginFolder] = {}

    def take(name: str, path: Sequence[str]) -> None:
        plugin = plugins[name]
        for required in plugin.said.requires:
            where = line_of(plugin.path, "requires", required)
            if required not in plugins:
                raise AssemblyError(
                    "plugin_lacks", where=where, name=name, lacks=required, file=manifest.path
                )
            if required in (*path, name):
                chain = [*path, name]
                circle = " -> ".join([*chain[chain.index(required) :], required])
                raise AssemblyError("plugin_circle", where=where, circle=circle)
            if required not in placed:
                take(required, [*path, name])
        placed.setdefault(name, plugin)

    for name in plugins:
        if name not in placed:
            take(name, [])
    return list(placed.values())
