"""`dianku plugin` and `dianku edition`: what is installed, and how it fares."""

from __future__ import annotations

import click

from dianku_cli.output import Column, as_plain, write_json, write_record, write_table
from dianku_cli.settings import Settings
from dianku_cli.shop import open_shop
from dianku_cli.texts import say


@click.group
def plugin() -> None:
    """List plugins, switch them on and off.

    Example: dianku plugin list
    """


@plugin.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_plugins(settings: Settings, *, as_json: bool) -> None:
    """List the installed plugins and how they fare.

    Example: dianku plugin list
    """


@plugin.command
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def info(settings: Settings, *, name: str, as_json: bool) -> None:
    """Show one plugin in full.

    Example: dianku plugin info reports
    """


@plugin.command
@click.argument("name")
@click.pass_obj
def enable(settings: Settings, name: str) -> None:
    """Switch a plugin on, from the next start.

    Example: dianku plugin enable reports
    """


@plugin.command
@click.argument("name")
@click.pass_obj
def disable(settings: Settings, name: str) -> None:
    """Switch a plugin off, from the next start; its data stays.

    Example: dianku plugin disable reports
    """


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


@edition.command
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def show(settings: Settings, *, name: str | None, as_json: bool) -> None:
    """Show an edition and its plugins; by default the one in use.

    Example: dianku edition show basic
    """
