"""`dianku backup`, `restore` and `doctor`: keep a shop safe and well."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dianku_cli.books import readable_differences, write_differences
from dianku_cli.output import Column, progress, remark, waiting, write_json, write_table
from dianku_cli.settings import Settings
from dianku_cli.shop import acting, closed_shop, judged_shop, open_shop
from dianku_cli.texts import say

if TYPE_CHECKING:
    from dianku.api import Finding

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
    from dianku import operations

    with open_shop(settings) as host, progress(say("backing_up", settings.language)) as advance:
        made = operations.backup(host, file, ctx=acting(host, settings), progress=advance)
    if as_json:
        write_json({"file": str(file), "rows": made.rows, "left_out": made.left_out})
        return
    click.echo(say("backed_up", settings.language, name=file, rows=sum(made.rows.values())))
    _remark_left_out(made.left_out, settings)


@click.command
@click.argument("file", type=READABLE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def restore(ctx: click.Context, *, file: Path, as_json: bool) -> None:
    """Bring a shop back from a backup.

    Into an empty data folder and database; stop the server first. An older backup is migrated on
    the way, and the ledger is verified at the end.

    Example: dianku --data /tmp/trial restore shop.backup
    """
    from dianku import operations

    settings: Settings = ctx.obj
    with closed_shop(settings) as host, progress(say("restoring", settings.language)) as advance:
        done = operations.restore(host, file, progress=advance)
    with open_shop(settings) as host, waiting(say("verifying", settings.language)):
        found = host.ledger.verify()
        rows = [] if as_json else readable_differences(host, found)
    if as_json:
        said = {"rows": done.rows, "left_out": done.left_out, "clean": found.clean}
        write_json(said | {"differences": found.differences})
    else:
        click.echo(say("restored", settings.language, rows=sum(done.rows.values())))
        _remark_left_out(done.left_out, settings)
    if found.clean:
        if not as_json:
            click.echo(say("ledger_clean", settings.language, moves=found.moves))
        return
    if not as_json:
        write_differences(rows, settings.language)
    remark(say("ledger_differs", settings.language, count=len(found.differences)))
    ctx.exit(1)


def _remark_left_out(names: Sequence[str], settings: Settings) -> None:
    """Name the secrets that a backup never holds and somebody has to enter again."""
    if names:
        remark(say("left_out", settings.language, names=", ".join(names)))


@click.command
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def doctor(ctx: click.Context, *, as_json: bool) -> None:
    """Look for what is wrong, and say what to do.

    Ends with 1 where something is broken.

    Example: dianku doctor
    """
    from dianku.operations import examine

    settings: Settings = ctx.obj
    with judged_shop(settings, whatever_its_tables=True) as host:
        findings = [_plain(each, settings) for each in examine(host)]
    findings += _cut_off(settings)
    if as_json:
        write_json(findings)
    elif findings:
        keys = ("severity", "subject", "what", "remedy")
        columns = [Column(key, say(f"column_{key}", settings.language)) for key in keys]
        write_table([_worded(each, settings) for each in findings], columns)
    else:
        click.echo(say("doctor_well", settings.language))
    if any(each["severity"] == "error" for each in findings):
        remark(say("doctor_errors", settings.language))
        ctx.exit(1)


def _cut_off(settings: Settings) -> list[dict[str, str]]:
    """A change of the plugins that was cut off: the server cannot know of it."""
    from dianku_cli.environment.accounts import cut_off_remark

    what = cut_off_remark(settings.language)
    found = {"severity": "error", "subject": "plugins", "what": what, "remedy": ""}
    return [*([found] if what else []), *_left_of_upgrades(settings)]


def _left_of_upgrades(settings: Settings) -> list[dict[str, str]]:
    """What upgrades left that were cut off: room is all it takes."""
    from dianku_cli.environment.leftovers import leftovers

    words = {
        "severity": "note",
        "what": say("upgrade_left", settings.language),
        "remedy": say("upgrade_left_remedy", settings.language),
    }
    return [words | {"subject": str(path)} for path in leftovers(settings)]


def _worded(finding: dict[str, str], settings: Settings) -> dict[str, str]:
    """A finding for a person: how bad it is, in words."""
    return finding | {"severity": say(f"severity_{finding['severity']}", settings.language)}


def _plain(finding: Finding, settings: Settings) -> dict[str, str]:
    """A finding in the person's language."""
    remedy = finding.remedy
    return {
        "severity": finding.severity,
        "subject": finding.subject,
        "what": finding.what.in_language(settings.language),
        "remedy": "" if remedy is None else remedy.in_language(settings.language),
    }
