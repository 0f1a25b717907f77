"""A balance while it is being planned: quantities of a store's product, and weighted average cost.

Cost rules (`value` and average are the sellable bucket's):

* what leaves takes its share of the value, half up; what empties the stock takes all that is left;
* what crosses zero takes all that is left plus the shortage at the last cost;
* what arrives on nothing or less first settles the old shortage to its own unit cost;
* the last cost is the unit cost after the last move that left more than nothing.

So value on positive stock is never negative, nothing is divided by zero, and no cent is lost.
"""

from __future__ import annotations

from attrs import define

from dianku.quantity import cost_of, share_of, unit_cost_of

STORED = (
    "on_hand",
    "reserved",
    "damaged",
    "kept",
    "in_transit",
    "expired",
    "value",
    "damaged_value",
    "in_transit_value",
    "last_cost",
    "moved",
    "counted_at",
)
"""The columns a posting may change, in the order of `Balance.state`."""


@define
class Balance:
    """One row of `stock_balance`, as the batch has changed it so far. Units as in the table."""

    store_id: int
    product_id: int
    precision: int
    on_hand: int = 0
    reserved: int = 0
    damaged: int = 0
    kept: int = 0
    in_transit: int = 0
    expired: int = 0
    value: int = 0
    damaged_value: int = 0
    in_transit_value: int = 0
    last_cost: int = 0
    moved: bool = False
    counted_at: int = 0

    @property
    def pair(self) -> tuple[int, int]:
        """(store, product)."""
        return self.store_id, self.product_id

    @property
    def available(self) -> int:
        """What may be promised: on hand, less promised, less expired."""
        return self.on_hand - self.reserved - self.expired

    @property
    def figures(self) -> tuple[int, ...]:
        """Quantities and values, whatever their units: what has to fit its column."""
        return (
            self.on_hand,
            self.damaged,
            self.kept,
            self.in_transit,
            self.value,
            self.damaged_value,
            self.in_transit_value,
            self.last_cost,
        )

    def state(self) -> tuple[int, ...]:
        """The stored columns, to compare with and to write."""
        return (
            self.on_hand,
            self.reserved,
            self.damaged,
            self.kept,
            self.in_transit,
            self.expired,
            self.value,
            self.damaged_value,
            self.in_transit_value,
            self.last_cost,
            self.moved,
            self.counted_at,
        )

    def restore(self, state: tuple[int, ...]) -> None:
        """Put the stored columns back as `state` gave them."""
        for name, value in zip(STORED, state, strict=True):
            setattr(self, name, value)

    def worth(self, quantity: int) -> int:
        """What `quantity` (positive) would be worth going in at today's cost."""
        if self.on_hand > 0:
            return share_of(self.value, quantity, self.on_hand)
        return cost_of(quantity, self.last_cost, self.precision)

    def take(self, quantity: int) -> int:
        """Take sellable goods out (below zero if need be); returns the value that left."""
        if self.on_hand <= 0:
            value = cost_of(quantity, self.last_cost, self.precision)
        elif quantity < self.on_hand:
            value = share_of(self.value, quantity, self.on_hand)
        else:
            shortage = quantity - self.on_hand
            value = self.value + cost_of(shortage, self.last_cost, self.precision)
        self._change(-quantity, -value)
        return value

    def take_at(self, quantity: int, value: int) -> None:
        """Take out exactly what was put in a moment ago, at the same value."""
        self._change(-quantity, -value)

    def put(self, quantity: int, value: int) -> int:
        """Put sellable goods in; returns the value-only settlement that came first (often 0)."""
        settlement = 0
        if self.on_hand <= 0:
            self.last_cost = unit_cost_of(value, quantity, self.precision)
            settlement = cost_of(self.on_hand, self.last_cost, self.precision) - self.value
            self.value += settlement
        self._change(quantity, value)
        return settlement

    def revalue(self, value: int) -> None:
        """Change the value alone."""
        self._change(0, value)

    def _change(self, quantity: int, value: int) -> None:
        self.on_hand += quantity
        self.value += value
        self.moved = True
        if self.on_hand > 0:
            self.last_cost = unit_cost_of(self.value, self.on_hand, self.precision)

    def take_damaged(self, quantity: int) -> int:
        """Take damaged goods out (never more than there are); returns the value that left."""
        value = share_of(self.damaged_value, quantity, self.damaged)
        self.damaged -= quantity
        self.damaged_value -= value
        self.moved = True
        return value

    def put_damaged(self, quantity: int, value: int) -> None:
        """Put damaged goods in."""
        self.damaged += quantity
        self.damaged_value += value
        self.moved = True

    def take_in_transit(self, quantity: int, value: int) -> None:
        """Goods that arrived, came back or were lost on the way."""
        self.in_transit -= quantity
        self.in_transit_value -= value
        self.moved = True

    def put_in_transit(self, quantity: int, value: int) -> None:
        """Goods that were sent here."""
        self.in_transit += quantity
        self.in_transit_value += value
        self.moved = True
