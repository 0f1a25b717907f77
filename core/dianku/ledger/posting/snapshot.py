"""What a batch is planned on: the locked rows, and what the batch has done to them so far.

Loaded by `dianku.ledger.posting.load`, changed by the planners, written by
`dianku.ledger.posting.write`. A command that is refused half way leaves no trace: `restore` puts
every row back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy

from attrs import define, field, fields, frozen

from dianku.catalog.records import Product
from dianku.catalog.snapshot import CatalogCache
from dianku.ledger.posting.balance import Balance
from dianku.ledger.posting.draft import Draft
from dianku.ledger.posting.lots import LotShelf
from dianku.ledger.usual import Usual

Pair = tuple[int, int]
"""(store id, product id)."""


@frozen
class StoredLine:
    """A line of a document that is there already."""

    number: int
    product_id: int
    quantity: int
    amount: int | None
    cost: int
    kept: int
    counted: int | None
    of_line: int | None
    bucket: int
    disposition: str | None
    occurred_at: int | None
    reason: str | None


@frozen
class StoredMove:
    """A move that is there already."""

    line: int
    store_id: int
    product_id: int
    bucket: int
    flow: int
    reason: str
    lot_id: int
    quantity: int
    value: int
    occurred_at: int


@frozen
class Original:
    """A document that is there already, with its lines and moves."""

    id: int
    number: str
    kind: str
    action: str
    store_id: int
    to_store_id: int | None
    channel_id: int | None
    reference: str | None
    of_document_id: int | None
    reverses_id: int | None
    cause_id: int | None
    supplier: str | None
    occurred_at: int
    reversed_by: str | None
    lines: tuple[StoredLine, ...]
    moves: tuple[StoredMove, ...]

    @property
    def reversed(self) -> bool:
        """Whether a later document took it back."""
        return self.reversed_by is not None

    def line(self, number: int) -> StoredLine | None:
        """A line by its number."""
        return next((x for x in self.lines if x.number == number), None)


@define
class Family:
    """A document with those that follow from it: returns, arrivals, hand-overs, absorptions."""

    root: Original
    children: list[Original]
    of_reversed: bool = False
    """Whether what the document itself refers to was reversed."""

    def living(self, *actions: str, kind: str | None = None) -> list[Original]:
        """Children of some actions that were not reversed since."""
        return [
            c
            for c in self.children
            if c.action in actions and not c.reversed and (kind is None or c.kind == kind)
        ]

    def done(self, line: int, *actions: str, kind: str | None = None) -> int:
        """Steps of a line that children of some actions have dealt with."""
        return sum(
            x.quantity
            for child in self.living(*actions, kind=kind)
            for x in child.lines
            if x.of_line == line
        )


@frozen
class Count:
    """A posted count of one product in one store: what fixed the level at `at`.

    `draft` is its document while it is of the same batch and has no number yet.
    """

    document_id: int
    number: str
    line: int
    at: int
    draft: Draft | None = None


@define
class Promise:
    """A reservation as the batch sees it. `holds`: product id -> steps that are promised.

    `held`: the products of which they still are. A posting releases what is due of the rows it
    touches alone, so of an order of two goods one may be let go while the other still is held.
    `issued`: steps of each line that were issued already; what is promised is the rest.
    """

    id: int
    code: str
    store_id: int
    channel_id: int | None
    reference: str | None
    kind: str
    state: str
    created_at: int
    expires_at: int | None
    due_on: int | None
    document: Draft | None
    actor: str
    lines: list[tuple[Product, int, tuple[tuple[int, int], ...]]]
    holds: dict[int, int]
    issued: tuple[int, ...] = ()
    held: frozenset[int] = frozenset()
    is_new: bool = False
    changed: bool = False
    document_number: str | None = None

    @property
    def whole(self) -> bool:
        """Whether all that was promised is still held."""
        return len(self.held) == len(self.holds)


@frozen
class Hold:
    """One row of what is promised of a product, as it was loaded."""

    reservation_id: int
    code: str
    reference: str | None
    quantity: int
    expires_at: int | None


@frozen
class Saved:
    """How the rows and lists a command touches stood before it was planned."""

    balances: list[tuple[Balance, tuple[int, ...]]]
    shelves: dict[Pair, LotShelf]
    counts: dict[Pair, list[Count]]
    promises: list[tuple[Promise, Promise]]
    planned: list[tuple[Pair, int]]
    drafts: int


@define
class Snapshot:
    """The state of all that a batch touches."""

    cache: CatalogCache
    now_ms: int
    balances: dict[Pair, Balance] = field(factory=dict)
    loaded: dict[Pair, tuple[int, ...]] = field(factory=dict)
    shelves: dict[Pair, LotShelf] = field(factory=dict)
    lot_ids: dict[tuple[int, str, int], int] = field(factory=dict)
    lot_codes: dict[int, tuple[str, int]] = field(factory=dict)
    families: dict[str, Family] = field(factory=dict)
    counts: dict[Pair, list[Count]] = field(factory=dict)
    moved_since: dict[tuple[Pair, int], int] = field(factory=dict)
    lots_moved_since: dict[tuple[Pair, int, int], int] = field(factory=dict)
    close_calls: set[tuple[Pair, int]] = field(factory=set)
    promises: dict[str, Promise] = field(factory=dict)
    holds: dict[Pair, list[Hold]] = field(factory=dict)
    released: list[tuple[int, int]] = field(factory=list)
    usual: dict[Pair, Usual] = field(factory=dict)
    payments: dict[int, list[tuple[str, int]]] = field(factory=dict)
    """Of documents to reverse and what was refunded of them, by their ids: (kind, amount)."""
    drafts: list[Draft] = field(factory=list)
    moves_planned: dict[Pair, list[tuple[int, bool, int]]] = field(factory=dict)
    """Sellable moves of this batch per pair: (occurred_at, of a count, steps)."""

    def balance(self, store_id: int, product_id: int) -> Balance:
        """The locked row of a product in a store."""
        return self.balances[store_id, product_id]

    def shelf(self, pair: Pair) -> LotShelf | None:
        """The lots of a product in a store; None where lots are not kept."""
        return self.shelves.get(pair)

    def counts_after(
        self, pair: Pair, moment: int, *, besides: Draft | None = None
    ) -> Count | None:
        """The first count after a movement, those of one document left out: it has seen it."""
        counts = self.counts.get(pair)
        if not counts:
            return None
        later = (c for c in counts if c.at > moment and (besides is None or c.draft is not besides))
        return min(later, key=lambda c: c.at, default=None)

    def save(self, pairs: Iterable[Pair]) -> Saved:
        """Remember how what a command touches stands, to put it back if it is refused."""
        touched = [p for p in pairs if p in self.balances]
        return Saved(
            balances=[((b := self.balances[p]), b.state()) for p in touched],
            shelves={p: self.shelves[p].copied() for p in touched if p in self.shelves}
            if self.shelves
            else {},
            counts={p: list(self.counts[p]) for p in touched if p in self.counts}
            if self.counts
            else {},
            promises=[(p, copy(p)) for p in self.promises.values()] if self.promises else [],
            planned=[(p, len(self.moves_planned.get(p, ()))) for p in touched],
            drafts=len(self.drafts),
        )

    def restore(self, saved: Saved) -> None:
        """Put everything back as it was saved: a refused command leaves no trace."""
        for balance, state in saved.balances:
            balance.restore(state)
            self.counts.pop(balance.pair, None)
        self.shelves.update(saved.shelves)
        self.counts.update(saved.counts)
        self.promises = {p.code: p for p, _ in saved.promises}
        for promise, before in saved.promises:
            for each in fields(Promise):
                setattr(promise, each.name, getattr(before, each.name))
        for pair, size in saved.planned:
            if pair in self.moves_planned:
                del self.moves_planned[pair][size:]
        del self.drafts[saved.drafts :]

    def changed(self) -> Mapping[Pair, tuple[int, ...]]:
        """How the rows stand that differ from what was loaded."""
        loaded = self.loaded
        return {p: state for p, b in self.balances.items() if (state := b.state()) != loaded[p]}
