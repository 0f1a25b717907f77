"""The plain model of a shop: every kind of document, reservations, late movements and counts.

Each method posts one document or raises `Refusal` and has changed nothing. Guards come first,
then moves in the order of lines, then what counts absorb. See `plain_cells` for the readings and
`plain_reversal` for how documents are undone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from plain_cells import (
    Count,
    Document,
    Hold,
    Line,
    Part,
    Refusal,
    Wanted,
    half_up,
    is_due,
    share_parts,
)
from plain_fit import fit
from plain_lots import ANY_DATE, Split
from plain_stock import Stock


class Shop(Stock):
    """The whole model: every method posts one document or refuses."""

    def receipt(self, store: str, wanted: Sequence[Wanted], *, at: int) -> Document:
        lines = [
            Line(
                w.sku,
                w.quantity,
                [self.move_in(store, w.sku, w.quantity, w.value or 0, at=at, lots=named(w))],
            )
            for w in wanted
        ]
        return self._posted("receipt", store, lines, at=at)

    def issue(
        self,
        store: str,
        wanted: Sequence[Wanted],
        *,
        at: int,
        now: int,
        strict: bool,
        partial: bool = False,
    ) -> Document:
        wanted = self._known(store, wanted)
        if strict:
            wanted = self._fitting("issue", store, wanted, now=now, partial=partial)
        lines = []
        for w in wanted:
            parts = [
                self.move_out(store, sku, steps, at=at, lots=named(w))
                for sku, steps in self.takes(w.sku, w.quantity).items()
            ]
            if w.kept:
                self.cells[store, w.sku].kept += w.kept
            lines.append(Line(w.sku, w.quantity, parts, kept=w.kept, number=w.number))
        return self._posted("issue", store, lines, at=at)

    def _known(self, store: str, wanted: Sequence[Wanted]) -> list[Wanted]:
        """The lines with their lots, which must be known here; a code alone is the first of it."""
        found = []
        for w in wanted:
            shelf = self.cells[store, w.sku].shelf if w.lot else None
            if w.lot is not None and shelf is not None:
                if w.lot[1] == ANY_DATE:
                    w = replace(w, lot=shelf.called(w.lot[0]))  # noqa: PLW2901
                if w.lot not in shelf.held:
                    raise Refusal("invalid", "insufficient_stock")
                self._traits.add("lot_named")
            found.append(w)
        return found

    def _fitting(
        self, kind: str, store: str, wanted: Sequence[Wanted], *, now: int, partial: bool
    ) -> list[Wanted]:
        given = fit(self, store, wanted, kind=kind, now=now, partial=partial)
        if given != list(wanted):
            self._traits.add("partial")
        return [replace(w, number=n) for n, w in enumerate(given, 1) if w.quantity]

    def customer_return(self, store: str, wanted: Sequence[Wanted], *, at: int) -> Document:
        asked: dict[int, int] = defaultdict(int)
        for w in wanted:
            if w.of is not None:
                asked[id(w.of)] += w.quantity
                with_customer = w.of.left - w.of.waiting
                if (
                    asked[id(w.of)] > w.of.left
                    or w.kept > w.of.waiting
                    or (w.kept and w.quantity - w.kept > with_customer)
                ):
                    raise Refusal("over_returned", "already_reversed", "conflict")
        lines = [self._return_line(store, w, at=at) for w in wanted]
        return self._posted("customer_return", store, lines, at=at)

    def _return_line(self, store: str, w: Wanted, *, at: int) -> Line:
        kept = 0
        if w.of is None:
            given = [
                Part(sku, steps, self.cells[store, sku].worth(steps), named(w) or ((None, steps),))
                for sku, steps in self.takes(w.sku, w.quantity).items()
            ]
        else:
            given = share_parts(w.of, w.of.back, w.of.back + w.quantity)
            kept = w.kept or max(0, w.quantity - (w.of.left - w.of.waiting))
            w.of.back += w.quantity
            w.of.taken_back += kept
            if kept:
                self.cells[store, w.sku].kept -= kept
                self._traits.add("kept_back")
        bucket = {"shelf": "sellable", "damaged": "damaged", "discard": "none"}[w.disposition]
        self.give(store, given, bucket=bucket, at=at)
        return Line(w.sku, w.quantity, given, bucket=bucket, of=w.of, kept=kept)

    def give(self, store: str, parts: Iterable[Part], *, bucket: str, at: int) -> None:
        for part in parts:
            if bucket == "sellable":
                self.move_in(store, part.sku, part.quantity, part.cost, at=at, lots=part.lots)
            elif bucket == "damaged":
                cell = self.cells[store, part.sku]
                cell.damaged += part.quantity
                cell.damaged_value += part.cost

    def supplier_return(
        self, store: str, wanted: Sequence[Wanted], *, at: int, now: int, partial: bool = False
    ) -> Document:
        asked: dict[int, int] = defaultdict(int)
        for w in wanted:
            if w.of is not None:
                asked[id(w.of)] += w.quantity
                if asked[id(w.of)] > w.of.left:
                    raise Refusal("over_returned", "already_reversed", "conflict")
        document = self._strict_out(
            "supplier_return", store, wanted, at=at, now=now, partial=partial
        )
        for line in document.lines:
            if line.of is not None:
                line.of.back += line.quantity
        return document

    def write_off(
        self, store: str, wanted: Sequence[Wanted], *, at: int, now: int, partial: bool = False
    ) -> Document:
        return self._strict_out("write_off", store, wanted, at=at, now=now, partial=partial)

    def _strict_out(
        self,
        kind: str,
        store: str,
        wanted: Sequence[Wanted],
        *,
        at: int,
        now: int,
        partial: bool = False,
    ) -> Document:
        wanted = self._known(store, wanted)
        wanted = self._fitting(kind, store, wanted, now=now, partial=partial)
        lines = []
        for w in wanted:
            if w.bucket == "damaged":
                cost = self.cells[store, w.sku].take_damaged(w.quantity)
                part = Part(w.sku, w.quantity, cost)
            else:
                old = w.reason == "expired"
                part = self.move_out(store, w.sku, w.quantity, at=at, lots=named(w), old_first=old)
            line = Line(w.sku, w.quantity, [part], bucket=w.bucket, of=w.of, number=w.number)
            lines.append(line)
        return self._posted(kind, store, lines, at=at)

    def transfer(
        self,
        store: str,
        to_store: str,
        wanted: Sequence[Wanted],
        *,
        at: int,
        now: int,
        partial: bool = False,
    ) -> Document:
        document = self._strict_out("transfer", store, wanted, at=at, now=now, partial=partial)
        document.to_store = to_store
        for line in document.lines:
            cell = self.cells[to_store, line.sku]
            cell.in_transit += line.quantity
            cell.in_transit_value += line.parts[0].cost
        return document

    def receive(
        self, document: Document, parts: Sequence[tuple[Line, int]], *, at: int
    ) -> Document:
        """Take in what has arrived of a transfer."""
        if document.closed or document.reversed:
            raise Refusal("transfer_closed", "over_received", "conflict")
        if any(quantity > line.left for line, quantity in parts):
            raise Refusal("over_received")
        lines = []
        for line, quantity in parts:
            [part] = share_parts(line, line.back, line.back + quantity)
            line.back += quantity
            self._leave_transit(document.to_store, part)
            self.give(document.to_store, [part], bucket="sellable", at=at)
            lines.append(Line(line.sku, quantity, [part], of=line))
        document.closed = all(line.left == 0 for line in document.lines)
        return self._posted("arrival", document.to_store, lines, at=at)

    def close(self, document: Document) -> None:
        """Close a transfer short (R7)."""
        if document.closed or document.reversed:
            raise Refusal("transfer_closed", "conflict")
        self.drop_rest(document)
        document.closed = True

    def drop_rest(self, document: Document) -> list[Part]:
        rest = [
            part
            for line in document.lines
            if line.left
            for part in share_parts(line, line.back, line.quantity)
        ]
        for part in rest:
            self._leave_transit(document.to_store, part)
        return rest

    def _leave_transit(self, store: str, part: Part) -> None:
        cell = self.cells[store, part.sku]
        cell.in_transit -= part.quantity
        cell.in_transit_value -= part.cost

    def adjust(self, store: str, wanted: Sequence[Wanted], *, at: int, now: int) -> Document:
        """Signed deltas (R9)."""
        self._known(store, [w for w in wanted if w.quantity < 0])
        out = [replace(w, quantity=-w.quantity) for w in wanted if w.quantity < 0]
        fit(self, store, out, kind="delta", now=now, partial=False)
        lines = []
        for w in wanted:
            beyond = -w.quantity > self.available(store, w.sku, now=now)
            lines.append(self._adjust_line(store, w, w.quantity, at=at, old_first=beyond))
        return self._posted("adjustment", store, lines, at=at)

    def _adjust_line(
        self, store: str, w: Wanted, delta: int, *, at: int, old_first: bool = False
    ) -> Line:
        split = ((w.lot, abs(delta)),) if w.lot else None
        if delta > 0:
            worth = self.cells[store, w.sku].worth(delta)
            part = self.move_in(store, w.sku, delta, worth, at=at, lots=split)
        elif delta < 0:
            taken = self.move_out(store, w.sku, -delta, at=at, lots=split, old_first=old_first)
            part = Part(w.sku, delta, -taken.cost, taken.lots)
        else:
            part = Part(w.sku, 0, 0)
        return Line(w.sku, delta, [part])

    def count(self, store: str, wanted: Sequence[Wanted], *, at: int) -> Document:
        """Set levels as of `at`; later counts absorb the difference, earlier moves are in it."""
        lines = []
        for w in wanted:
            assert w.counted is not None
            cell = self.cells[store, w.sku]
            delta = w.counted - cell.level_at(at)
            lines.append(self._adjust_line(store, w, delta, at=at))
            if delta:
                cell.moves[-1] = (at, False, delta)
        document = self._posted("adjustment", store, lines, at=at)
        for line in document.lines:
            [part] = line.parts
            sign = 1 if part.quantity > 0 else -1
            count = Count(at, part.quantity, part.cost, lots={x: sign * n for x, n in part.lots})
            self.cells[store, line.sku].counts.append(count)
            document.counts.append(count)
        return document

    def produce(self, store: str, wanted: Sequence[Wanted], *, at: int, now: int) -> Document:
        """Make goods of their components, or (a negative quantity) break them up (R11)."""
        demand: dict[str, int] = defaultdict(int)
        for w in wanted:
            made = w.quantity > 0
            out = self.components(w.sku, w.quantity) if made else {w.sku: -w.quantity}
            for sku, steps in out.items():
                demand[sku] += steps
        self.guard(store, demand, now=now)
        lines = [
            self._make(store, w, at=at) if w.quantity > 0 else self._break_up(store, w, at=at)
            for w in wanted
        ]
        return self._posted("production", store, lines, at=at)

    def _make(self, store: str, w: Wanted, *, at: int) -> Line:
        used = [
            self.move_out(store, sku, steps, at=at)
            for sku, steps in self.components(w.sku, w.quantity).items()
        ]
        self.move_in(store, w.sku, w.quantity, sum(p.cost for p in used), at=at)
        return Line(w.sku, w.quantity, used)

    def _break_up(self, store: str, w: Wanted, *, at: int) -> Line:
        cost = self.move_out(store, w.sku, -w.quantity, at=at).cost
        parts = self.components(w.sku, -w.quantity)
        worths = [self.cells[store, sku].worth(steps) for sku, steps in parts.items()]
        weights = worths if sum(worths) else list(parts.values())
        given, done = [], 0
        for (sku, steps), weight in zip(parts.items(), weights, strict=True):
            before, done = half_up(cost * done, sum(weights)), done + weight
            value = half_up(cost * done, sum(weights)) - before
            given.append(self.move_in(store, sku, steps, value, at=at))
        return Line(w.sku, w.quantity, given)

    def adjust_cost(self, store: str, wanted: Sequence[Wanted], *, at: int) -> Document:
        changes: dict[str, int] = defaultdict(int)
        for w in wanted:
            changes[w.sku] += w.value or 0
        cells = {sku: self.cells[store, sku] for sku in changes}
        if any(c.on_hand <= 0 or c.value + changes[sku] < 0 for sku, c in cells.items()):
            raise Refusal("value_below_zero")
        lines = []
        for w in wanted:
            value = w.value or 0
            self.cells[store, w.sku].add(0, value)
            lines.append(Line(w.sku, 0, [Part(w.sku, 0, value)]))
        return Document("cost_adjustment", store, at, lines)

    def hand_over(self, document: Document, parts: Sequence[tuple[Line, int]]) -> None:
        """Kept goods leave with the customer."""
        if any(quantity > line.waiting for line, quantity in parts):
            raise Refusal("insufficient_stock", "conflict", "over_received", "not_reversible")
        for line, quantity in parts:
            line.handed_over += quantity
            self.cells[document.store, line.sku].kept -= quantity

    def keep(self, document: Document, parts: Sequence[tuple[Line, int]]) -> None:
        """Goods that the customer has are kept, once more or for the first time."""
        if any(quantity > line.left - line.waiting for line, quantity in parts):
            raise Refusal("invalid", "already_reversed")
        for line, quantity in parts:
            line.handed_over -= quantity
            self.cells[document.store, line.sku].kept += quantity

    # -- reservations ---------------------------------------------------------------------

    def reserve(
        self, store: str, lines: Sequence[tuple[str, int]], *, now: int, expires_at: int | None
    ) -> Hold:
        """A hold (strict), or a preorder where it never expires."""
        holds = self._held(lines)
        preorder = expires_at is None
        if not preorder:
            self.guard(store, holds, now=now)
        hold = Hold(store, list(lines), {} if preorder else holds, expires_at, preorder=preorder)
        self.holds.append(hold)
        return hold

    def commit(self, hold: Hold, *, now: int, part: Sequence[int] | None = None) -> Document:
        """Issue what was held, or a part: it cannot fail, but an expired hold must be made anew."""
        if hold.state != "active":
            raise Refusal("reservation_ended", "reservation_expired")
        asked = part or [quantity for _, quantity in hold.lines]
        wanted = [Wanted(sku, n) for (sku, _), n in zip(hold.lines, asked, strict=True) if n]
        rest = [(sku, there - n) for (sku, there), n in zip(hold.lines, asked, strict=True)]
        before, due = (hold.lines, hold.holds), is_due(hold, now)
        hold.lines, hold.holds = rest, self._held(rest) if hold.holds else {}
        # The parts of a kit, each rounded, may come to more than was held of it.
        freed = {sku: n - hold.holds.get(sku, 0) for sku, n in before[1].items()}
        taken = self._held([(w.sku, w.quantity) for w in wanted])
        strict = hold.preorder or due or any(n > freed.get(sku, 0) for sku, n in taken.items())
        try:
            document = self.issue(hold.store, wanted, at=now, now=now, strict=strict)
        except Refusal as refusal:
            hold.lines, hold.holds = before
            if not due or hold.preorder:
                raise
            raise Refusal("reservation_expired") from refusal
        if not any(n for _, n in rest):
            hold.state = "committed"
        return document

    def _held(self, lines: Sequence[tuple[str, int]]) -> dict[str, int]:
        """What lines of a reservation keep of stocked goods."""
        holds: dict[str, int] = defaultdict(int)
        for sku, quantity in lines:
            for part, steps in self.takes(sku, quantity).items():
                holds[part] += steps
        return dict(holds)

    def release(self, hold: Hold, *, now: int) -> None:
        if hold.state != "active" or is_due(hold, now):
            raise Refusal("reservation_ended", "reservation_expired")
        hold.state = "released"

    def extend(self, hold: Hold, *, expires_at: int, now: int) -> None:
        if hold.state != "active" or is_due(hold, now):
            raise Refusal("reservation_ended", "reservation_expired")
        hold.expires_at = expires_at


def named(w: Wanted) -> Split | None:
    """All of a line in the lot it names."""
    return ((w.lot, w.quantity),) if w.lot else None
