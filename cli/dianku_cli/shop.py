"""The shop a command works on: opened from the settings, prepared first, closed afterwards.

This is the one place where the host is imported, so that `--help` never does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dianku_cli.settings import Settings

if TYPE_CHECKING:
    from dianku.api import Context
    from dianku.host import Host, HostConfig
    from dianku.operations import Entrance


def config_of(
    settings: Settings, *, plugin_files: tuple[Path, ...] = (), background: bool = True
) -> HostConfig:
    """What the host is started with."""
    from dianku.operations import HostConfig, strict_from

    return HostConfig(
        data_dir=settings.data_dir,
        database_url=settings.database or "",
        strict=strict_from(os.environ),
        plugins=settings.plugins,
        edition=settings.value("edition"),
        plugin_files=plugin_files,
        background=background,
    )


@contextmanager
def open_shop(settings: Settings) -> Iterator[Host]:
    """The shop with its database prepared, ready to post; closed at the end of the block.

    Notifying plugins and jobs are left to the server, which hears of what is done here.
    """
    from dianku.host import Host

    host = Host.build(config_of(settings))
    try:
        host.start(background=False)
        yield host
    finally:
        host.close()


@contextmanager
def closed_shop(settings: Settings) -> Iterator[Host]:
    """The shop as it lies: nothing migrated, nothing running. For work on the tables themselves."""
    from dianku.host import Host

    host = Host.build(config_of(settings))
    try:
        yield host
    finally:
        host.close()


@contextmanager
def judged_shop(settings: Settings, *, whatever_its_tables: bool = False) -> Iterator[Host]:
    """The shop with whatever of its plugins runs, also where one keeps it from starting.

    So a broken plugin can be looked at and switched off. With `whatever_its_tables`, also where
    the kernel's tables cannot be brought up, or were made by a newer version.
    """
    from dianku.operations import ConfigurationError, MigrationFailed

    passed = (ConfigurationError, *([MigrationFailed] if whatever_its_tables else []))
    with closed_shop(settings) as host:
        with suppress(*passed):  # kept with the plugin it is about, or found in the tables
            host.start(background=False)
        yield host


@contextmanager
def plugins_shop(settings: Settings) -> Iterator[Host]:
    """The shop for a look at its plugins: they run, or with `--no-plugins` none is imported."""
    with judged_shop(settings) if settings.plugins else looked_shop(settings) as host:
        yield host


@contextmanager
def looked_shop(settings: Settings) -> Iterator[Host]:
    """The shop with its plugins known by their manifests alone, whatever they would do."""
    from attrs import evolve

    from dianku.host import Host

    host = Host.build(evolve(config_of(settings), plugins=True))
    try:
        host.look()
        yield host
    finally:
        host.close()


@contextmanager
def bare_shop(settings: Settings) -> Iterator[Host]:
    """The shop as it lies, with no plugin known: for work on the environment beside it."""
    from attrs import evolve

    from dianku.host import Host

    host = Host.build(evolve(config_of(settings), plugins=False))
    try:
        yield host
    finally:
        host.close()


def acting(host: Host, settings: Settings) -> Context:
    """Who the command line acts as: whoever may open the database may do everything."""
    from dianku.api import Context

    return Context(host.access.actor("cli"), device="cli", language=settings.language)


def run_server(
    settings: Settings,
    *,
    host: str,
    port: int,
    workers: int = 1,
    plugin_files: tuple[Path, ...] = (),
    background: bool = True,
    secure: tuple[int, tuple[str, ...]] | None = None,
    show_link: Callable[[str], None] | None = None,
    show_plain: Callable[[str], None] | None = None,
    show_entrance: Callable[[Entrance], None] | None = None,
) -> None:
    """Serve until Ctrl-C or SIGTERM; prints the one line when it listens.

    `secure` asks for HTTPS: the port of the plain page beside it, and further names of the
    machine. `show_link` gets the one-time set-up link of a shop without an owner, `show_plain`
    the address of the plain page, `show_entrance` where people come in.
    """
    from dianku.operations import serve
    from dianku_cli.environment.versions import held_version

    config = config_of(settings, plugin_files=plugin_files, background=background)
    with held_version():
        serve(
            config,
            address=host,
            port=port,
            workers=workers,
            secure=secure,
            show_link=show_link,
            show_plain=show_plain,
            show_entrance=show_entrance,
        )
