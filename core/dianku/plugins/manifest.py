"""A plugin's manifest, `plugin.toml` beside its code: all that is known of it before importing it.

An error names the file, the key and the line. What the manifest does not claim (a route, a
table, a right), the plugin does not get.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from msgspec import Meta

from dianku.plugins.declaration import DeclarationError, Strict, Words, decode_declaration, place
from dianku.plugins.window import Window
from dianku.settings.schema import Field, FieldType, Section

PLUGIN_FILE = "plugin.toml"
PluginName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,30}(?!\n)$")]
Table = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,50}(?!\n)$")]
Permission = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+(?!\n)$")]
Role = Literal["owner", "manager", "clerk", "counter", "channel", "readonly"]


class PermissionEntry(Strict, frozen=True):
    """A permission the plugin adds, and the roles that hold it unless the shop says otherwise."""

    title: Words
    roles: list[Role] = []


class SettingEntry(Strict, frozen=True):
    """A setting of the plugin's section."""

    type: FieldType
    title: Words
    default: Any = None
    minimum: int | None = None
    maximum: int | None = None
    choices: list[str] = []
    secret: bool = False
    description: Words | None = None


class CommandEntry(Strict, frozen=True):
    """A group of the command line, for `--help` without importing the plugin."""

    title: Words


class Manifest(Strict, frozen=True):
    """What a plugin says of itself.

    Attributes:
        name: The one name in every place.
        core: The window of versions of dianku-core it works with; it has an upper bound.
        requires: Plugins that must be loaded before it.
        tables: Its tables, each `NAME_...`; none: it has no migrations.
        routes: Paths under `/api/v1` it may answer, with all below them.
        sites: Paths at the root where it shows pages, with all below them; none of `/api`.
        permissions: Permissions it adds.
        rights: Permissions it acts with itself, through its `Shop`.
        settings: Its section of the settings.
        commands: Its groups of the command line.
    """

    name: PluginName
    title: Words
    core: str
    requires: list[PluginName] = []
    tables: list[Table] = []
    routes: list[Annotated[str, Meta(pattern=r"^/[a-z0-9_/{}-]+(?!\n)$")]] = []
    sites: list[Annotated[str, Meta(pattern=r"^/(?!api$)[a-z][a-z0-9-]*(?!\n)$")]] = []
    permissions: dict[Permission, PermissionEntry] = {}
    rights: list[Permission] = []
    settings: dict[Table, SettingEntry] = {}
    commands: dict[str, CommandEntry] = {}

    @property
    def window(self) -> Window:
        """The versions of the core it works with."""
        return Window.parse(self.core)

    @property
    def section(self) -> Section:
        """Its settings."""
        fields = {name: _field(name, entry) for name, entry in self.settings.items()}
        return Section(self.name, self.title.title(), fields)

    def claims(self, path: str) -> bool:
        """Whether a path is one of its routes or below one."""
        return any(path == route or path.startswith(f"{route}/") for route in self.routes)


def read_manifest(text: str, *, where: str) -> Manifest:
    """Read and check a manifest; `where` is the file, for the message.

    Raises:
        DeclarationError: with everything that is wrong, one per line.
    """
    manifest = decode_declaration(text, Manifest, where=where)
    wrong = [f"{place(text, where, keys)}: {what}" for keys, what in _mistakes(manifest)]
    if wrong:
        raise DeclarationError("\n".join(wrong))
    return manifest


def _field(name: str, entry: SettingEntry) -> Field:
    return Field(
        name=name,
        type=entry.type,
        title=entry.title.title(),
        default=entry.default,
        minimum=entry.minimum,
        maximum=entry.maximum,
        choices=tuple(entry.choices),
        secret=entry.secret,
        description=entry.description.title() if entry.description else None,
    )


def _mistakes(manifest: Manifest) -> Iterator[tuple[Sequence[str], str]]:
    """What the types alone cannot say: (keys that lead there, what is wrong)."""
    try:
        Window.parse(manifest.core)
    except ValueError as error:
        yield ("core",), str(error)
    if manifest.name in manifest.requires:
        yield ("requires",), "a plugin cannot require itself"
    yield from _misnamed(manifest)
    for key, entry in manifest.settings.items():
        if (what := _wrong_setting(_field(key, entry))) is not None:
            yield ("settings", key), what


def _misnamed(manifest: Manifest) -> Iterator[tuple[Sequence[str], str]]:
    """What does not bear the plugin's name."""
    name = manifest.name
    for table in manifest.tables:
        if not table.startswith(f"{name}_"):
            yield ("tables",), f"table {table!r} must begin with {name + '_'!r}"
    for permission in manifest.permissions:
        if not permission.startswith(f"{name}."):
            yield ("permissions", permission), f"{permission!r} must begin with {name + '.'!r}"
    for command in manifest.commands:
        if command != name and not command.startswith(f"{name}-"):
            yield ("commands", command), f"group {command!r} must be {name!r} or {name}-..."


def _wrong_setting(field: Field) -> str | None:
    if field.secret and field.type != "text":
        return "a secret is of type 'text'"
    if field.secret and field.default is not None:
        return "a secret has no default: it would be known to everybody"
    if (field.type == "choice") != bool(field.choices):
        return "'choices' belong to type 'choice', and it to them"
    if field.default is not None and (broken := field.wrong(field.default)) is not None:
        return f"its default breaks its own rule {broken.code} {dict(broken.params)}"
    return None
