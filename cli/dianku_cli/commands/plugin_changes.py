"""`dianku plugin install` and `remove`: put a plugin into this environment, take it out again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from dianku_cli.output import remark, write_json
from dianku_cli.settings import Settings
from dianku_cli.texts import say

PATIENCE_S = 120
patience_option = click.option(
    "--patience",
    metavar="SECONDS",
    type=click.IntRange(1),
    default=PATIENCE_S,
    show_default=True,
    help="How long the trial start may take.",
)
"""Of every command that starts a shop for a trial."""


@click.command
@click.argument("wish", metavar="NAME|WHEEL|FOLDER")
@click.option(
    "--wheels",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Take everything from this folder of wheels, not from an index.",
)
@patience_option
@click.option("--dry-run", is_flag=True, help="Change nothing; say what would be done.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def install(
    settings: Settings,
    *,
    wish: str,
    wheels: Path | None,
    patience: int,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Install a plugin, or a newer version of one.

    A name comes from the index that pip is set to. What is installed keeps its version. The shop
    is first started with the plugin on a copy; where it is worse off, nothing is changed. Takes
    effect at the next start.

    Example: dianku plugin install dianku_alerts-1.0-py3-none-any.whl
    """
    from dianku_cli.environment.plugins import Workshop

    workshop = Workshop(settings, tell=remark)
    done = workshop.install(wish, wheels=wheels, patience_s=patience, dry_run=dry_run)
    if as_json:
        write_json(done._asdict())
        return
    language = settings.language
    if not done.added:
        click.echo(say("already_installed", language, name=wish))
    elif dry_run:
        click.echo(say("dry_run_install", language))
    else:
        click.echo(say("added", language, names=_pairs(done.added, " ")))
        if done.replaced:
            click.echo(say("replaced", language, names=_pairs(done.replaced, " ")))
        _say_when(settings, served=done.served)


@click.command
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def remove(settings: Settings, *, name: str, as_json: bool) -> None:
    """Take a plugin out of this environment; its tables stay.

    Example: dianku plugin remove alerts
    """
    from dianku_cli.environment.plugins import Workshop

    done = Workshop(settings, tell=remark).remove(name)
    if as_json:
        write_json(done._asdict())
        return
    language = settings.language
    click.echo(say("removed", language, name=done.distribution))
    if done.tables:
        click.echo(say("tables_stay", language, names=_pairs(done.tables, ": ")))
    if done.unneeded:
        click.echo(say("unneeded_stay", language, names=", ".join(done.unneeded)))
    _say_when(settings, served=done.served)


def _pairs(named: Mapping[str, object], between: str) -> str:
    return ", ".join(f"{name}{between}{value}" for name, value in named.items())


def _say_when(settings: Settings, *, served: bool) -> None:
    key = "at_next_start_served" if served else "at_next_start"
    click.echo(say(key, settings.language))
