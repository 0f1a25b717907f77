"""What can be asked of the ledger: documents, reservations, and what is done to them later.

The same types serve HTTP, the command line, imports and plugins. `dianku.ledger.resolve` turns
them into commands: barcodes into products, decimals into steps.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from dianku.wire import Answer, Code, Day, Note, Number, Numeral, Request, When

Kind = Literal[
    "receipt",
    "issue",
    "customer_return",
    "supplier_return",
    "write_off",
    "transfer",
    "adjustment",
    "production",
    "cost_adjustment",
]
Reason = Literal["damaged", "expired", "lost", "stolen", "sample", "own_use", "other"]
Policy = Literal["strict", "permissive"]
PaymentKind = Literal["cash", "wechat", "alipay", "card", "voucher", "other", "exchange"]
"""`exchange`: paid with goods that come back, in a return and a sale that are posted together."""
LINES_MAX = 1000
PAYMENTS_MAX = 20
LotCode = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]*(?!\n)$")]
Text = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*(?!\n)$")]


class NewLine(Request, frozen=True, kw_only=True):
    """One line of a document. `quantity` is in base units, or in packs where `barcode` is given."""

    sku: Code | None = None
    barcode: Text | None = None
    quantity: Number | None = None
    delta: Number | None = None
    counted: Number | None = None
    amount: Number | None = None
    unit_price: Number | None = None
    unit_cost: Number | None = None
    lot: LotCode | None = None
    made_on: Day | None = None
    expires_on: Day | None = None
    reason: Reason | None = None
    disposition: Literal["shelf", "damaged", "discard"] | None = None
    of_line: Annotated[int, Meta(ge=1, le=LINES_MAX)] | None = None
    bucket: Literal["sellable", "damaged"] | None = None
    kept: Number | None = None
    occurred_at: When | None = None


class Payment(Request, frozen=True, kw_only=True):
    """A part of what was paid for a sale, or paid back for a return."""

    kind: PaymentKind
    amount: Number


class NewDocument(Request, frozen=True, kw_only=True):
    """A document to post. What each kind takes and does: `docs/http.md`."""

    kind: Kind
    store: Code
    lines: Annotated[list[NewLine], Meta(min_length=1, max_length=LINES_MAX)]
    to_store: Code | None = None
    channel: Code | None = None
    reference: Text | None = None
    of_document: Code | None = None
    supplier: Text | None = None
    occurred_at: When | None = None
    sent_at: When | None = None
    note: Note | None = None
    policy: Policy | None = None
    partial: bool = False
    fact: bool = False
    payments: Annotated[list[Payment], Meta(min_length=1, max_length=PAYMENTS_MAX)] | None = None


class KeyedDocument(NewDocument, frozen=True, kw_only=True):
    """A document of a batch, with its own key."""

    key: Annotated[str, Meta(min_length=1, max_length=255)] | None = None


class NewBatch(Request, frozen=True, kw_only=True):
    """Up to a thousand documents, posted in order, each on its own.

    Up to twenty may be posted `together`: all of them or, where one is refused, none.
    """

    documents: Annotated[list[KeyedDocument], Meta(min_length=1, max_length=1000)]
    together: bool = False


class LineQuantity(Request, frozen=True, kw_only=True):
    """A line of a document that is there already, and how much of it. None: all that is left."""

    line: Annotated[int, Meta(ge=1, le=LINES_MAX)]
    quantity: Number | None = None


class LineQuantities(Request, frozen=True, kw_only=True):
    """What of a document's lines was handed over or has arrived."""

    lines: Annotated[list[LineQuantity], Meta(min_length=1, max_length=LINES_MAX)]
    occurred_at: When | None = None
    sent_at: When | None = None


class NewKeeping(LineQuantities, frozen=True, kw_only=True):
    """Goods of a sale that the customer leaves in the shop. `note`: whose they are."""

    note: Note | None = None


class NewReversal(Request, frozen=True, kw_only=True):
    """Why a document is reversed."""

    reason: Note


class TransferClose(Request, frozen=True, kw_only=True):
    """Close a transfer short: who bears the loss of what never arrived."""

    loss_to: Literal["sender", "receiver"]


class NewReservationLine(Request, frozen=True, kw_only=True):
    """How much of what is to be kept."""

    sku: Code
    quantity: Number


class NewReservation(Request, frozen=True, kw_only=True):
    """Stock to promise: a hold that ends by itself, or a preorder that is demand only."""

    store: Code
    lines: Annotated[list[NewReservationLine], Meta(min_length=1, max_length=LINES_MAX)]
    channel: Code | None = None
    reference: Text | None = None
    kind: Literal["hold", "preorder"] = "hold"
    expires_in: Annotated[int, Meta(ge=1, le=366 * 86_400)] | None = None
    due_on: Day | None = None


class ReservationCommit(Request, frozen=True, kw_only=True):
    """What of a reservation's lines is handed over; the rest stays promised. None: all of it."""

    lines: Annotated[list[LineQuantity], Meta(min_length=1, max_length=LINES_MAX)] | None = None


class ReservationExtend(Request, frozen=True, kw_only=True):
    """A new end: of a hold in seconds from now, of a preorder as the day it is due."""

    expires_in: Annotated[int, Meta(ge=1, le=366 * 86_400)] | None = None
    due_on: Day | None = None


class LotQuantity(Answer):
    """How much of a line was of which lot."""

    lot: str
    quantity: Numeral
    expires_on: str | None = None


class LineRecord(Answer):
    """A posted line. `quantity` in base units; `cost` its total, absent without `cost.view`."""

    line: int
    sku: str
    quantity: Numeral
    amount: Numeral | None
    cost: Numeral | None
    lots: list[LotQuantity]
    counted: Numeral | None = None
    difference: Numeral | None = None
    """Of a count: what it found too much or (negative) too little, restated by what it absorbed."""
    kept: Numeral | None = None
    reason: str | None = None
    disposition: str | None = None
    bucket: str | None = None
    of_line: int | None = None
    left: Numeral | None = None
    """Of one document asked for alone: how much of a sale may still come back, of a receipt still
    go back, of a transfer still arrive. Null elsewhere."""
    waiting: Numeral | None = None
    """Of a sale with goods that the customer has left in the shop: how much of the line still
    waits there. Told of one document alone and where kept goods are asked for; null elsewhere."""


class BalanceRecord(Answer):
    """What a store holds of a product after the posting. `value` absent without `cost.view`."""

    sku: str
    store: str
    on_hand: Numeral
    reserved: Numeral
    available: Numeral
    value: Numeral | None


class PaymentRecord(Answer):
    """A part of what was paid, or paid back; positive, also on a reversal."""

    kind: str
    amount: Numeral


class Warning(Answer):
    """Something to know about a document that was posted nevertheless."""

    code: str
    message: str
    data: dict[str, object]


class AttachedRecord(Answer):
    """A kept file that is shown with a document; `GET /attachments/{id}` is the file."""

    id: str
    media_type: str
    size: int
    added_at: str
    added_by: str


class KeptRecord(Answer):
    """Goods of a sale that wait in the shop: since when, and whose they are said to be."""

    since: str
    note: str | None


class DocumentRecord(Answer):
    """A posted document, never changed afterwards; `status` follows from what came later.

    `line_count` and `amount` are of all lines, also where a list tells the first of them alone;
    `amount` is null where no line has one, and where the reader may not see it.
    """

    number: str
    kind: str
    action: str
    status: str
    store: str
    to_store: str | None
    channel: str | None
    reference: str | None
    of_document: str | None
    reverses: str | None
    supplier: str | None
    note: str | None
    occurred_at: str
    recorded_at: str
    business_date: str
    late: bool
    actor: str
    device: str | None
    lines: list[LineRecord]
    line_count: int
    amount: Numeral | None
    balances: list[BalanceRecord]
    warnings: list[Warning]
    payments: list[PaymentRecord] = field(default_factory=list)
    """How it was paid or paid back; empty where nobody said."""
    attachments: list[AttachedRecord] = field(default_factory=list)
    """Files beside it, in the order they were added; told with one document alone."""
    kept: KeptRecord | None = None
    """Of a sale whose goods wait in the shop; told as `waiting` of its lines is."""


class Movement(Answer):
    """What the shelf would gain or (negative) lose of a product, in base units."""

    sku: str
    quantity: Numeral


class DocumentForecast(Answer):
    """What a document would be if it were posted now; nothing of it is kept.

    `balances` are those it would leave behind, `movements` what it would change on the shelves of
    its store, components included. Beside what the document itself would be warned of, `warnings`
    tell whoever may see costs of goods sold below them, or bought above their price.
    """

    kind: str
    store: str
    lines: list[LineRecord]
    balances: list[BalanceRecord]
    movements: list[Movement]
    warnings: list[Warning]


class ReservationLineRecord(Answer):
    """What of what is promised. `quantity` as it was asked; `issued`: what of it was issued."""

    line: int
    sku: str
    quantity: Numeral
    issued: Numeral


class ReservationRecord(Answer):
    """A promise of stock and how it stands."""

    id: str
    status: str
    kind: str
    store: str
    channel: str | None
    reference: str | None
    expires_at: str | None
    due_on: str | None
    document: str | None
    lines: list[ReservationLineRecord]
