"""Groups that know their commands by name and import them only when one is called for.

`dianku --help` must answer at once, so a listing is made from the short texts given here and from
the cached manifests of the plugins; no module of a command is imported for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click


class Lazy(NamedTuple):
    """A command that is not imported yet: `module:attribute`, and its line in listings."""

    target: str
    summary: str

    def load(self) -> click.Command:
        """Import the module and return the command."""
        module, _, name = self.target.partition(":")
        command = getattr(import_module(module), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.target} is no command")
        return command


class LazyGroup(click.Group):
    """A group whose commands are `Lazy` records beside the ordinary ones."""

    def __init__(self, *args: Any, lazy: Mapping[str, Lazy] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = dict(lazy or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every name, imported or not, in the order of the alphabet."""
        return sorted({*super().list_commands(ctx), *self.lazy})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        found = super().get_command(ctx, cmd_name)
        if found is None and cmd_name in self.lazy:
            return self.lazy[cmd_name].load()
        return found

    def summaries(self, ctx: click.Context) -> list[tuple[str, str]]:
        """Names and one line each, without importing anything."""
        lines = []
        for name in self.list_commands(ctx):
            if name in self.lazy:
                lines.append((name, self.lazy[name].summary))
            else:
                command = super().get_command(ctx, name)
                lines.append((name, command.get_short_help_str() if command else ""))
        return lines

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the listing from `summaries`."""
        lines = self.summaries(ctx)
        if lines:
            with formatter.section("Commands"):
                formatter.write_dl(lines)
