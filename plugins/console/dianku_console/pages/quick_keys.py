"""Keys at the counter (快捷键): which goods have one, in which order, in which colour."""

from __future__ import annotations

from typing import Any

from dianku.api import Call, Page, Title


def _arranged(call: Call) -> dict[str, Any]:
    """The keys as they are shown in the chosen store, or wherever no store has its own."""
    store = call.query["store"]
    return {
        "store": store,
        "keys": call.ask("/quick-keys", store=store or None),
        "limited": not store and call.ctx.actor.stores is not None,
    }


PAGES = (
    Page(
        "/console/quick-keys",
        Title("快捷键", "Quick keys"),
        "store.edit",
        "quick_keys.html",
        _arranged,
        place="manage",
        icon="grid-2x2",
    ),
)
