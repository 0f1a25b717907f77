"""Hold a document that may be refused against what is there: all of it, or (partial) what fits.

Demand is summed per product over the whole document before anything is taken, kits through their
components: the same product twice in a cart, or once alone and once in a gift box, is one demand.
Goods past their date are not available, so what takes just those needs nothing of it; but each
piece is there once. Under the permissive policy only damaged goods must be there: of these there is
never less than none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import define, evolve, field

from dianku.catalog.records import Product
from dianku.errors import FieldError, Problem, Refused
from dianku.ledger.commands import Line, Posting
from dianku.ledger.composition import parts_of
from dianku.ledger.flows import Bucket
from dianku.ledger.plan.making import seen_by_count, short_of
from dianku.ledger.posting.draft import Draft
from dianku.ledger.posting.lots import LotStock
from dianku.ledger.posting.snapshot import Snapshot
from dianku.quantity import format_quantity, share_of

Key = tuple[int, int]
"""(product, bucket)."""


def with_lots(snapshot: Snapshot, posting: Posting) -> Posting:
    """Settle which lots the lines that take goods out name, before any of them moves.

    Raises:
        Refused: `invalid` with every lot that is not known here, or that a sale which may
            refuse names although it is past its date.
    """
    if all(line.lot is None for line in posting.lines):
        return posting
    lines: list[Line] = []
    errors = []
    for line in posting.lines:
        shelf = snapshot.shelf((posting.store.id, line.product.id))
        adds = posting.kind in {"adjustment", "production"} and line.quantity > 0
        if line.lot is None or line.counted is not None or shelf is None or adds:
            lines.append(line)
            continue
        lot = shelf.find(line.lot, line.expires_on)
        late = posting.kind == "issue" and lot is not None and lot.expired(shelf.today)
        if lot is None or (late and posting.strict):
            code = "unknown_lot" if lot is None else "lot_expired"
            errors.append(FieldError(f"/lines/{line.number - 1}/lot", code, {"name": line.lot}))
            continue
        lines.append(evolve(line, expires_on=lot.expires_on))
    if errors:
        raise Refused(Problem("invalid", errors=errors))
    return evolve(posting, lines=tuple(lines))


def fit(snapshot: Snapshot, posting: Posting) -> Sequence[Line]:
    """Return the lines as they may be posted: all as asked, or (partial) shrunk to what fits.

    Raises:
        Refused: `insufficient_stock` with every short product, summed over the document.
    """
    whole = Demand(snapshot, posting)
    for line in posting.lines:
        whole.add(line)
    short = whole.short()
    if not short:
        return posting.lines
    lines = _shrunk(snapshot, posting) if posting.partial else []
    if not lines:
        raise short_of(posting.store, short)
    return lines


@define
class Demand:
    """What lines of one document need of what is available."""

    snapshot: Snapshot
    posting: Posting
    _wanted: dict[Key, int] = field(factory=dict)
    _expired: dict[int, int] = field(factory=dict)
    """Steps past their date that were taken, by lot."""

    def add(self, line: Line) -> None:
        """Count a line in, whether it fits or not."""
        for product, steps in line.parts:
            if not self._asks(product, line):
                continue
            left = steps
            for lot in self._expired_for(product, line):
                taken = min(left, self._untaken(lot))
                self._expired[lot.lot_id] = self._expired.get(lot.lot_id, 0) + taken
                left -= taken
            key = product.id, line.bucket
            self._wanted[key] = self._wanted.get(key, 0) + left

    def room(self, line: Line) -> int:
        """As many of a line's steps as fit beside what was counted in; of composed goods units."""
        room = line.quantity
        for product, steps in line.parts:
            if not steps or not self._asks(product, line):
                continue
            free = sum(self._untaken(lot) for lot in self._expired_for(product, line))
            key = product.id, line.bucket
            left = max(self._there(key) - self._wanted.get(key, 0), 0) + free
            if left < steps:
                room = min(room, left * line.quantity // steps)
        if room < line.quantity and not line.product.stocked:
            room -= room % 10**line.product.precision
        return room

    def short(self) -> list[tuple[Product, int, int]]:
        """All (product, wanted, there) of which more is wanted than there is."""
        return [
            (self.snapshot.cache.product(key[0]), steps, self._there(key))
            for key, steps in self._wanted.items()
            if steps > self._there(key)
        ]

    def _asks(self, product: Product, line: Line) -> bool:
        """Whether a line needs goods to be there now.

        Not where whoever stands at the counter is served, nor where a count has seen the movement.
        """
        if line.bucket == Bucket.DAMAGED:
            return True
        pair = self.posting.store.id, product.id
        seen = seen_by_count(self.snapshot, pair, self.posting.occurred_at)
        return self.posting.strict and not seen

    def _there(self, key: Key) -> int:
        product_id, bucket = key
        balance = self.snapshot.balance(self.posting.store.id, product_id)
        return max(balance.damaged if bucket == Bucket.DAMAGED else balance.available, 0)

    def _untaken(self, lot: LotStock) -> int:
        return max(lot.quantity - self._expired.get(lot.lot_id, 0), 0)

    def _expired_for(self, product: Product, line: Line) -> Sequence[LotStock]:
        """The lots past their date that a line may take; a sale none.

        The lot it names; all for what is written off as expired; all for a difference, since
        nobody knows of what it is.
        """
        shelf = self.snapshot.shelf((self.posting.store.id, product.id))
        if shelf is None or self.posting.kind == "issue" or line.bucket == Bucket.DAMAGED:
            return ()
        lots: Sequence[LotStock] = ()
        if line.lot is not None:
            named = shelf.find(line.lot, line.expires_on)
            lots = () if named is None else (named,)
        elif line.reason == "expired" or self.posting.kind == "adjustment":
            lots = shelf.lots
        return [lot for lot in lots if lot.expired(shelf.today)]


def _shrunk(snapshot: Snapshot, posting: Posting) -> list[Line]:
    """As much of each line, in order, as still fits; its amount in proportion."""
    running = Demand(snapshot, posting)
    lines = []
    for asked in posting.lines:
        line = _smaller(snapshot, asked, running.room(asked))
        if line.quantity:
            running.add(line)
            lines.append(line)
    return lines


def _smaller(snapshot: Snapshot, line: Line, quantity: int) -> Line:
    if quantity == line.quantity:
        return line
    product = line.product
    parts: tuple[tuple[Product, int], ...] = ((product, quantity),)
    if not product.stocked:
        parts = parts_of(product, quantity, line.recipe, snapshot.cache)
    amount = None if line.amount is None else share_of(line.amount, quantity, line.quantity)
    kept = min(line.kept, quantity)
    return evolve(line, quantity=quantity, parts=parts, amount=amount, kept=kept)


def tell_partial(draft: Draft, posting: Posting, lines: Sequence[Line]) -> None:
    """Warn of each line of which less was posted than was asked for."""
    if not posting.partial:
        return
    posted: Mapping[int, int] = {line.number: line.quantity for line in lines}
    for line in posting.lines:
        given = posted.get(line.number, 0)
        if given < line.quantity:
            precision = line.product.precision
            figures = {
                "line": line.number,
                "sku": line.product.sku,
                "requested": format_quantity(line.quantity, precision),
                "posted": format_quantity(given, precision),
            }
            draft.warnings.append(("partial", figures))
