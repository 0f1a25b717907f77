"""What a strict document of the plain model may take: all, or what it may be shrunk to.

Readings:

* F1 Goods past their date are not available, so a line that takes just those needs nothing of it:
  one that names such a lot, as far as it shows; a write-off of expired goods and a difference,
  as far as any are there. Each piece once in a document. A sale never takes them so.
* F2 A sale that may refuse does not take a lot that is past its date, whatever else is there.
* F3 A partial document gives each line, in order, the most that still fits; of composed goods whole
  units. Nothing at all is a refusal that names every product short of the whole demand.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING

from plain_cells import Refusal, Wanted
from plain_lots import Lot, is_past

if TYPE_CHECKING:
    from plain_stock import Stock


class Fit:
    """Lines of one document against what is available, one after the other."""

    def __init__(self, shop: Stock, store: str, *, kind: str, now: int) -> None:
        self.shop = shop
        self.store = store
        self.kind = kind
        self.now = now
        self.needed: dict[tuple[str, str], int] = {}
        """What lines need of what is there, by (sku, bucket)."""
        self.past: dict[tuple[str, Lot], int] = {}
        """Expired steps that lines take, by lot."""

    def there(self, sku: str, bucket: str) -> int:
        if bucket == "damaged":
            return self.shop.cells[self.store, sku].damaged
        return max(0, self.shop.available(self.store, sku, now=self.now))

    def add(self, w: Wanted) -> None:
        """One more line; it may not fit."""
        for sku, steps in self.shop.takes(w.sku, w.quantity).items():
            free = 0 if w.bucket == "damaged" else self._free(w, sku, steps)
            key = sku, w.bucket
            self.needed[key] = self.needed.get(key, 0) + steps - free

    def _free(self, w: Wanted, sku: str, steps: int) -> int:
        if self.kind == "issue":
            return 0
        shelf, today = self.shop.cells[self.store, sku].shelf, self.shop.today
        free = 0
        if shelf is not None and (w.lot or w.reason == "expired" or self.kind == "delta"):
            for lot in [w.lot] if w.lot else shelf.shown():
                if is_past(lot, today):
                    left = shelf.held.get(lot, 0) - self.past.get((sku, lot), 0)
                    taken = min(left, steps - free)
                    self.past[sku, lot] = self.past.get((sku, lot), 0) + taken
                    free += taken
        return free

    def short(self) -> set[str]:
        """The goods of which more is needed than there is."""
        return {sku for (sku, bucket), n in self.needed.items() if n > self.there(sku, bucket)}


def fit(
    shop: Stock, store: str, wanted: Sequence[Wanted], *, kind: str, now: int, partial: bool
) -> list[Wanted]:
    """The lines as they may be posted; with nothing asked for where nothing is left of a line."""
    if kind == "issue" and any(is_past(w.lot, shop.today) for w in wanted):
        raise Refusal("invalid")
    whole = Fit(shop, store, kind=kind, now=now)
    for w in wanted:
        whole.add(w)
    if not whole.short():
        return list(wanted)
    if not partial:
        raise Refusal("insufficient_stock", short=whole.short())
    running = Fit(shop, store, kind=kind, now=now)
    given = []
    for w in wanted:
        quantity = _most(running, w)
        given.append(replace(w, quantity=quantity, kept=min(w.kept, quantity)))
        running.add(given[-1])
    if not any(w.quantity for w in given):
        raise Refusal("insufficient_stock", short=whole.short())
    return given


def _most(running: Fit, w: Wanted) -> int:
    """The most of a line that still fits, by trying (F3)."""

    def fits(quantity: int) -> bool:
        trial = Fit(running.shop, running.store, kind=running.kind, now=running.now)
        trial.needed, trial.past = dict(running.needed), deepcopy(running.past)
        trial.add(replace(w, quantity=quantity))
        return not trial.short()

    if fits(w.quantity):
        return w.quantity
    low, high = 0, w.quantity
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
