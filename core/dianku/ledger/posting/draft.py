"""Documents while they are planned: lines, moves, warnings and exceptions, not yet numbered.

A draft becomes rows in `dianku.ledger.posting.write`, and the caller's answer in
`dianku.ledger.posting.answers`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import define, field

from dianku.catalog.records import Channel, Product, Store


@define
class Move:
    """One signed change of one product in one bucket of one store."""

    line: int
    store_id: int
    product_id: int
    bucket: int
    flow: int
    quantity: int
    value: int
    occurred_at: int
    business_date: int
    lot_id: int = 0
    reason: str = ""


@define
class DraftLine:
    """A line to write. Signed as stored: a reversal's line has its original's with a minus."""

    number: int
    product: Product
    quantity: int
    amount: int | None = None
    cost: int = 0
    variance: int = 0
    kept: int = 0
    counted: int | None = None
    of_line: int | None = None
    reason: str | None = None
    disposition: str | None = None
    bucket: int = 0
    lot_id: int = 0
    occurred_at: int | None = None
    barcode: str | None = None
    recipe: tuple[tuple[int, int], ...] = ()


@define
class Raised:
    """An exception for a person to settle."""

    type: str
    store_id: int
    product_id: int | None
    data: dict[str, Any]


@define
class Draft:
    """A document to write.

    `cause`: the late draft an absorption is posted with; `of_draft`: the count of this same batch
    it is posted against, where that has no number yet.
    """

    kind: str
    action: str
    store: Store
    occurred_at: int
    business_date: int
    actor: str
    device: str | None = None
    to_store: Store | None = None
    channel: Channel | None = None
    reference: str | None = None
    of_document_id: int | None = None
    of_number: str | None = None
    of_draft: Draft | None = None
    reverses_id: int | None = None
    reverses_number: str | None = None
    cause: Draft | None = None
    supplier: str | None = None
    note: str | None = None
    loss_to: str | None = None
    late: bool = False
    import_id: int | None = None
    status: str = "posted"
    payments: Sequence[tuple[str, int]] = ()
    lines: list[DraftLine] = field(factory=list)
    moves: list[Move] = field(factory=list)
    warnings: list[tuple[str, dict[str, Any]]] = field(factory=list)
    raised: list[Raised] = field(factory=list)
    id: int = 0
    number: str = ""
