"""The console's own pages, a module for each job."""

from __future__ import annotations

from collections.abc import Sequence

from dianku.api import Page, Panel
from dianku_console.pages import access, home, parts, scan

PAGES: Sequence[Page] = (*home.PAGES, *access.PAGES, *parts.PAGES, *scan.PAGES)
PANELS: Sequence[Panel] = ()
