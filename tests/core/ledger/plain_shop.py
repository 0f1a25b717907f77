"""The plain model of a shop: every kind of document, reservations, late movements and counts.

Each method posts one document or raises `Refusal` and has changed nothing. Guards come first,
then moves in the order of lines, then what counts absorb. See `plain_cells` for the readings and
`plain_reversal` for how documents are undone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

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


class Shop:
    """The whole model: cells, documents, holds; every method posts one document or refuses."""

    def __init__(self, goods: Iterable[Goods], stores: Sequence[str]) -> None:
        self.goods: Mapping[str, Goods] = {g.sku: g for g in goods}
        self.cells: dict[Place, Cell] = {
            (store, g.sku): Cell(g.precision, g.cost)
            for store in stores
            for g in self.goods.values()
            if g.stocked
        }
        self.holds: list[Hold] = []
        self._moved: dict[Place, list[tuple[int, int]]] = {}

    # -- guards ---------------------------------------------------------------------------

    def reserved(self, store: str, sku: str, *, now: int) -> int:
        """What active holds that are not due keep of a product."""
        return sum(
            hold.holds.get(sku, 0)
            for hold in self.holds
            if hold.store == store and hold.state == "active" and not is_due(hold, now)
        )

    def available(self, store: str, sku: str, *, now: int) -> int:
        return self.cells[store, sku].on_hand - self.reserved(store, sku, now=now)

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

    def move_out(self, store: str, sku: str, steps: int, *, at: int) -> Part:
        cell = self.cells[store, sku]
        cost = cell.take(steps)
        cell.moves.append((at, True, -steps))
        self._note(store, sku, -steps, -cost)
        return Part(sku, steps, cost)

    def move_in(self, store: str, sku: str, steps: int, value: int, *, at: int) -> Part:
        cell = self.cells[store, sku]
        settled = cell.put(steps, value)
        cell.moves.append((at, True, steps))
        self._note(store, sku, steps, value + settled)
        return Part(sku, steps, value)

    def _note(self, store: str, sku: str, steps: int, value: int) -> None:
        self._moved.setdefault((store, sku), []).append((steps, value))

    def moved(self) -> dict[Place, tuple[int, int]]:
        """Steps and value that went into each cell since the last call."""
        moved, self._moved = self._moved, {}
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
        """Move against a count, at its moment."""
        cell = self.cells[place]
        cell.add(steps, value)
        cell.moves.append((count.at, False, steps))
        count.steps += steps
        count.value += value

    def _posted(self, kind: str, store: str, lines: list[Line], *, at: int) -> Document:
        return Document(kind, store, at, lines, absorbed=self.absorb(at=at))

    # -- documents ------------------------------------------------------------------------

    def receipt(self, store: str, wanted: Sequence[Wanted], *, at: int) -> Document:
        lines = [
            Line(w.sku, w.quantity, [self.move_in(store, w.sku, w.quantity, w.value or 0, at=at)])
            for w in wanted
        ]
        return self._posted("receipt", store, lines, at=at)

    def issue(
        self, store: str, wanted: Sequence[Wanted], *, at: int, now: int, strict: bool
    ) -> Document:
        demand: dict[str, int] = defaultdict(int)
        for w in wanted:
            for sku, steps in self.takes(w.sku, w.quantity).items():
                demand[sku] += steps
        if strict:
            self.guard(store, demand, now=now)
        lines = []
        for w in wanted:
            parts = [
                self.move_out(store, sku, steps, at=at)
                for sku, steps in self.takes(w.sku, w.quantity).items()
            ]
            if w.kept:
                self.cells[store, w.sku].kept += w.kept
            lines.append(Line(w.sku, w.quantity, parts, kept=w.kept))
        return self._posted("issue", store, lines, at=at)

    def customer_return(self, store: str, wanted: Sequence[Wanted], *, at: int) -> Document:
        asked: dict[int, int] = defaultdict(int)
        for w in wanted:
            if w.of is not None:
                asked[id(w.of)] += w.quantity
                if asked[id(w.of)] > w.of.left:
                    raise Refusal("over_returned", "already_reversed", "conflict")
        lines = [self._return_line(store, w, at=at) for w in wanted]
        return self._posted("customer_return", store, lines, at=at)

    def _return_line(self, store: str, w: Wanted, *, at: int) -> Line:
        if w.of is None:
            given = [
                Part(sku, steps, self.cells[store, sku].worth(steps))
                for sku, steps in self.takes(w.sku, w.quantity).items()
            ]
        else:
            given = share_parts(w.of, w.of.back, w.of.back + w.quantity)
            w.of.back += w.quantity
        bucket = {"shelf": "sellable", "damaged": "damaged", "discard": "none"}[w.disposition]
        self.give(store, given, bucket=bucket, at=at)
        return Line(w.sku, w.quantity, given, bucket=bucket, of=w.of)

    def give(self, store: str, parts: Iterable[Part], *, bucket: str, at: int) -> None:
        for part in parts:
            if bucket == "sellable":
                self.move_in(store, part.sku, part.quantity, part.cost, at=at)
            elif bucket == "damaged":
                cell = self.cells[store, part.sku]
                cell.damaged += part.quantity
                cell.damaged_value += part.cost

    def supplier_return(
        self, store: str, wanted: Sequence[Wanted], *, at: int, now: int
    ) -> Document:
        asked: dict[int, int] = defaultdict(int)
        for w in wanted:
            if w.of is not None:
                asked[id(w.of)] += w.quantity
                if asked[id(w.of)] > w.of.left:
                    raise Refusal("over_returned", "already_reversed", "conflict")
        document = self._strict_out("supplier_return", store, wanted, at=at, now=now)
        for w, line in zip(wanted, document.lines, strict=True):
            line.of = w.of
            if w.of is not None:
                w.of.back += w.quantity
        return document

    def write_off(self, store: str, wanted: Sequence[Wanted], *, at: int, now: int) -> Document:
        return self._strict_out("write_off", store, wanted, at=at, now=now)

    def _strict_out(
        self, kind: str, store: str, wanted: Sequence[Wanted], *, at: int, now: int
    ) -> Document:
        sellable: dict[str, int] = defaultdict(int)
        damaged: dict[str, int] = defaultdict(int)
        for w in wanted:
            (damaged if w.bucket == "damaged" else sellable)[w.sku] += w.quantity
        short = {s for s, n in sellable.items() if n > self.available(store, s, now=now)}
        short |= {s for s, n in damaged.items() if n > self.cells[store, s].damaged}
        if short:
            raise Refusal("insufficient_stock", short=short)
        lines = []
        for w in wanted:
            if w.bucket == "damaged":
                cost = self.cells[store, w.sku].take_damaged(w.quantity)
                part = Part(w.sku, w.quantity, cost)
            else:
                part = self.move_out(store, w.sku, w.quantity, at=at)
            lines.append(Line(w.sku, w.quantity, [part], bucket=w.bucket))
        return self._posted(kind, store, lines, at=at)

    def transfer(
        self, store: str, to_store: str, wanted: Sequence[Wanted], *, at: int, now: int
    ) -> Document:
        document = self._strict_out("transfer", store, wanted, at=at, now=now)
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
            self.move_in(document.to_store, part.sku, part.quantity, part.cost, at=at)
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
        demand: dict[str, int] = defaultdict(int)
        for w in wanted:
            if w.quantity < 0:
                demand[w.sku] -= w.quantity
        self.guard(store, demand, now=now)
        lines = [self._adjust_line(store, w.sku, w.quantity, at=at) for w in wanted]
        return self._posted("adjustment", store, lines, at=at)

    def _adjust_line(self, store: str, sku: str, delta: int, *, at: int) -> Line:
        if delta > 0:
            worth = self.cells[store, sku].worth(delta)
            part = self.move_in(store, sku, delta, worth, at=at)
        elif delta < 0:
            taken = self.move_out(store, sku, -delta, at=at)
            part = Part(sku, delta, -taken.cost)
        else:
            part = Part(sku, 0, 0)
        return Line(sku, delta, [part])

    def count(self, store: str, wanted: Sequence[Wanted], *, at: int) -> Document:
        """Set levels as of `at`; later counts absorb the difference, earlier moves are in it."""
        lines = []
        for w in wanted:
            assert w.counted is not None
            cell = self.cells[store, w.sku]
            delta = w.counted - cell.level_at(at)
            lines.append(self._adjust_line(store, w.sku, delta, at=at))
            if delta:
                cell.moves[-1] = (at, False, delta)
        document = self._posted("adjustment", store, lines, at=at)
        for line in document.lines:
            [part] = line.parts
            count = Count(at, part.quantity, part.cost)
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
        if any(quantity > line.kept - line.handed_over for line, quantity in parts):
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
