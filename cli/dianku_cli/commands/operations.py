"""`dianku backup`, `restore` and `doctor`: keep a shop safe and well."""

from __future__ import annotations

from pathlib import Path

import click

from dianku_cli.output import Column, as_plain, progress, write_json, write_table
from dianku_cli.settings import Settings
from dianku_cli.shop import open_shop
from dianku_cli.texts import say

READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)
WRITABLE = click.Path(dir_okay=False, path_type=Path)


@click.command
@click.argument("file", type=WRITABLE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def backup(settings: Settings, *, file: Path, as_json: bool) -> None:
    """Write the whole shop into one file.

    Works while the server runs; FILE must not exist yet. Secrets in settings are left out.

    Example: dianku backup shop.backup
    """


@click.command
@click.argument("file", type=READABLE)
@click.option("--replace", is_flag=True, help="Replace what is there.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def restore(settings: Settings, *, file: Path, replace: bool, as_json: bool) -> None:
    """Bring a shop back from a backup.

    Into an empty data folder and database; stop the server first. An older backup is migrated on
    the way, and the ledger is verified at the end.

    Example: dianku --data /tmp/trial restore shop.backup
    """


@click.command
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def doctor(ctx: click.Context, *, as_json: bool) -> None:
    """Look for what is wrong, and say what to do.

    Ends with 1 where something is broken.

    Example: dianku doctor
    """
