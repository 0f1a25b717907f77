"""The reports over HTTP, under `/api/v1/reports`."""

from __future__ import annotations

from msgspec.structs import replace

from dianku.api import (
    Call,
    DocumentFilter,
    DocumentPage,
    MoveFilter,
    MovePage,
    Route,
    Shop,
    StockFilter,
    StockPage,
)
from dianku_reports.questions import (
    SalesQuestion,
    SalesReport,
    WriteOffQuestion,
    WriteOffReport,
)
from dianku_reports.reports import sales_report, write_off_report


def routes(shop: Shop) -> list[Route]:
    """Make the table of routes over one shop."""

    def sales(call: Call) -> SalesReport:
        return sales_report(shop, call.query, ctx=call.ctx)

    def write_offs(call: Call) -> WriteOffReport:
        return write_off_report(shop, call.query, ctx=call.ctx)

    def stock(call: Call) -> StockPage:
        asked = call.query
        if asked.sort is None:
            asked = replace(asked, sort="-sold_7d")
        return shop.stock.stock(asked, ctx=call.ctx)

    def card(call: Call) -> MovePage:
        return shop.stock.moves(call.query, ctx=call.ctx)

    def documents(call: Call) -> DocumentPage:
        return shop.stock.documents(call.query, ctx=call.ctx)

    return [
        Route(
            "GET",
            "/reports/sales",
            sales,
            "reports.view",
            "Hot and slow sellers, and sales in groups",
            query=SalesQuestion,
            answer=SalesReport,
        ),
        Route(
            "GET",
            "/reports/write-offs",
            write_offs,
            "reports.view",
            "What was written off",
            query=WriteOffQuestion,
            answer=WriteOffReport,
        ),
        Route(
            "GET",
            "/reports/stock",
            stock,
            "stock.view",
            "Live stock, 7-day sales and alert lines side by side",
            query=StockFilter,
            answer=StockPage,
        ),
        Route(
            "GET",
            "/reports/stock-card",
            card,
            "stock.view",
            "Every change of one product",
            query=MoveFilter,
            answer=MovePage,
        ),
        Route(
            "GET",
            "/reports/documents",
            documents,
            "document.view",
            "Find documents",
            query=DocumentFilter,
            answer=DocumentPage,
        ),
    ]
