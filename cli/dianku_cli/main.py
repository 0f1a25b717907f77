"""The command `dianku`: its options, and the names of its commands.

Imports stay light: a command's module, and with it the host, is imported when that command runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import click

from dianku_cli import __version__
from dianku_cli.failures import worded
from dianku_cli.interrupts import hear_all
from dianku_cli.lazy import Lazy, LazyGroup
from dianku_cli.settings import LANGUAGES, Settings, SettingsError

C = TypeVar("C", bound=click.Command)
_HERE = "dianku_cli.commands"

COMMANDS = {
    "backup": Lazy(f"{_HERE}.operations:backup", "Write the whole shop into one file."),
    "db": Lazy(f"{_HERE}.database:db", "Migrate, inspect and copy the database."),
    "demo": Lazy(f"{_HERE}.serving:demo", "Try a shop with goods and months of sales."),
    "doctor": Lazy(f"{_HERE}.operations:doctor", "Look for what is wrong, and say what to do."),
    "edition": Lazy(f"{_HERE}.plugins:edition", "Show editions, build them, change to another."),
    "export": Lazy(f"{_HERE}.exchange:export", "Write records into a CSV or XLSX file."),
    "import": Lazy(f"{_HERE}.exchange:import_", "Read a CSV, XLSX or XLS file into the shop."),
    "init": Lazy(f"{_HERE}.setup:init", "Set up the shop, its first store and owner."),
    "ledger": Lazy(f"{_HERE}.ledger:ledger", "Verify and rebuild the ledger's sums."),
    "plugin": Lazy(
        f"{_HERE}.plugins:plugin", "Install plugins, list them, switch them on and off."
    ),
    "restore": Lazy(f"{_HERE}.operations:restore", "Bring a shop back from a backup."),
    "serve": Lazy(f"{_HERE}.serving:serve", "Run the server, migrations first."),
    "stock": Lazy(f"{_HERE}.ledger:stock", "Print stock, now or as of a date."),
    "token": Lazy(f"{_HERE}.setup:token", "Make tokens for the HTTP API."),
    "user": Lazy(f"{_HERE}.setup:user", "Add people who sign in."),
}
"""Every command of the kernel; a test holds the lines against the commands' own help."""


class Dianku(LazyGroup):
    """The command itself: the kernel's commands, then a group per plugin that has one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The kernel's names and the plugins'."""
        return sorted({*super().list_commands(ctx), *self._plugin_groups(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The kernel's command, or the group a plugin adds under its own name."""
        settings = settings_of(ctx)
        found = super().get_command(ctx, cmd_name)
        if found is not None:
            return _in_language(found, cmd_name, settings)
        if cmd_name not in self._plugin_groups(ctx):
            return None
        from dianku_cli.plugin_groups import load_group

        with worded(settings):
            return _of_plugin(load_group(settings, cmd_name), settings)

    def summaries(self, ctx: click.Context) -> list[tuple[str, str]]:
        """Names and one line each; the plugins' from the cache of their manifests."""
        lines = self._plugin_groups(ctx)
        lines |= {name: lazy.summary for name, lazy in self.lazy.items()}
        if _speaks_chinese(settings_of(ctx)):
            from dianku_cli.translated import summary

            lines |= {name: summary(name) for name in self.lazy}
        return sorted(lines.items())

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help in the person's language."""
        shown = _in_language(self, "", settings_of(ctx))
        super(Dianku, shown).format_help(ctx, formatter)

    def get_help(self, ctx: click.Context) -> str:
        """The help page, headings and all in the person's language."""
        if _speaks_chinese(settings_of(ctx)):
            from dianku_cli.usage import ChineseFormatter

            ctx.formatter_class = ChineseFormatter
        return super().get_help(ctx)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what it refuses is worded here, for every command alike."""
        ctx.obj = _settings(ctx.params)
        with worded(ctx.obj), _usage_worded(ctx.obj):
            return super().invoke(ctx)

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **more: Any,
    ) -> click.Context:
        """Read the options before the command; a wrong one is told in the person's language."""
        with _usage_worded(_settings({"language": _asked_for(args)})):
            return super().make_context(info_name, args, parent, **more)

    def _plugin_groups(self, ctx: click.Context) -> dict[str, str]:
        settings = settings_of(ctx)
        if not settings.plugins:
            return {}
        from dianku_cli.plugin_groups import known_groups

        return known_groups(chinese=_speaks_chinese(settings))


def settings_of(ctx: click.Context) -> Settings:
    """The settings of the running command; made from the options when `--help` asks first."""
    root = ctx.find_root()
    if not isinstance(root.obj, Settings):
        root.obj = _settings(root.params)
    return root.obj


def _speaks_chinese(settings: Settings) -> bool:
    try:
        return settings.language != "en"
    except SettingsError:
        return False  # help is given all the same; the command itself will refuse


def _asked_for(words: Sequence[str]) -> str | None:
    """The language among words that could not be read as a whole."""
    said = [b for a, b in pairwise(words) if a == "--language"]
    said += [word.partition("=")[2] for word in words if word.startswith("--language=")]
    return said[0] if said and said[0] in LANGUAGES else None


@contextmanager
def _usage_worded(settings: Settings) -> Iterator[None]:
    try:
        yield
    except click.UsageError as error:
        if not _speaks_chinese(settings):
            raise
        from dianku_cli.usage import in_chinese

        raise in_chinese(error) from error


def _of_plugin(command: C, settings: Settings) -> C:
    """A plugin's group with the help pages of the person's language around its own words."""
    if not _speaks_chinese(settings):
        return command
    from dianku_cli.translated import framed

    return framed(command)


def _in_language(command: C, path: str, settings: Settings) -> C:
    if not _speaks_chinese(settings):
        return command
    from dianku_cli.translated import translated

    return translated(command, path)


def _settings(params: dict[str, Any]) -> Settings:
    return Settings(
        data=params.get("data"),
        database=params.get("database"),
        language=params.get("language"),
        plugins=not params.get("no_plugins"),
    )


@click.group(
    cls=Dianku,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--data",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the embedded database, uploads and backups [DIANKU_DATA].",
)
@click.option(
    "--database",
    metavar="URL",
    help="sqlite:///FILE or postgresql://USER@HOST/NAME [DIANKU_DATABASE].",
)
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    help="Language of messages [DIANKU_LANGUAGE]; as the locale says.",
)
@click.option("--no-plugins", is_flag=True, help="Load no plugin; goes before the command.")
@click.version_option(__version__, prog_name="dianku")
def dianku(**_options: Any) -> None:
    """Dianku (店库) keeps a shop's books and shelves the same.

    Example: dianku demo
    """


def main() -> None:
    """Run the command line."""
    hear_all()
    dianku(prog_name="dianku")
