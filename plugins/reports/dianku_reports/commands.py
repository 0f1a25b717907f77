"""`dianku reports`: sellers, write-offs and stock in the terminal, or as JSON."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

import click
import msgspec

from dianku.api import Shop, StockFilter
from dianku_reports.exports import SALES, STOCK, WRITE_OFFS, Columns
from dianku_reports.questions import SalesQuestion, WriteOffQuestion
from dianku_reports.reports import sales_report, write_off_report

LANGUAGE = "dianku.language"
"""Where the command line keeps, in click's `meta`, the language it was asked to speak."""


@click.group()
def reports() -> None:
    """热销、滞销、报损与库存：sellers, write-offs and stock.

    Example: dianku reports sales --days 30
    """


@reports.command()
@click.option("--days", type=click.IntRange(1, 3660), default=7, show_default=True)
@click.option(
    "--by",
    type=click.Choice(["product", "category", "channel", "store", "day", "hour"]),
    default="product",
    show_default=True,
)
@click.option("--order", type=click.Choice(["hot", "slow"]), default="hot", show_default=True)
@click.option("--store", multiple=True, help="Only this store; may repeat.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def sales(
    shop: Shop,
    *,
    days: int,
    by: Any,
    order: Any,
    store: tuple[str, ...],
    limit: int,
    as_json: bool,
) -> None:
    """Hot or slow sellers up to today.

    Example: dianku reports sales --days 30 --by category
    """
    asked = SalesQuestion(days=days, by=by, order=order, store=list(store), limit=limit)
    found = sales_report(shop, asked, ctx=shop.context())
    names = ["sku", "name"] if by == "product" else [by]
    _show(found, [*names, "quantity", "amount", "margin"], titles=SALES, as_json=as_json)


@reports.command("write-offs")
@click.option("--days", type=click.IntRange(1, 3660), default=30, show_default=True)
@click.option(
    "--by",
    type=click.Choice(["reason", "product", "actor", "day"]),
    default="reason",
    show_default=True,
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def write_offs(shop: Shop, *, days: int, by: Any, as_json: bool) -> None:
    """What was written off up to today.

    Example: dianku reports write-offs --by product
    """
    asked = WriteOffQuestion(days=days, by=by)
    found = write_off_report(shop, asked, ctx=shop.context())
    names = ["sku", "name"] if by == "product" else [by]
    _show(found, [*names, "quantity", "value"], titles=WRITE_OFFS, as_json=as_json)


@reports.command()
@click.option("--low", is_flag=True, help="Only goods below their alert line.")
@click.option("--store", multiple=True, help="Only this store; may repeat.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def stock(shop: Shop, *, low: bool, store: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Live stock beside 7-day sales and alert lines, the best sellers first.

    Example: dianku reports stock --low
    """
    asked = StockFilter(low=low, store=list(store), limit=limit, sort="-sold_7d")
    found = shop.stock.stock(asked, ctx=shop.context())
    names = ["sku", "name", "store", "available", "sold_7d", "low_stock", "days_of_cover"]
    _show(found, names, titles=STOCK, as_json=as_json)


def _show(found: Any, names: Sequence[str], *, titles: Columns, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    language = click.get_current_context().meta.get(LANGUAGE, "en")
    headings = {name: title.in_language(language) for name, title in titles}
    rows = [[headings[name] for name in names]]
    rows += [
        [str(getattr(r, n)) if getattr(r, n) is not None else "" for n in names]
        for r in found.items
    ]
    widths = [max(_width(row[i]) for row in rows) for i in range(len(names))]
    for row in rows:
        cells = [
            text + " " * (width - _width(text)) for text, width in zip(row, widths, strict=True)
        ]
        click.echo("  ".join(cells).rstrip())


def _width(text: str) -> int:
    """Columns in a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
