"""`dianku db`: the tables themselves."""

from __future__ import annotations

import click

from dianku_cli.output import Column, as_plain, progress, write_json, write_table
from dianku_cli.settings import Settings
from dianku_cli.shop import open_shop
from dianku_cli.texts import say


@click.group
def db() -> None:
    """Migrate, inspect and copy the database.

    Example: dianku db status
    """


@db.command
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def upgrade(settings: Settings, *, as_json: bool) -> None:
    """Bring the tables to what the installed code needs.

    Example: dianku db upgrade
    """
    host = closed_shop(settings)
    before = host.upgrade()
    if as_json:
        write_json(before)
    else:
        _show(host.schema_status(), settings)


@db.command
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def status(settings: Settings, *, as_json: bool) -> None:
    """Show the revision of the core's and each plugin's tables.

    Example: dianku db status --json
    """
    states = closed_shop(settings).schema_status()
    if as_json:
        write_json(states)
    else:
        _show(states, settings)


@db.command("copy")
@click.argument("url")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def copy_to(settings: Settings, *, url: str, as_json: bool) -> None:
    """Copy the shop into another, empty database.

    From SQLite to PostgreSQL, say. Stop the server first: what is posted meanwhile stays behind.

    Example: dianku db copy postgresql://dianku@localhost/shop
    """
