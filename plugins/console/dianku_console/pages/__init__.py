"""The console's own pages, a module for each job."""

from __future__ import annotations

from collections.abc import Sequence

from dianku.api import Page, Panel
from dianku_console.pages import (
    access,
    documents,
    home,
    jobs,
    parts,
    scan,
)

PAGES: Sequence[Page] = (
    *home.PAGES,
    *jobs.PAGES,
    *scan.PAGES,
    *documents.PAGES,
    *access.PAGES,
    *parts.PAGES,
)
PANELS: Sequence[Panel] = (*home.PANELS,)
