"""`dianku edition upgrade` and `back`: another edition or version, and the one before again."""

from __future__ import annotations

from pathlib import Path

import click

from dianku_cli.commands.plugin_changes import patience_option
from dianku_cli.commands.serving import stopped_by_sigterm
from dianku_cli.output import remark, write_json
from dianku_cli.settings import Settings
from dianku_cli.texts import say


@click.command
@click.argument("name", metavar="NAME|BUNDLE")
@click.option(
    "--from",
    "source",
    metavar="BUNDLE",
    type=click.Path(path_type=Path),
    help="The bundle it is in, archive or folder; without it, the index that pip is set to.",
)
@patience_option
@click.option("--dry-run", is_flag=True, help="Change nothing; say what would be done.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; asks nothing, so needs --yes.")
@click.pass_obj
def upgrade(
    settings: Settings,
    *,
    name: str,
    source: Path | None,
    patience: int,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Change to another edition or version, up or down.

    Says what it will do and asks; backs up; installs beside what runs; sees that it starts on a
    copy; switches. The shop sells meanwhile and needs one restart. Whatever fails changes nothing.
    Tables of plugins that leave stay, and are found again by who comes back.

    Example: dianku edition upgrade advanced --from dianku-advanced-0.2.0-cp311-linux_x86_64.tar.gz
    """
    from dianku_cli.environment.upgrade import planned

    if as_json and not (yes or dry_run):
        raise click.UsageError("--json asks nothing: add --yes or --dry-run")
    language = settings.language
    with (
        stopped_by_sigterm(),
        planned(name, source=source, settings=settings, tell=remark, patience_s=patience) as made,
    ):
        found = made.foreseen()
        if not as_json:
            click.echo("\n".join(found.told(language)))
        if dry_run:
            if as_json:
                write_json(found.as_json())
            else:
                click.echo(say("upgrade_dry_run", language))
            return
        if not yes:
            click.confirm(say("upgrade_asked", language), abort=True)
        done = made.carry_out(found)
    if as_json:
        more = {"version": done.version.name, "backup": str(done.backup), "ill": done.ill}
        write_json(found.as_json() | more)
        return
    click.echo(say("upgrade_done", language, after=found.after))
    _say_restart(settings)
    click.echo(say("upgrade_way_back", language, backup=done.backup))


@click.command
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def back(settings: Settings, *, yes: bool) -> None:
    """Go back to the version that was in use before the last upgrade.

    Where the newer version has changed tables already, this says how to go back by the backup.

    Example: dianku edition back
    """
    from dianku_cli.environment.going_back import way_back

    language = settings.language
    way = way_back(settings)
    click.echo(say("back_from_to", language, name=way.previous.name))
    if not yes:
        click.confirm(say("upgrade_asked", language), abort=True)
    way.go()
    click.echo(say("back_done", language, name=way.previous.name))
    _say_restart(settings)


def _say_restart(settings: Settings) -> None:
    key = "restart_service" if Path("/run/systemd/system").is_dir() else "restart_server"
    click.echo(say(key, settings.language))
