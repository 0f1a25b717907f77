"""The stock of the plain model: what is there, what may be taken of it, and every single move.

What a document does to it says `plain_shop`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from plain_cells import Cell, Count, Document, Goods, Hold, Line, Part, Place, Refusal, is_due
from plain_lots import Lot, Shelf, Split, is_past


class Stock:
    """Cells, holds and moves, what counts absorb."""

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

    def restate(
        self, place: Place, count: Count, steps: int, value: int, *, at: int | None = None
    ) -> None:
        """Move against a count, at its moment or another; lots are again as before (L4)."""
        cell = self.cells[place]
        cell.add(steps, value)
        if cell.shelf is not None:
            was, now = self._was[place], cell.shelf.held
            back = {lot: was.get(lot, 0) - now[lot] for lot in now}
            cell.shelf.held = {lot: was.get(lot, 0) for lot in now}
            for lot, change in [*back.items(), (None, steps - sum(back.values()))]:
                count.lots[lot] = count.lots.get(lot, 0) + change
        cell.moves.append((count.at if at is None else at, False, steps))
        count.steps += steps
        count.value += value

    def _posted(self, kind: str, store: str, lines: list[Line], *, at: int) -> Document:
        absorbed = self.absorb(at=at)
        traits, self._traits = self._traits, set()
        return Document(kind, store, at, lines, absorbed=absorbed, traits=traits)
