"""Which fields each kind of document takes, as one table.

A field a kind has no use for is refused rather than ignored: a typing mistake that is silently
dropped would be a wrong book entry later.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from attrs import frozen

from dianku.ledger.requests import NewLine


@frozen
class KindRule:
    """What a kind takes beside `sku`, `barcode` and `occurred_at`.

    `measure`: which of quantity, delta, counted a line may carry (one of them).
    """

    measure: tuple[str, ...]
    line_fields: frozenset[str]
    head_fields: frozenset[str]
    composed: bool = False
    """Whether kits and services may stand on a line."""
    archived: bool = False
    """Whether archived goods may still be booked, to clear them out."""
    permissive_channel: bool = False
    """Whether the channel's policy decides; otherwise the kind is strict."""

    @cached_property
    def refused(self) -> tuple[str, ...]:
        """Every field a line of this kind may not carry, in the order of a line's fields."""
        taken = self.line_fields | {*self.measure, "sku", "barcode", "occurred_at"}
        return tuple(name for name in NewLine.__struct_fields__ if name not in taken)


_LOT = frozenset({"lot", "made_on", "expires_on"})
_PRICE = frozenset({"amount", "unit_price"})
_COST = frozenset({"amount", "unit_cost"})

KINDS: Mapping[str, KindRule] = {
    "receipt": KindRule(("quantity",), _LOT | _COST, frozenset({"supplier"})),
    "issue": KindRule(
        ("quantity",),
        _PRICE | {"lot", "expires_on", "kept", "reason"},
        frozenset({"channel", "payments"}),
        composed=True,
        permissive_channel=True,
    ),
    "customer_return": KindRule(
        ("quantity",),
        _PRICE | {"lot", "expires_on", "disposition", "of_line", "reason", "kept"},
        frozenset({"channel", "of_document", "payments"}),
        composed=True,
        archived=True,
    ),
    "supplier_return": KindRule(
        ("quantity",),
        _COST | {"lot", "expires_on", "of_line", "reason", "bucket"},
        frozenset({"supplier", "of_document"}),
        archived=True,
    ),
    "write_off": KindRule(
        ("quantity",),
        frozenset({"lot", "expires_on", "reason", "bucket"}),
        frozenset(),
        archived=True,
    ),
    "transfer": KindRule(("quantity",), frozenset({"lot", "expires_on"}), frozenset({"to_store"})),
    "adjustment": KindRule(
        ("delta", "counted"),
        _LOT | {"reason", "bucket", "unit_cost"},
        frozenset(),
        archived=True,
    ),
    "production": KindRule(("quantity", "delta"), _LOT, frozenset()),
    "cost_adjustment": KindRule((), frozenset({"amount", "reason"}), frozenset({"supplier"})),
}

HEAD_FIELDS = ("to_store", "channel", "of_document", "supplier", "payments")
