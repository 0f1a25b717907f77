"""What may be asked of the reports, and how they answer."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from dianku.api import Answer, Code, Day, FlowsRow, Request, SalesRow

Limit = Annotated[int, Meta(ge=1, le=1000)]
Days = Annotated[int, Meta(ge=1, le=3660)]
Cursor = Annotated[str, Meta(max_length=20)]


class PeriodQuestion(Request, frozen=True, kw_only=True):
    """`days=` up to today, or `from=` and `to=`; a week where neither is given."""

    days: Days | None = None
    from_: Day | None = field(name="from", default=None)
    to: Day | None = None
    store: list[Code] = field(default_factory=list)
    limit: Limit = 100
    cursor: Cursor | None = None


class SalesQuestion(PeriodQuestion, frozen=True, kw_only=True):
    """Hot sellers (`order=hot`) or slow ones, by product or in groups.

    `sku` and `category` narrow them. By hour a period is a year at most, on the clocks of the
    stores; sales imported as history have no hour and are left out there.
    """

    channel: list[Code] = field(default_factory=list)
    category: Code | None = None
    sku: list[Code] = field(default_factory=list)
    by: Literal["product", "category", "channel", "store", "day", "hour"] = "product"
    order: Literal["hot", "slow"] = "hot"
    measure: Literal["quantity", "amount"] = "quantity"


class WriteOffQuestion(PeriodQuestion, frozen=True, kw_only=True):
    """What was written off; `sku` and `reason` narrow it."""

    by: Literal["reason", "product", "actor", "day"] = "reason"
    sku: list[Code] = field(default_factory=list)
    reason: list[Code] = field(default_factory=list)


class SalesReport(Answer):
    """Sales of a period, net of returns."""

    from_: str = field(name="from")
    to: str = field(name="to")
    items: list[SalesRow] = field(default_factory=list)
    next_cursor: str | None = None


class WriteOffReport(Answer):
    """What was written off in a period, quantity and value as positive figures."""

    from_: str = field(name="from")
    to: str = field(name="to")
    items: list[FlowsRow] = field(default_factory=list)
    next_cursor: str | None = None
