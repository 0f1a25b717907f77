"""A plain model of the ledger: what `design/3-ledger.md` says, in dictionaries and integers.

It imports no Dianku and shares no code with it: the state machine posts the same steps to both and
compares. It is slow, holds everything in memory and knows no database and no batch. Lots are in
`plain_lots`, what a strict document may take in `plain_fit`. Quantities are steps, amounts minor
units, values 1/10000.

Readings, where the text leaves room:

* R1 Every inward move on a quantity at or below zero settles the old quantity to its own unit
  cost first, not a receipt's alone: otherwise a return could leave a negative value on goods.
* R2 A gain without a cost (a count, a delta, a return without its sale) comes in at the average,
  or at the last cost where nothing is on hand.
* R3 Returned and received parts take their share of the line's cost as differences of cumulative
  shares, so the parts add up to the line.
* R4 A reversal of what went out brings it back at the cost it left with; of what came in, it leaves
  at the current average and is strict. It is dated now, but that of a count at the count's moment,
  with all that the count absorbed; so later counts absorb it.
* R5 A kit's or service's line takes each component once, summed over all paths of the recipe.
* R6 Goods a customer returned to be discarded change no stock.
* R7 A transfer closed short takes the rest out of `in_transit`; no sellable stock changes. It is
  reversed for what has not arrived.
* R8 What a count absorbs of a late document is the exact opposite of all that the document moved
  in `sellable` there, settlements included, after the whole document. Of its reversal the same
  count takes the exact opposite too, so that on hand stays, whether the goods are there or not.
* R9 A delta adjustment downwards is strict; a count never is. What it takes beyond what is
  available is of goods past their date.
* R12 Of goods a customer returns, those that are with the customer come back first, unless the
  return says that it is of those kept in the shop; then `kept` gives them back. A return of kept
  goods is not undone once its sale was.
* R11 Made goods broken up leave at their average; the components share that in proportion to what
  they are worth there (or to their steps, where they are worth nothing).
* R10 Nothing on hand is worth nothing to a sale: what rounding left at quantity zero stays until
  the next arrival settles it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from plain_lots import Lot, Shelf, Split, cut

Place = tuple[str, str]
"""A store and a sku: what a balance is kept for."""


def half_up(numerator: int, denominator: int) -> int:
    """The nearest integer; halves go away from zero."""
    whole, rest = divmod(abs(numerator), denominator)
    whole += 2 * rest >= denominator
    return whole if numerator >= 0 else -whole


class Refusal(Exception):
    """The ledger must refuse this: one of `codes`, and of a shortage exactly these goods."""

    def __init__(self, *codes: str, short: Iterable[str] = ()) -> None:
        super().__init__(codes, sorted(short))
        self.codes = codes
        self.short = frozenset(short)


@dataclass(frozen=True)
class Goods:
    """A product: `recipe` in steps of each component per base unit; kits hold no stock."""

    sku: str
    precision: int = 0
    cost: int = 0
    composition: str = "none"
    recipe: tuple[tuple[str, int], ...] = ()
    track_lots: bool = False

    @property
    def stocked(self) -> bool:
        return self.composition in {"none", "made"}


@dataclass
class Count:
    """A count of one product: its moment, and what it moved, all that it absorbed included."""

    at: int
    steps: int = 0
    value: int = 0
    lots: dict[Lot | None, int] = field(default_factory=dict)
    """Net steps by lot of all that it moved."""
    reversed: bool = False

    def split(self) -> Split | None:
        """The lots to take it back of, where they all go one way (L4)."""
        nets = [(lot, abs(n)) for lot, n in self.lots.items() if n]
        one_way = all(n * self.steps > 0 for n in self.lots.values() if n)
        return tuple(nets) if one_way else None


@dataclass
class Cell:
    """What one store holds of one product."""

    precision: int
    last_cost: int
    on_hand: int = 0
    value: int = 0
    damaged: int = 0
    damaged_value: int = 0
    kept: int = 0
    in_transit: int = 0
    in_transit_value: int = 0
    moves: list[tuple[int, bool, int]] = field(default_factory=list)
    """(occurred at, whether it was no count, quantity) of the sellable goods."""
    counts: list[Count] = field(default_factory=list)
    """The counts posted here and not reversed."""
    shelf: Shelf | None = None
    """The lots, where they are kept."""

    def take(self, steps: int) -> int:
        """Take goods out; their cost."""
        if self.on_hand > steps:
            cost = half_up(self.value * steps, self.on_hand)
        elif self.on_hand > 0:
            short = steps - self.on_hand
            cost = self.value + half_up(short * self.last_cost, 10**self.precision)
        else:
            cost = half_up(steps * self.last_cost, 10**self.precision)
        self.add(-steps, -cost)
        return cost

    def put(self, steps: int, value: int) -> int:
        """Put goods in at a value; what an old shortage's settlement added (R1)."""
        settled = 0
        if self.on_hand <= 0:
            self.last_cost = half_up(value * 10**self.precision, steps)
            settled = half_up(self.on_hand * self.last_cost, 10**self.precision) - self.value
            self.value += settled
        self.add(steps, value)
        return settled

    def add(self, steps: int, value: int) -> None:
        """One bare move; afterwards the last cost is the average of what is there."""
        self.on_hand += steps
        self.value += value
        if self.on_hand > 0:
            self.last_cost = half_up(self.value * 10**self.precision, self.on_hand)

    def worth(self, steps: int) -> int:
        """What goods without a cost of their own are worth here (R2)."""
        if self.on_hand > 0:
            return half_up(self.value * steps, self.on_hand)
        return half_up(steps * self.last_cost, 10**self.precision)

    def take_damaged(self, steps: int) -> int:
        """Take from the damaged goods; their cost, all of it with the last piece."""
        cost = half_up(self.damaged_value * steps, self.damaged)
        self.damaged -= steps
        self.damaged_value -= cost
        return cost

    def level_at(self, moment: int) -> int:
        """On hand at a count: moves of that very moment come after it, other counts before."""
        later = (moment, True)
        return self.on_hand - sum(q for at, moved, q in self.moves if (at, moved) >= later)


@dataclass
class Part:
    """What a line did to one stocked product; of which lots, where they are kept."""

    sku: str
    quantity: int
    cost: int
    lots: Split = ()


@dataclass
class Line:
    """A posted line: asked for, taken or given (`parts`), and what came back of it since."""

    sku: str
    quantity: int
    parts: list[Part]
    bucket: str = "sellable"
    number: int = 0
    """Its place among the lines asked for, from 1, where some may have been left out."""
    kept: int = 0
    back: int = 0
    """Steps returned (of a sale), sent back (of a receipt), or arrived (of a transfer)."""
    of: Line | None = None
    handed_over: int = 0
    taken_back: int = 0
    """Steps of the kept ones that were returned."""
    over: bool = False
    """Whether the sale was reversed."""

    @property
    def left(self) -> int:
        return self.quantity - self.back

    @property
    def waiting(self) -> int:
        """Steps still kept for their owner."""
        return self.kept - self.handed_over - self.taken_back


@dataclass
class Document:
    """A posted document as far as later ones ask about it."""

    kind: str
    store: str
    at: int
    lines: list[Line]
    to_store: str = ""
    absorbed: dict[Place, Count] = field(default_factory=dict)
    """Counts that had seen it already, by where."""
    counts: list[Count] = field(default_factory=list)
    """Of a document that counts: one for each line."""
    reversed: bool = False
    closed: bool = False
    traits: set[str] = field(default_factory=set)
    """What was out of the ordinary about it."""


@dataclass
class Hold:
    """A reservation: its lines as asked, what they keep of stocked goods, and until when."""

    store: str
    lines: list[tuple[str, int]]
    holds: dict[str, int]
    expires_at: int | None
    state: str = "active"
    preorder: bool = False


@dataclass(frozen=True)
class Wanted:
    """One line of a document to post, in integers. `value` None: as the kind decides."""

    sku: str
    quantity: int = 0
    value: int | None = None
    kept: int = 0
    of: Line | None = None
    disposition: str = "shelf"
    bucket: str = "sellable"
    counted: int | None = None
    lot: Lot | None = None
    reason: str = ""
    number: int = 0


def share_parts(line: Line, start: int, end: int) -> list[Part]:
    """What falls to the steps from `start` to `end` of a line (R3)."""
    return [
        Part(
            part.sku,
            part.quantity * (end - start) // line.quantity,
            half_up(part.cost * end, line.quantity) - half_up(part.cost * start, line.quantity),
            cut(
                part.lots,
                part.quantity * start // line.quantity,
                part.quantity * end // line.quantity,
            ),
        )
        for part in line.parts
    ]


def is_due(hold: Hold, now: int) -> bool:
    """Whether a hold is past its end, swept or not."""
    return hold.expires_at is not None and hold.expires_at <= now
