"""The plugin's hooks: its site, the pages of its own that it shows there, and the PDF of labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dianku.api import Given, Page, Panel, Route, Shop, Site, hookimpl


@hookimpl
def register_sites(shop: Shop, pages: Sequence[Given], panels: Sequence[Given]) -> Iterable[Site]:
    """`/console` with the pages of every plugin."""
    from dianku_console.site import console_site

    return [console_site(shop, pages=pages, panels=panels)]


@hookimpl
def register_pages() -> Iterable[Page]:
    """The console's own pages."""
    from dianku_console.pages import PAGES

    return PAGES


@hookimpl
def register_routes() -> Iterable[Route]:
    """Labels as a PDF."""
    from dianku_console.labels.asking import ROUTES

    return ROUTES


@hookimpl
def register_panels() -> Iterable[Panel]:
    """The console's own cards at home."""
    from dianku_console.pages import PANELS

    return PANELS
