"""Stock as it stands, and the stock card."""

from __future__ import annotations

from dianku.http.route import Call, Route
from dianku.ledger.read.requests import MoveFilter, MovePage, StockFilter, StockPage


def list_stock(call: Call) -> StockPage:
    """List stock, now or at a past date or instant."""
    return call.host.stock.stock(call.query, ctx=call.ctx)


def list_moves(call: Call) -> MovePage:
    """Show the stock card of a product."""
    return call.host.stock.moves(call.query, ctx=call.ctx)


ROUTES = (
    Route("GET", "/stock", list_stock, "stock.view", "Stock", query=StockFilter, answer=StockPage),
    Route(
        "GET",
        "/moves",
        list_moves,
        "stock.view",
        "The stock card",
        query=MoveFilter,
        answer=MovePage,
    ),
)
