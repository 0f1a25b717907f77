"""What can be asked of the read side, and the rows it answers with.

Quantities, money, costs and values are exact decimal strings; `value` and `cost` are null for
readers without the permission `cost.view`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from dianku.ledger.requests import DocumentRecord, LotQuantity, PaymentKind, ReservationRecord
from dianku.wire import Answer, Code, Day, Number, Numeral, Request

Limit = Annotated[int, Meta(ge=1, le=1000)]
Words = Annotated[str, Meta(max_length=200)]
Moment = Annotated[
    str,
    Meta(
        max_length=40,
        description="A date (business date of the store) or an RFC 3339 time with zone",
        examples=["2026-03-01", "2026-03-01T10:00:00+08:00"],
    ),
]


class PageQuery(Request, frozen=True):
    """What every list takes."""

    limit: Limit = 100
    cursor: Annotated[str, Meta(max_length=2000)] | None = None
    sort: Annotated[str, Meta(max_length=100)] | None = None


class StockFilter(PageQuery, frozen=True):
    """Which rows of stock. Sorts: sku, name, store, on_hand, value, sold_7d, expires_on.

    `expires_within`: something is left of a lot whose last day is at most so many days away, as
    the store's days go; 0 today, what expired before is among them.
    """

    store: list[Code] = field(default_factory=list)
    sku: list[Code] = field(default_factory=list)
    q: Words | None = None
    category: Code | None = None
    low: bool = False
    over: bool = False
    expires_within: Annotated[int, Meta(ge=0, le=36_500)] | None = None
    as_of: Moment | None = None


class StockRow(Answer):
    """One product in one store.

    Kits and services have no stock of their own: `on_hand` is "0", `available` what the
    components allow. `days_of_cover`: available by the sales per day in stock of the last 30
    days, null where nothing was sold. With `as_of` nothing is reserved and no lots are named.
    """

    sku: str
    name: str
    spec: str | None
    category: str | None
    store: str
    unit: str
    on_hand: Numeral
    reserved: Numeral
    available: Numeral
    damaged: Numeral
    kept: Numeral
    in_transit: Numeral
    incoming: Numeral
    claimed: Numeral
    sold_7d: Numeral
    sold_30d: Numeral
    low_stock: Numeral | None
    days_of_cover: Numeral | None
    value: Numeral | None
    lots: list[LotQuantity]
    low: bool
    over: bool


class StockPage(Answer):
    """A page of stock."""

    items: list[StockRow]
    next_cursor: str | None


class MoveFilter(PageQuery, frozen=True, kw_only=True):
    """Which moves of one product. Sort: occurred_at, either way."""

    sku: Code
    store: list[Code] = field(default_factory=list)
    from_: Moment | None = field(name="from", default=None)
    to: Moment | None = None


class MoveRow(Answer):
    """A line of the stock card; `balance_after` is of the same store and bucket."""

    document: str
    line: int
    kind: str
    action: str
    channel: str | None
    store: str
    flow: str
    reason: str | None
    lot: str | None
    bucket: str
    quantity: Numeral
    value: Numeral | None
    balance_after: Numeral
    occurred_at: str
    recorded_at: str
    actor: str


class MovePage(Answer):
    """A page of the stock card."""

    items: list[MoveRow]
    next_cursor: str | None


class DocumentFilter(PageQuery, frozen=True):
    """Which documents. `number` matches from its beginning. Sorts: recorded_at, occurred_at.

    `on_the_way`: transfers alone of which not all has arrived yet; `to_store`: those to these
    stores. `kept`: sales alone of which goods still wait in the shop for their customer;
    `kept_for`: those whose number, reference or notes contain this. `lines`: of each document the
    first so many are told, all where it is left out.
    """

    kind: list[Code] = field(default_factory=list)
    store: list[Code] = field(default_factory=list)
    sku: list[Code] = field(default_factory=list)
    barcode: Words | None = None
    channel: list[Code] = field(default_factory=list)
    reference: Words | None = None
    actor: Words | None = None
    number: Words | None = None
    from_: Moment | None = field(name="from", default=None)
    to: Moment | None = None
    payment: list[PaymentKind] = field(default_factory=list)
    on_the_way: bool = False
    to_store: list[Code] = field(default_factory=list)
    kept: bool = False
    kept_for: Words | None = None
    lines: Annotated[int, Meta(ge=0, le=1000)] | None = None


class DocumentPage(Answer):
    """A page of documents; their `balances` are left empty."""

    items: list[DocumentRecord]
    next_cursor: str | None


class TakingsFilter(Request, frozen=True):
    """What of the takings: which stores and channels, from one business day to another.

    Days left out are each store's own today. `by` tells the kinds of payment apart by person, day
    or store as well.
    """

    store: list[Code] = field(default_factory=list)
    channel: list[Code] = field(default_factory=list)
    from_: Day | None = field(name="from", default=None)
    to: Day | None = None
    by: Literal["actor", "day", "store"] | None = None


class TakingsRow(Answer):
    """What was taken in one kind of payment; null where nobody said how it was paid.

    `refunds` is positive; `net` is sales less refunds.
    """

    payment: str | None
    name: str | None
    sales: Numeral
    refunds: Numeral
    net: Numeral
    documents: int


class Takings(Answer):
    """What was taken, by kind of payment, and in all.

    `from` and `to`: the first and last business date, null where the stores' own days differ.
    """

    from_: str | None = field(name="from")
    to: str | None
    items: list[TakingsRow]
    sales: Numeral
    refunds: Numeral
    net: Numeral


class NewClosing(Request, frozen=True, kw_only=True):
    """A business day to close, today's where none is named.

    `counted`: the cash in the drawer; `float_start`: what of it was there in the morning,
    `float_left`: what stays in it for the next day.
    """

    store: Code
    business_date: Day | None = None
    counted: Number | None = None
    float_start: Number | None = None
    float_left: Number | None = None
    note: Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*(?!\n)$")] | None = None


class ClosingFilter(PageQuery, frozen=True):
    """Which closings, by store and business date. Sorts: closed_at, id, either way."""

    store: list[Code] = field(default_factory=list)
    from_: Day | None = field(name="from", default=None)
    to: Day | None = None


class ClosingRecord(Answer):
    """A day as it was closed: what the books said then, by kind of payment and person.

    `cash` is the net taken in cash; `difference` what was counted less that and less
    `float_start`, null where nobody counted. `stands`: the day was not closed again since.
    """

    id: str
    store: str
    business_date: str
    closed_at: str
    actor: str
    takings: Takings
    cash: Numeral
    float_start: Numeral | None
    counted: Numeral | None
    difference: Numeral | None
    float_left: Numeral | None
    note: str | None
    stands: bool


class ClosingPage(Answer):
    """A page of closings."""

    items: list[ClosingRecord]
    next_cursor: str | None


class ReservationFilter(PageQuery, frozen=True):
    """Which reservations. Sort: created_at, either way."""

    store: list[Code] = field(default_factory=list)
    sku: list[Code] = field(default_factory=list)
    channel: list[Code] = field(default_factory=list)
    reference: Words | None = None
    kind: Literal["hold", "preorder"] | None = None
    status: Literal["active", "committed", "released", "expired"] | None = None


class ReservationPage(Answer):
    """A page of reservations."""

    items: list[ReservationRecord]
    next_cursor: str | None


class ExceptionFilter(PageQuery, frozen=True):
    """Which exceptions. Sort: raised_at, either way."""

    state: Literal["open", "settled"] | None = None
    type: Code | None = None
    store: list[Code] = field(default_factory=list)
    sku: list[Code] = field(default_factory=list)


class ExceptionRecord(Answer):
    """Something a person should look at, and how it was settled."""

    id: str
    type: str
    state: str
    store: str
    sku: str | None
    document: str | None
    data: Any
    raised_at: str
    settled_at: str | None
    settled_by: str | None
    note: str | None


class ExceptionPage(Answer):
    """A page of exceptions."""

    items: list[ExceptionRecord]
    next_cursor: str | None
