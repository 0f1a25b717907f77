"""`dianku serve` and `dianku demo`: a shop that answers over HTTP until it is stopped."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from dianku_cli.output import progress, remark
from dianku_cli.settings import Settings
from dianku_cli.shop import acting, open_shop, run_server
from dianku_cli.texts import say

if TYPE_CHECKING:
    from dianku.operations import DemoMade, Entrance

DEFAULT_PORT = 8000
LAST_PORT = 65_535
PORT = click.IntRange(0, LAST_PORT)
EVERYWHERE = "0.0.0.0"  # noqa: S104 - phones cannot reach it otherwise, and --https is for them


@click.command
@click.option(
    "--host",
    help="Address to listen on.  [default: 127.0.0.1; with --https every one, 0.0.0.0]",
)
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
    "--https",
    is_flag=True,
    help="Speak HTTPS, by an authority of the shop's own that its phones trust once.",
)
@click.option(
    "--https-name",
    "https_names",
    metavar="NAME",
    multiple=True,
    help="With --https: one more name or address of this machine; may be repeated.",
)
@click.option(
    "--plain-port",
    type=PORT,
    help="With --https: port of the page that shows phones how to trust it; 0 takes a free one.  "
    "[default: the one after --port]",
)
@click.option(
    "--plugin",
    "plugin_files",
    metavar="FILE",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Load one more plugin from a Python file; may be repeated.",
)
@click.option(
    "--no-background",
    is_flag=True,
    help="Run no jobs and tell plugins nothing; for trying a copy of a shop out.",
)
@click.pass_obj
def serve(
    settings: Settings,
    *,
    host: str | None,
    port: int,
    workers: int,
    https: bool,
    https_names: tuple[str, ...],
    plain_port: int | None,
    plugin_files: tuple[Path, ...],
    no_background: bool,
) -> None:
    """Run the server, migrations first.

    Prints one line, "listening on http://HOST:PORT", when it answers. Ctrl-C stops it.

    With --https it answers phones on the shop's network, each of which trusts the shop once; the
    page that leads a phone through that is at the plain port.

    Example: dianku serve --port 8000
    """
    if not https and (https_names or plain_port is not None):
        raise click.UsageError(say("https_not_asked", settings.language))

    def show_link(link: str) -> None:
        remark(say("set_up_link", settings.language, link=link))

    def show_plain(address: str) -> None:
        remark(say("trust_page", settings.language, address=address))

    if plain_port is None:
        plain_port = port + 1 if 0 < port < LAST_PORT else 0
    run_server(
        settings,
        host=host or (EVERYWHERE if https else "127.0.0.1"),
        port=port,
        workers=workers,
        secure=(plain_port, https_names) if https else None,
        show_plain=show_plain,
        plugin_files=plugin_files,
        background=not no_background,
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

    Makes it in a temporary folder, prints an owner's token, a sign-in link (where the console is
    installed) and its address, and serves it until Ctrl-C.

    Example: dianku demo --port 8080
    """
    with stopped_by_sigterm(), _folder(keep) as folder:
        shop = Settings(
            data=folder, language=settings.language, plugins=settings.plugins, environ={}
        )
        made = _fill(shop)
        click.echo(f"token {made.token}")
        remark(say("demo_hint", settings.language))

        def show_entrance(entrance: Entrance) -> None:
            link = entrance.sign_in(made.name, made.password)
            if link:
                click.echo(say("demo_link", settings.language, link=link))

        run_server(shop, host="127.0.0.1", port=port, show_entrance=show_entrance)


def _fill(shop: Settings) -> DemoMade:
    """Make the shop."""
    from dianku.operations import make_demo

    with open_shop(shop) as host, progress(say("making_demo", shop.language)) as advance:
        return make_demo(host, ctx=acting(host, shop), progress=advance)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """The folder of a demonstration; removed afterwards, however it ends, unless it is kept."""
    if keep is not None:
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="dianku-demo-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def stopped_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the block the way Ctrl-C does, so that what it opened is closed.

    Without it the process would end on the spot; while the server runs, the server answers it.
    """

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
