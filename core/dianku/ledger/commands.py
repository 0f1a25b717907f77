"""Commands: what is asked of the ledger, and what comes of it.

A command is the caller's words (`dianku.ledger.requests`); a `Posting` is the same after its
lines were resolved against the catalog. An outcome is a value: what was posted or promised, or
the `Problem` that refused it.
"""

from __future__ import annotations

from attrs import frozen

from dianku.catalog.records import Channel, Product, Store
from dianku.errors import Problem
from dianku.ledger.requests import (
    DocumentRecord,
    LineQuantities,
    NewDocument,
    NewKeeping,
    NewReservation,
    ReservationCommit,
    ReservationExtend,
    ReservationRecord,
)

ALL_OF_IT = ReservationCommit()


@frozen
class Post:
    """Post a document."""

    new: NewDocument
    import_id: int | None = None


@frozen
class Reverse:
    """Reverse a document, naming why."""

    number: str
    reason: str


@frozen
class HandOver:
    """Hand over goods a customer had left in the shop (客存). None: all that is left."""

    number: str
    request: LineQuantities


@frozen
class Keep:
    """Keep goods of a sale that the customer leaves in the shop, though first they took them."""

    number: str
    request: NewKeeping


@frozen
class ReceiveTransfer:
    """Book in what has arrived of a transfer."""

    number: str
    request: LineQuantities


@frozen
class CloseTransfer:
    """Close a transfer short; the rest is lost on the named side."""

    number: str
    loss_to: str


@frozen
class Reserve:
    """Promise stock."""

    new: NewReservation


@frozen
class CommitReservation:
    """Turn a promise, or a part of it, into the issue it was made for."""

    code: str
    request: ReservationCommit = ALL_OF_IT


@frozen
class ReleaseReservation:
    """Give a hold back."""

    code: str


@frozen
class ExtendReservation:
    """Set a new end for a hold."""

    code: str
    request: ReservationExtend


@frozen
class SweepReservations:
    """Mark holds that are past their end as expired (a job; nothing depends on its pace)."""

    codes: tuple[str, ...]


Command = (
    Post
    | Reverse
    | HandOver
    | Keep
    | ReceiveTransfer
    | CloseTransfer
    | Reserve
    | CommitReservation
    | ReleaseReservation
    | ExtendReservation
    | SweepReservations
)


@frozen
class Posted:
    """A document, posted now or (replayed) when its key was first used."""

    record: DocumentRecord
    replayed: bool = False


@frozen
class Reserved:
    """A reservation as it stands now."""

    record: ReservationRecord
    replayed: bool = False


@frozen
class Swept:
    """How many holds were found past their end."""

    count: int


Outcome = Posted | Reserved | Swept | Problem


@frozen
class Line:
    """A line with its product. Quantities in steps, amount in minor units.

    `quantity` is positive; signed where the kind takes a `delta`. `amount` None: the ledger
    decides (the share paid on a return). `parts`: (product, steps) that really move, in order;
    `recipe`: (product id, steps per base unit) of a composition as it was used. `unit_cost`
    (1/10000 per base unit): what a count says those are worth that it finds too many. `listed`:
    what the line comes to at the list price, where that is asked (`dianku.ledger.pricing`).
    """

    number: int
    product: Product
    quantity: int
    parts: tuple[tuple[Product, int], ...]
    recipe: tuple[tuple[int, int], ...] = ()
    amount: int | None = None
    barcode: str | None = None
    counted: int | None = None
    lot: str | None = None
    made_on: int | None = None
    expires_on: int = 0
    reason: str | None = None
    disposition: str | None = None
    of_line: int | None = None
    bucket: int = 0
    kept: int = 0
    occurred_at: int | None = None
    unit_cost: int | None = None
    listed: int | None = None


@frozen
class PriceChanged:
    """What a person sold beside the list or its bounds: in all, and the product it was most of."""

    product: Product
    listed: int
    taken: int


@frozen
class Posting:
    """A document to post, resolved. Times in ms; `strict`: available may not go below zero.

    `timed`: the caller said when; otherwise it happens now, after all that was posted before.
    """

    kind: str
    store: Store
    lines: tuple[Line, ...]
    strict: bool
    occurred_at: int
    catalog_version: int
    to_store: Store | None = None
    channel: Channel | None = None
    reference: str | None = None
    of_document: str | None = None
    supplier: str | None = None
    note: str | None = None
    partial: bool = False
    fact: bool = False
    timed: bool = False
    import_id: int | None = None
    payments: tuple[tuple[str, int], ...] = ()
    price_changed: PriceChanged | None = None

    def counted_at(self, line: Line) -> tuple[int, int]:
        """The moment a line was counted at, and the one from which movements came later.

        A movement at the very moment that a caller names belongs after the count; one that was
        posted before a count of "now" belongs before it, however fast both were.
        """
        if line.occurred_at is not None:
            return line.occurred_at, line.occurred_at
        return self.occurred_at, self.occurred_at if self.timed else self.occurred_at + 1


@frozen
class Reserving:
    """A reservation to make, resolved."""

    store: Store
    lines: tuple[Line, ...]
    kind: str
    channel: Channel | None
    reference: str | None
    expires_at: int | None
    due_on: int | None
    catalog_version: int
