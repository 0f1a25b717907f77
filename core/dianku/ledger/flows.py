"""Flows: what a move was, one small number each.

`daily_summary` is the fold of moves by (store, product, business date, flow, reason); a report
chooses flows. A move keeps its flow for ever, a reversal has its original's with the opposite
sign, so what was reversed falls out of every sum.
"""

from __future__ import annotations

from enum import IntEnum


class Flow(IntEnum):
    """What a stock move was, seen from the store and product it changes."""

    RECEIVED = 1
    SOLD = 2
    COMPONENT = 3
    """Left as a component of a kit or service that was sold."""
    RETURNED = 4
    """Came back from a customer."""
    RETURNED_COMPONENT = 5
    SUPPLIER_RETURNED = 6
    WRITTEN_OFF = 7
    ADJUSTED = 8
    """A stock adjustment or a count, and what a count absorbed."""
    TRANSFERRED_OUT = 9
    TRANSFERRED_IN = 10
    PRODUCED = 11
    CONSUMED = 12
    """Used up in production."""
    SETTLED = 13
    """Value only: an old shortage settled at the cost of the receipt that ends it."""
    COST_ADJUSTED = 14
    """Value only: a late invoice."""
    KEPT = 15
    """Sold but left in the shop (into `kept`), and handed over (out of it)."""
    REATTRIBUTED = 16
    """Quantity zero in sum: lots of one product exchanged."""


SALE_FLOWS = (Flow.SOLD, Flow.COMPONENT, Flow.RETURNED, Flow.RETURNED_COMPONENT)
"""Flows that make `sold_7d`: what left by sale, alone or as a component, net of returns."""


class Bucket(IntEnum):
    """Where goods are within a store."""

    SELLABLE = 0
    DAMAGED = 1
    KEPT = 2
    IN_TRANSIT = 3
