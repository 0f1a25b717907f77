"""`dianku plugin` and `dianku edition`: what is installed, and how it fares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dianku_cli.commands.authoring import check, new
from dianku_cli.output import Column, write_json, write_record, write_table
from dianku_cli.settings import Settings
from dianku_cli.shop import acting, closed_shop, judged_shop
from dianku_cli.texts import say

if TYPE_CHECKING:
    from dianku.operations import Edition, PluginState


@click.group
def plugin() -> None:
    """List plugins, switch them on and off.

    Example: dianku plugin list
    """


plugin.add_command(check)
plugin.add_command(new)


@plugin.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_plugins(settings: Settings, *, as_json: bool) -> None:
    """List the installed plugins and how they fare.

    Example: dianku plugin list
    """
    with judged_shop(settings) as host:
        rows = [_row(state, settings) for state in host.plugins.states]
    if as_json:
        write_json(rows)
    else:
        rows = [_worded(row, settings) for row in rows]
        write_table(rows, _columns("name", "title", "version", "status", settings=settings))


@plugin.command
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def info(settings: Settings, *, name: str, as_json: bool) -> None:
    """Show one plugin in full.

    Example: dianku plugin info reports
    """
    with judged_shop(settings) as host:
        row = _row(host.plugins.state(name), settings)
    if as_json:
        write_json(row)
    else:
        shown = _worded(row, settings)
        write_record([(say(f"column_{key}", settings.language), shown[key]) for key in row])


@plugin.command
@click.argument("name")
@click.pass_obj
def enable(settings: Settings, name: str) -> None:
    """Switch a plugin on, from the next start.

    Example: dianku plugin enable reports
    """
    with judged_shop(settings) as host:
        host.plugins.enable(name, ctx=acting(host, settings))
    click.echo(say("plugin_enabled", settings.language, name=name))


@plugin.command
@click.argument("name")
@click.pass_obj
def disable(settings: Settings, name: str) -> None:
    """Switch a plugin off, from the next start; its data stays.

    Example: dianku plugin disable reports
    """
    with judged_shop(settings) as host:
        host.plugins.disable(name, ctx=acting(host, settings))
    click.echo(say("plugin_disabled", settings.language, name=name))


@click.group
def edition() -> None:
    """Show the editions that are installed.

    Example: dianku edition show
    """


@edition.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_editions(settings: Settings, *, as_json: bool) -> None:
    """List the installed editions.

    Example: dianku edition list
    """
    from dianku.operations import editions

    with closed_shop(settings) as host:
        rows = [_edition(each, settings) for each in editions(host)]
    if as_json:
        write_json(rows)
    else:
        write_table(rows, _columns("name", "title", "required", "optional", settings=settings))


@edition.command
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def show(settings: Settings, *, name: str | None, as_json: bool) -> None:
    """Show an edition and its plugins; by default the one in use.

    Example: dianku edition show basic
    """
    from dianku.operations import edition as edition_of

    with closed_shop(settings) as host:
        row = _edition(edition_of(host, name), settings)
    if as_json:
        write_json(row)
    else:
        write_record([(say(f"column_{key}", settings.language), row[key]) for key in row])


def _worded(row: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """A plugin's row for a person: its status in words."""
    return row | {"status": say(f"status_{row['status']}", settings.language)}


def _row(state: PluginState, settings: Settings) -> dict[str, Any]:
    """A plugin, how it stands and what is wrong with it."""
    manifest = state.manifest
    return {
        "name": state.name,
        "title": "" if manifest is None else manifest.title.title().in_language(settings.language),
        "version": state.version,
        "distribution": state.distribution,
        "status": state.status.value,
        "required": state.required,
        "requires": [] if manifest is None else list(manifest.requires),
        "routes": [] if manifest is None else list(manifest.routes),
        "tables": [] if manifest is None else list(manifest.tables),
        "commands": [] if manifest is None else sorted(manifest.commands),
        "faults": [str(fault) for fault in state.faults],
    }


def _edition(edition: Edition, settings: Settings) -> dict[str, Any]:
    """An edition and its plugins."""
    return {
        "name": edition.name,
        "title": edition.title.in_language(settings.language),
        "required": list(edition.required),
        "optional": list(edition.optional),
    }


def _columns(*keys: str, settings: Settings) -> list[Column]:
    return [Column(key, say(f"column_{key}", settings.language)) for key in keys]
