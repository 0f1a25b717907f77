"""The first page: what needs doing today, and how the shop stands."""

from __future__ import annotations

from dianku.api import SIGNED_IN, Page, Title

PAGES = (Page("/console/", Title("首页", "Home"), SIGNED_IN, "home.html"),)
