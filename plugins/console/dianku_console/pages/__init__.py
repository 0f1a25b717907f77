"""The console's own pages, a module for each job."""

from __future__ import annotations

from collections.abc import Sequence

from dianku.api import Page, Panel
from dianku_console.pages import (
    access,
    documents,
    home,
    installation,
    parts,
    people,
    scan,
    shop,
)

PAGES: Sequence[Page] = (
    *home.PAGES,
    *scan.PAGES,
    *documents.PAGES,
    *access.PAGES,
    *people.PAGES,
    *shop.PAGES,
    *installation.PAGES,
    *parts.PAGES,
)
PANELS: Sequence[Panel] = (*home.PANELS,)
