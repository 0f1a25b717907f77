"""`dianku plugin new` and `dianku plugin check`: for those who write plugins."""

from __future__ import annotations

from pathlib import Path

import click

from dianku_cli.failures import Failed
from dianku_cli.settings import Settings
from dianku_cli.shop import judged_shop
from dianku_cli.texts import say


@click.command
@click.argument("name")
@click.option(
    "--out",
    "into",
    metavar="DIR",
    default=".",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write it in; by default the one you stand in.",
)
@click.pass_obj
def new(settings: Settings, name: str, into: Path) -> None:
    """Begin a plugin: a package that passes the conformance suite as it is.

    Example: dianku plugin new loyalty
    """
    from dianku import __version__
    from dianku.operations import name_of_kernel
    from dianku_cli.authoring.skeleton import NAME, write_skeleton

    if not NAME.fullmatch(name):
        raise Failed(say("plugin_name_form", settings.language, name=name))
    if (taken := name_of_kernel(name)) is not None:
        raise Failed(say("plugin_name_taken", settings.language, name=name, taken=taken))
    folder = write_skeleton(name, into=into, core_version=__version__)
    click.echo(say("plugin_begun", settings.language, folder=folder, name=name))


@click.command
@click.argument("name")
@click.pass_context
def check(ctx: click.Context, name: str) -> None:
    """Run the conformance suite over an installed plugin.

    Example: dianku plugin check reports
    """
    from dianku_cli.authoring.checking import run_suite, suite_is_installed

    settings: Settings = ctx.obj
    with judged_shop(settings) as host:
        host.plugins.state(name)
    if not suite_is_installed():
        raise Failed(say("suite_not_installed", settings.language))
    ctx.exit(1 if run_suite(name) else 0)
