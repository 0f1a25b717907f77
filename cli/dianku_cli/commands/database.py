"""`dianku db`: the tables themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dianku_cli.output import Column, write_json, write_table
from dianku_cli.settings import Settings
from dianku_cli.shop import closed_shop, open_shop
from dianku_cli.texts import say

if TYPE_CHECKING:
    from dianku.host import Host


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
    with open_shop(settings) as host:
        _show(host, settings, as_json=as_json)


@db.command
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def status(settings: Settings, *, as_json: bool) -> None:
    """Show the revision of the core's and each plugin's tables.

    Example: dianku db status --json
    """
    with closed_shop(settings) as host:
        _show(host, settings, as_json=as_json)


def _show(host: Host, settings: Settings, *, as_json: bool) -> None:
    """Print where each owner's tables stand."""
    from dianku.operations import schema_states

    rows = [
        {
            "owner": state.owner,
            "current": state.current,
            "latest": state.head,
            "up_to_date": state.is_current,
        }
        for state in schema_states(host)
    ]
    if as_json:
        write_json(rows)
    else:
        keys = ("owner", "current", "latest", "up_to_date")
        write_table(rows, [Column(key, say(f"column_{key}", settings.language)) for key in keys])


@db.command("copy")
@click.argument("url")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def copy_to(settings: Settings, *, url: str, as_json: bool) -> None:
    """Copy the shop into another, empty database.

    From SQLite to PostgreSQL, say. Stop the server first: what is posted meanwhile stays behind.

    Example: dianku db copy postgresql://dianku@localhost/shop
    """
    from dianku.operations import copy_to as copy

    with open_shop(settings) as host:
        done = copy(host, url)
    if as_json:
        write_json({"rows": done.rows, "unknown_owners": done.unknown_owners})
    else:
        click.echo(say("copied", settings.language, rows=sum(done.rows.values())))
