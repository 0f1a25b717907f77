"""The plugin's hooks: what it registers, and nothing that runs by itself."""

from __future__ import annotations

from collections.abc import Iterable

from dianku.api import Command, ExportKind, Page, Panel, Route, Shop, Title, hookimpl


@hookimpl
def register_routes(shop: Shop) -> Iterable[Route]:
    """The reports over HTTP."""
    from dianku_reports.routes import routes

    return routes(shop)


@hookimpl
def register_exports(shop: Shop) -> Iterable[ExportKind]:
    """Every report as a table."""
    from dianku_reports.exports import exports

    return exports(shop)


@hookimpl
def register_pages() -> Iterable[Page]:
    """The monitor, sales and write-offs, for whoever looks at pages."""
    from dianku_reports.rooms import PAGES

    return PAGES


@hookimpl
def register_panels() -> Iterable[Panel]:
    """Cards of the console's home page."""
    from dianku_reports.pages import PANELS

    return PANELS


@hookimpl
def register_commands() -> Iterable[Command]:
    """`dianku reports`."""

    def load() -> object:
        from dianku_reports.commands import reports

        return reports

    return [Command("reports", Title(zh="数据报表", en="Reports in the terminal"), load)]
