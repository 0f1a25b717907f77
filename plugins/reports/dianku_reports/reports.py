"""The reports themselves: questions put to the shop's figures.

Routes, exports and the command line all ask here, so they cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from dianku.api import Context, FlowsQuery, FlowsRow, SalesQuery, SalesRow, Shop
from dianku_reports.questions import (
    SalesQuestion,
    SalesReport,
    WriteOffQuestion,
    WriteOffReport,
)
from dianku_reports.rules import cursor_offset, cursor_text, period

_PAGE_MAX = 1000


def sales_report(shop: Shop, asked: SalesQuestion, *, ctx: Context) -> SalesReport:
    """Answer which goods, categories, channels, stores, days or hours sold how much."""
    days = period(
        today=shop.figures.today(ctx=ctx, stores=asked.store),
        days=asked.days,
        first=asked.from_,
        last=asked.to,
    )
    found = shop.figures.sales(
        SalesQuery(
            from_=days.first,
            to=days.last,
            store=asked.store,
            channel=asked.channel,
            category=asked.category,
            sku=asked.sku,
            by=asked.by,
            order=asked.order,
            measure=asked.measure,
            limit=asked.limit,
            offset=cursor_offset(asked.cursor),
        ),
        ctx=ctx,
    )
    return SalesReport(
        from_=found.from_,
        to=found.to,
        items=found.items,
        next_cursor=cursor_text(found.next_offset),
    )


def write_off_report(shop: Shop, asked: WriteOffQuestion, *, ctx: Context) -> WriteOffReport:
    """Answer what was written off, by reason, product, person or day."""
    days = period(
        today=shop.figures.today(ctx=ctx, stores=asked.store),
        days=asked.days,
        first=asked.from_,
        last=asked.to,
    )
    found = shop.figures.flows(
        FlowsQuery(
            from_=days.first,
            to=days.last,
            store=asked.store,
            flow=["written_off"],
            sku=asked.sku,
            reason=asked.reason,
            by=asked.by,
            limit=asked.limit,
            offset=cursor_offset(asked.cursor),
        ),
        ctx=ctx,
    )
    return WriteOffReport(
        from_=found.from_,
        to=found.to,
        items=[_as_loss(row) for row in found.items],
        next_cursor=cursor_text(found.next_offset),
    )


def every_sale(shop: Shop, asked: SalesQuestion, *, ctx: Context) -> Iterator[SalesRow]:
    """Yield all rows of a sales report, page by page."""
    asked = replace(asked, limit=_PAGE_MAX)
    while True:
        page = sales_report(shop, asked, ctx=ctx)
        yield from page.items
        if page.next_cursor is None:
            return
        asked = replace(asked, cursor=page.next_cursor)


def every_write_off(shop: Shop, asked: WriteOffQuestion, *, ctx: Context) -> Iterator[FlowsRow]:
    """Yield all rows of a write-off report, page by page."""
    asked = replace(asked, limit=_PAGE_MAX)
    while True:
        page = write_off_report(shop, asked, ctx=ctx)
        yield from page.items
        if page.next_cursor is None:
            return
        asked = replace(asked, cursor=page.next_cursor)


def _as_loss(row: FlowsRow) -> FlowsRow:
    """Turn what left (negative) into what was lost (positive)."""
    value = None if row.value is None else _opposite(row.value)
    return replace(row, quantity=_opposite(row.quantity), value=value)


def _opposite(numeral: str) -> str:
    if not numeral.strip("-0."):
        return numeral.removeprefix("-")
    return numeral[1:] if numeral.startswith("-") else f"-{numeral}"
