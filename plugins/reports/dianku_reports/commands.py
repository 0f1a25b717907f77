"""`dianku reports`: sellers, write-offs and stock in the terminal, or as JSON."""

from __future__ import annotations

import copy
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

import click
import msgspec

from dianku.api import Shop, StockFilter
from dianku_reports.exports import SALES, STOCK, WRITE_OFFS, Columns
from dianku_reports.questions import SalesQuestion, WriteOffQuestion
from dianku_reports.reports import sales_report, write_off_report

LANGUAGE = "dianku.language"
"""Where the command line keeps, in click's `meta`, the language it was asked to speak."""


class _Spoken(click.Command):
    """A command whose help has a Chinese text beside the English one, each with its example."""

    def __init__(self, *args: Any, zh: str, **more: Any) -> None:
        super().__init__(*args, **more)
        self._zh = zh

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the text of the person's language."""
        if _language() != "en" and self.help:
            shown = copy.copy(self)
            example = self.help.rpartition("Example: ")[2]
            shown.help = f"{self._zh}\n\n例：{example}"
            super(_Spoken, shown).format_help_text(ctx, formatter)
        else:
            super().format_help_text(ctx, formatter)

    def get_short_help_str(self, limit: int = 45) -> str:
        """Give the command's line in listings, in the person's language."""
        return self._zh if _language() != "en" else super().get_short_help_str(limit)


class _SpokenGroup(_Spoken, click.Group):
    """A group of such commands."""


class _Option(click.Option):
    """An option with its help in both languages."""

    def __init__(self, *args: Any, zh: str, **more: Any) -> None:
        super().__init__(*args, **more)
        self._zh = zh

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Give the option and its help, in the person's language."""
        if _language() == "en":
            return super().get_help_record(ctx)
        shown = copy.copy(self)
        shown.help = self._zh
        return super(_Option, shown).get_help_record(ctx)


def _language() -> str:
    ctx = click.get_current_context(silent=True)
    return "en" if ctx is None else str(ctx.meta.get(LANGUAGE, "en"))


def _days(default: int) -> Callable[[Any], Any]:
    return click.option(
        "--days",
        cls=_Option,
        zh="到今天为止的天数。",
        help="How many days up to today.",
        type=click.IntRange(1, 3660),
        default=default,
        show_default=True,
    )


def _by(*groups: str) -> Callable[[Any], Any]:
    """What to add up by: the first of the groups where nothing is said."""
    return click.option(
        "--by",
        cls=_Option,
        zh="按什么汇总。",
        help="What to add up by.",
        type=click.Choice(groups),
        default=groups[0],
        show_default=True,
    )


_store = click.option(
    "--store",
    cls=_Option,
    zh="限于此门店；可重复。",
    multiple=True,
    help="Only this store; may repeat.",
)
_limit = click.option(
    "--limit",
    cls=_Option,
    zh="最多几行。",
    help="How many rows at most.",
    type=click.IntRange(1, 1000),
    default=20,
    show_default=True,
)
_json = click.option(
    "--json", "as_json", cls=_Option, zh="输出 JSON。", is_flag=True, help="Print JSON."
)


@click.group(cls=_SpokenGroup, zh="热销、滞销、报损与库存。")
def reports() -> None:
    """Sellers, write-offs and stock.

    Example: dianku reports sales --days 30
    """


@reports.command(cls=_Spoken, zh="到今天为止的热销或滞销。")
@_days(7)
@_by("product", "category", "channel", "store", "day", "hour")
@click.option(
    "--order",
    cls=_Option,
    zh="热销在前，或滞销在前。",
    help="Best sellers first, or worst.",
    type=click.Choice(["hot", "slow"]),
    default="hot",
    show_default=True,
)
@_store
@_limit
@_json
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


@reports.command("write-offs", cls=_Spoken, zh="到今天为止的报损。")
@_days(30)
@_by("reason", "product", "actor", "day")
@_json
@click.pass_obj
def write_offs(shop: Shop, *, days: int, by: Any, as_json: bool) -> None:
    """What was written off up to today.

    Example: dianku reports write-offs --by product
    """
    asked = WriteOffQuestion(days=days, by=by)
    found = write_off_report(shop, asked, ctx=shop.context())
    names = ["sku", "name"] if by == "product" else [by]
    _show(found, [*names, "quantity", "value"], titles=WRITE_OFFS, as_json=as_json)


@reports.command(cls=_Spoken, zh="现有库存，旁边是 7 天销量和预警线，卖得最好的在前。")
@click.option(
    "--low",
    cls=_Option,
    zh="只看低于预警线的。",
    is_flag=True,
    help="Only goods below their alert line.",
)
@click.option(
    "--expires-within",
    cls=_Option,
    zh="只看这么多天之内到期的。",
    type=click.IntRange(0, 36_500),
    metavar="DAYS",
    help="Only goods whose last day is at most so many days away.",
)
@_store
@_limit
@_json
@click.pass_obj
def stock(
    shop: Shop,
    *,
    low: bool,
    expires_within: int | None,
    store: tuple[str, ...],
    limit: int,
    as_json: bool,
) -> None:
    """Live stock beside 7-day sales and alert lines, the best sellers first.

    Example: dianku reports stock --low
    """
    asked = StockFilter(
        low=low, expires_within=expires_within, store=list(store), limit=limit, sort="-sold_7d"
    )
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
