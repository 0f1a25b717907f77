"""`dianku serve` and `dianku demo`: a shop that answers over HTTP until it is stopped."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import click

from dianku_cli.output import progress, remark
from dianku_cli.settings import Settings
from dianku_cli.shop import acting, open_shop, run_server
from dianku_cli.texts import say

DEFAULT_PORT = 8000
PORT = click.IntRange(0, 65_535)


@click.command
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=PORT, default=DEFAULT_PORT, show_default=True, help="Port; 0 takes a free one."
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Processes; more than one on PostgreSQL only.",
)
@click.option(
    "--plugin",
    "plugin_files",
    metavar="FILE",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Load one more plugin from a Python file; may be repeated.",
)
@click.pass_obj
def serve(
    settings: Settings, host: str, port: int, workers: int, plugin_files: tuple[Path, ...]
) -> None:
    """Run the server, migrations first.

    Prints one line, "listening on http://HOST:PORT", when it answers. Ctrl-C stops it.

    Example: dianku serve --port 8000
    """

    def show_link(link: str) -> None:
        remark(say("set_up_link", settings.language, link=link))

    run_server(
        settings,
        host=host,
        port=port,
        workers=workers,
        plugin_files=plugin_files,
        show_link=show_link,
    )


@click.command
@click.option(
    "--port", type=PORT, default=DEFAULT_PORT, show_default=True, help="Port; 0 takes a free one."
)
@click.option(
    "--keep",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Use and keep this folder instead of a temporary one.",
)
@click.pass_obj
def demo(settings: Settings, port: int, keep: Path | None) -> None:
    """Try a shop with goods and months of sales.

    Makes it in a temporary folder, prints its address and an owner's token, and serves it until
    Ctrl-C.

    Example: dianku demo --port 8080
    """
    from dianku.operations import make_demo

    folder = keep or Path(tempfile.mkdtemp(prefix="dianku-demo-"))
    shop = Settings(data=folder, language=settings.language, plugins=settings.plugins, environ={})
    try:
        with open_shop(shop) as host, progress(say("making_demo", settings.language)) as advance:
            token = make_demo(host, ctx=acting(host, settings), progress=advance)
        click.echo(f"token {token}")
        run_server(shop, host="127.0.0.1", port=port)
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
