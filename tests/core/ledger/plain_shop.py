"""The plain model of a shop: every kind of document, reservations, late movements and counts.

Each method posts one document or raises `Refusal` and has changed nothing. Guards come first,
then moves in the order of lines, then what counts absorb. See `plain_cells` for the readings and
`plain_reversal` for how documents are undone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from plain_cells import (
    Cell,
    Count,
    Document,
    Goods,
    Hold,
    Line,
    Part,
    Place,
    Refusal,
    Wanted,
    half_up,
    is_due,
    share_parts,
)
from plain_fit import fit
from plain_lots import ANY_DATE, Lot, Shelf, Split, is_past


class Shop:
    """The whole model: cells, documents, holds; every method posts one document or refuses."""

    def __init__(self, goods: Iterable[Goods], stores: Sequence[str]) -> None:
        self.goods: Mapping[str, Goods] = {g.sku: g for g in goods}
        self.cells: dict[Place, Cell] = {
            (store, g.sku): Cell(g.precision, g.cost, shelf=Shelf() if g.track_lots else None)
            for store in stores
            for g in self.goods.values()
            if g.stocked
        }
        self.holds: list[Hold] = []
        self.now = 0
        """The moment of the step, in ms: it says which lots are past their date."""
        self._moved: dict[Place, list[tuple[int, int]]] = {}
        self._before: dict[Place, dict[Lot, int]] = {}
        self._was: dict[Place, dict[Lot, int]] = {}
        self._traits: set[str] = set()

    def begin(self, now: int) -> None:
        """The moment of the next step."""
        self.now = now
        self._traits = set()

    @property
    def today(self) -> int:
        """The day in China, in days since 1970."""
        return (self.now + 8 * 3_600_000) // 86_400_000

    # -- guards ---------------------------------------------------------------------------

    def reserved(self, store: str, sku: str, *, now: int) -> int:
        """What active holds that are not due keep of a product."""
        return sum(
            hold.holds.get(sku, 0)
            for hold in self.holds
            if hold.store == store and hold.state == "active" and not is_due(hold, now)
        )

    def available(self, store: str, sku: str, *, now: int) -> int:
        cell = self.cells[store, sku]
        past = cell.shelf.past(self.today) if cell.shelf is not None else 0
        return cell.on_hand - self.reserved(store, sku, now=now) - past

    def takes(self, sku: str, quantity: int) -> dict[str, int]:
        """The stocked goods that so much of a product takes (R5)."""
        goods = self.goods[sku]
        if goods.stocked:
            return {sku: quantity}
        return self.components(sku, quantity)

    def components(self, sku: str, quantity: int) -> dict[str, int]:
        """The stocked goods in the recipe of so much of a product."""
        goods = self.goods[sku]
        sums: dict[str, int] = defaultdict(int)
        for part, steps in goods.recipe:
            wanted, rest = divmod(steps * quantity, 10**goods.precision)
            assert rest == 0, "recipes of the model divide evenly"
            for inner, count in self.takes(part, wanted).items():
                sums[inner] += count
        return dict(sums)

    def guard(self, store: str, demand: Mapping[str, int], *, now: int) -> None:
        """Refuse what is not available, every short product at once (I4)."""
        short = [s for s, n in demand.items() if n > self.available(store, s, now=now)]
        if short:
            raise Refusal("insufficient_stock", short=short)

    def is_late(self, store: str, skus: Iterable[str], at: int) -> bool:
        """Whether a count has already seen what moved then."""
        return any(c.at > at for sku in skus for c in self.cells[store, sku].counts)

    # -- moves ----------------------------------------------------------------------------

    def move_out(
        self,
        store: str,
        sku: str,
        steps: int,
        *,
        at: int,
        lots: Split | None = None,
        old_first: bool = False,
    ) -> Part:
        cell = self.cells[store, sku]
        split: Split = ()
        if cell.shelf is not None:
            split = lots or cell.shelf.choose(
                steps, cell.on_hand, today=self.today, old_first=old_first
            )
        cost = cell.take(steps)
        cell.moves.append((at, True, -steps))
        self._note((store, sku), -steps, -cost, split)
        if len(split) > 1:
            self._traits.add("lots_across")
        if any(is_past(lot, self.today) for lot, _ in split):
            self._traits.add("expired_out")
        return Part(sku, steps, cost, split)

    def move_in(
        self, store: str, sku: str, steps: int, value: int, *, at: int, lots: Split | None = None
    ) -> Part:
        cell = self.cells[store, sku]
        split = (lots or ((None, steps),)) if cell.shelf is not None else ()
        settled = cell.put(steps, value)
        cell.moves.append((at, True, steps))
        self._note((store, sku), steps, value + settled, split)
        return Part(sku, steps, value, split)

    def _note(self, place: Place, steps: int, value: int, split: Split) -> None:
        self._moved.setdefault(place, []).append((steps, value))
        cell = self.cells[place]
        if cell.shelf is not None:
            self._before.setdefault(place, dict(cell.shelf.held))
            cell.shelf.move(split, 1 if steps > 0 else -1)
            if cell.shelf.settle(cell.on_hand, today=self.today):
                self._traits.add("reattributed")

    def moved(self) -> dict[Place, tuple[int, int]]:
        """Steps and value that went into each cell since the last call."""
        moved, self._moved = self._moved, {}
        self._was, self._before = self._before, {}
        return {
            place: (sum(p[0] for p in parts), sum(p[1] for p in parts))
            for place, parts in moved.items()
        }

    def absorb(self, *, at: int) -> dict[Place, Count]:
        """Let the first count after `at` absorb what was moved since the last call (R8)."""
        seen: dict[Place, Count] = {}
        for place, (steps, value) in self.moved().items():
            after = [count for count in self.cells[place].counts if count.at > at]
            if after:
                seen[place] = min(after, key=lambda count: count.at)
                self.restate(place, seen[place], -steps, -value)
        return seen

    def restate(self, place: Place, count: Count, steps: int, value: int) -> None:
        """Move against a count, at its moment; lots are again as they were before (L4)."""
        cell = self.cells[place]
        cell.add(steps, value)
        if cell.shelf is not None:
            was, now = self._was[place], cell.shelf.held
            back = {lot: was.get(lot, 0) - now[lot] for lot in now}
            cell.shelf.held = {lot: was.get(lot, 0) for lot in now}
            for lot, change in [*back.items(), (None, steps - sum(back.values()))]:
                count.lots[lot] = count.lots.get(lot, 0) + change
        cell.moves.append((count.at, False, steps))
        count.steps += steps
        count.value += value

    def _posted(self, kind: str, store: str, lines: list[Line], *, at: int) -> Document:
        absorbed = self.absorb(at=at)
        traits, self._traits = self._traits, set()
        return Document(kind, store, at, lines, absorbed=absorbed, traits=traits)

    # -- documents ------------------------------------------------------------------------

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

    # -- reservations ---------------------------------------------------------------------

    def reserve(
        self, store: str, lines: Sequence[tuple[str, int]], *, now: int, expires_at: int | None
    ) -> Hold:
        """A hold (strict), or a preorder where it never expires."""
        holds: dict[str, int] = defaultdict(int)
        for sku, quantity in lines:
            for part, steps in self.takes(sku, quantity).items():
                holds[part] += steps
        preorder = expires_at is None
        if not preorder:
            self.guard(store, holds, now=now)
        hold = Hold(
            store, list(lines), {} if preorder else dict(holds), expires_at, preorder=preorder
        )
        self.holds.append(hold)
        return hold

    def commit(self, hold: Hold, *, now: int) -> Document:
        """Issue what was held: it cannot fail, but an expired hold must be made anew."""
        if hold.state != "active":
            raise Refusal("reservation_ended", "reservation_expired")
        wanted = [Wanted(sku, quantity) for sku, quantity in hold.lines]
        strict = hold.preorder or is_due(hold, now)
        try:
            if not strict:
                hold.state = "committed"
            document = self.issue(hold.store, wanted, at=now, now=now, strict=strict)
        except Refusal as refusal:
            if hold.preorder:
                raise
            raise Refusal("reservation_expired") from refusal
        hold.state = "committed"
        return document

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
