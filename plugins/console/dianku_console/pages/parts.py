"""The parts a page is made of, each shown once: for authors of plugins, and to be looked at."""

from __future__ import annotations

from dianku.api import SIGNED_IN, Page, Title

PAGES = (Page("/console/parts", Title("页面部件", "Page parts"), SIGNED_IN, "parts_page.html"),)
