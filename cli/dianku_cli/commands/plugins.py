"""`dianku plugin` and `dianku edition`: what is installed, and how it fares."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dianku_cli.commands.authoring import check, new
from dianku_cli.commands.editions import back, upgrade
from dianku_cli.commands.plugin_changes import install, remove
from dianku_cli.commands.serving import stopped_by_sigterm
from dianku_cli.output import Column, remark, write_json, write_record, write_table
from dianku_cli.settings import Settings
from dianku_cli.shop import acting, closed_shop, plugins_shop
from dianku_cli.texts import say

if TYPE_CHECKING:
    from dianku.operations import Edition


MEMBER = {"required": "member_required", "optional": "member_optional", "no": "member_no"}
"""Whether a plugin belongs to the edition in use, and how that is said."""


@click.group
def plugin() -> None:
    """Install plugins, list them, switch them on and off.

    Example: dianku plugin list
    """


plugin.add_command(check)
plugin.add_command(new)
plugin.add_command(install)
plugin.add_command(remove)


@plugin.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_plugins(settings: Settings, *, as_json: bool) -> None:
    """List the installed plugins and how they fare.

    Example: dianku plugin list
    """
    from dianku_cli.environment.accounts import account_of, cut_off_account, cut_off_remark

    with plugins_shop(settings) as host:
        rows = [account_of(host, state, settings) for state in host.plugins.states]
    rows += cut_off_account(settings, known=[row["name"] for row in rows])
    if as_json:
        write_json(rows)
    else:
        rows = [_worded(row, settings) for row in rows]
        keys = ("name", "title", "version", "status", "edition", "cause")
        write_table(rows, _columns(*keys, settings=settings))
    if not settings.plugins:
        remark(say("plugins_not_started", settings.language))
    if told := cut_off_remark(settings.language):
        remark(told)


@plugin.command
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def info(settings: Settings, *, name: str, as_json: bool) -> None:
    """Show one plugin in full.

    Example: dianku plugin info reports
    """
    from dianku_cli.environment.accounts import account_in_full

    with plugins_shop(settings) as host:
        row = account_in_full(host, host.plugins.state(name), settings)
    if as_json:
        write_json(row)
        return
    shown = _worded(row, settings)
    del shown["required"]  # `edition` says it
    write_record([(say(f"column_{key}", settings.language), shown[key]) for key in shown])


@plugin.command
@click.argument("name")
@click.pass_obj
def enable(settings: Settings, name: str) -> None:
    """Switch a plugin on, from the next start.

    Example: dianku plugin enable reports
    """
    with plugins_shop(settings) as host:
        host.plugins.enable(name, ctx=acting(host, settings))
    click.echo(say("plugin_enabled", settings.language, name=name))


@plugin.command
@click.argument("name")
@click.pass_obj
def disable(settings: Settings, name: str) -> None:
    """Switch a plugin off, from the next start; its data stays.

    Example: dianku plugin disable reports
    """
    with plugins_shop(settings) as host:
        host.plugins.disable(name, ctx=acting(host, settings))
    click.echo(say("plugin_disabled", settings.language, name=name))


@click.group
def edition() -> None:
    """Show editions, build them, change to another.

    Example: dianku edition show
    """


edition.add_command(back)
edition.add_command(upgrade)


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


@edition.command
@click.argument("name")
@click.option(
    "--out",
    required=True,
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the archive goes.",
)
@click.option(
    "--wheels",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Take the wheels of others from here, not from the index.",
)
@click.pass_obj
def build(settings: Settings, *, name: str, out: Path, wheels: Path | None) -> None:
    """Build an edition's bundle, for installing without a network.

    In a clone of Dianku. NAME is an edition of it, or the path of anyone's edition.toml. The bundle
    is for the Python that runs this and for this kind of machine.

    Example: dianku edition build basic --out dist
    """
    from dianku_cli.assembly.building import build_edition
    from dianku_cli.assembly.bundle import sha256_of
    from dianku_cli.assembly.manifests import find_root

    def said(part: str) -> None:
        click.echo(say("building", settings.language, name=part), err=True)

    with stopped_by_sigterm():
        made = build_edition(name, find_root(Path.cwd()), into=out, wheels=wheels, said=said)
    click.echo(say("bundled", settings.language, path=made, sha256=sha256_of(made)))


def _worded(row: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """A plugin's row for a person: its status and its place in words, figures as text."""
    language = settings.language
    shown = row | {
        "status": say(f"status_{row['status']}", language),
        "edition": say(MEMBER[row["edition"]], language),
    }
    if "rows" in row:
        shown["rows"] = [f"{table} {count}" for table, count in row["rows"].items()]
        shown["hooks"] = [_timed(hook) for hook in row["hooks"]]
    return shown


def _timed(hook: dict[str, Any]) -> str:
    """A hook and what its calls took in this process."""
    if not hook["calls"]:
        return str(hook["name"])
    return f"{hook['name']} ({hook['calls']}×, {hook['total_ms']:.1f} ms)"


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
