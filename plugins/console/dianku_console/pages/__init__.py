"""The console's own pages, a module for each job."""

from __future__ import annotations

from collections.abc import Sequence

from dianku.api import Page, Panel
from dianku_console.pages import (
    access,
    day_close,
    documents,
    exceptions,
    going_on,
    goods,
    goods_forms,
    goods_imports,
    goods_labels,
    hand_over,
    home,
    installation,
    jobs,
    kept_goods,
    offline,
    parts,
    people,
    quick_keys,
    receipts,
    scan,
    shop,
    trust,
)

PAGES: Sequence[Page] = (
    *home.PAGES,
    *jobs.PAGES,
    *scan.PAGES,
    *goods.PAGES,
    *goods_forms.PAGES,
    *goods_imports.PAGES,
    *goods_labels.PAGES,
    *documents.PAGES,
    *going_on.PAGES,
    *hand_over.PAGES,
    *kept_goods.PAGES,
    *day_close.PAGES,
    *receipts.PAGES,
    *exceptions.PAGES,
    *access.PAGES,
    *people.PAGES,
    *shop.PAGES,
    *quick_keys.PAGES,
    *installation.PAGES,
    *trust.PAGES,
    *offline.PAGES,
    *parts.PAGES,
)
PANELS: Sequence[Panel] = (*home.PANELS, *going_on.PANELS, *hand_over.PANELS)
