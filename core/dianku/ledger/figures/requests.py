"""Totals that can be asked for, and the rows they answer with.

A row names what it groups by and leaves the other names null. Quantities of one product are in
its own decimals; those of a group add different units up and are for comparing, not for counting.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from dianku.wire import Answer, Code, Day, Numeral, Request

SalesBy = Literal["product", "category", "channel", "store", "day", "hour"]
FlowsBy = Literal["reason", "product", "category", "store", "day", "actor"]
ValueBy = Literal["store", "category", "product"]


class FigureQuery(Request, frozen=True, kw_only=True):
    """What every total takes: a period of business dates, both ends included."""

    from_: Day = field(name="from")
    to: Day
    store: list[Code] = field(default_factory=list)
    limit: Annotated[int, Meta(ge=1, le=100_000)] = 100
    offset: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


class SalesQuery(FigureQuery, frozen=True, kw_only=True):
    """Which sales; `sku` and `category` (with those under it) narrow them.

    `order` hot: the greatest first; slow: the smallest first, and by product also goods on hand
    that sold nothing, but none that is known for less than a week. Days and hours come in order;
    by hour a period is a year at most, and sales imported as history are left out.
    """

    channel: list[Code] = field(default_factory=list)
    category: Code | None = None
    sku: list[Code] = field(default_factory=list)
    by: SalesBy = "product"
    order: Literal["hot", "slow"] = "hot"
    measure: Literal["quantity", "amount"] = "amount"


class SalesRow(Answer):
    """Sales net of returns; `returns` and `returned_amount` say how much came back.

    `documents`, how many sales, only by hour. `cost` and `margin` are null without `cost.view`.
    """

    sku: str | None = None
    name: str | None = None
    unit: str | None = None
    category: str | None = None
    channel: str | None = None
    store: str | None = None
    day: str | None = None
    hour: int | None = None
    quantity: Numeral | None = None
    amount: Numeral = "0.00"
    returns: Numeral | None = None
    returned_amount: Numeral = "0.00"
    cost: Numeral | None = None
    margin: Numeral | None = None
    documents: int | None = None
    on_hand: Numeral | None = None


class SalesTotals(Answer):
    """Rows of a period; `next_offset` null at the end."""

    from_: str = field(name="from")
    to: str = field(name="to")
    items: list[SalesRow] = field(default_factory=list)
    next_offset: int | None = None


class FlowsQuery(FigureQuery, frozen=True, kw_only=True):
    """Which changes of stock: flows by name, such as written_off."""

    flow: list[Code]
    sku: list[Code] = field(default_factory=list)
    reason: list[Code] = field(default_factory=list)
    by: FlowsBy = "reason"


class FlowsRow(Answer):
    """What came (positive) or went (negative); `value` null without `cost.view`."""

    reason: str | None = None
    sku: str | None = None
    name: str | None = None
    unit: str | None = None
    category: str | None = None
    store: str | None = None
    day: str | None = None
    actor: str | None = None
    quantity: Numeral = "0"
    value: Numeral | None = None


class FlowsTotals(Answer):
    """Rows of a period; `next_offset` null at the end."""

    from_: str = field(name="from")
    to: str = field(name="to")
    items: list[FlowsRow] = field(default_factory=list)
    next_offset: int | None = None


class ValueRow(Answer):
    """What stock is worth; values null without `cost.view`, `on_hand` by product only."""

    store: str | None = None
    category: str | None = None
    sku: str | None = None
    name: str | None = None
    on_hand: Numeral | None = None
    value: Numeral | None = None
    damaged_value: Numeral | None = None
    in_transit_value: Numeral | None = None


class ValueTotals(Answer):
    """The worth of stock at the end of a business date."""

    at: str
    items: list[ValueRow] = field(default_factory=list)
    next_offset: int | None = None
