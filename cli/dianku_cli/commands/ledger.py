"""`dianku ledger` and `dianku stock`: what is true, and whether the sums agree with it."""

from __future__ import annotations

import click

from dianku_cli.books import readable_differences, write_differences
from dianku_cli.output import Column, as_plain, remark, waiting, write_json, write_table
from dianku_cli.settings import Settings
from dianku_cli.shop import acting, open_shop
from dianku_cli.texts import say


@click.group
def ledger() -> None:
    """Verify and rebuild the ledger's sums.

    Example: dianku ledger verify --json
    """


@ledger.command
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print JSON: {clean, moves, differences: [...], earlier}.",
)
@click.option(
    "--since-last", is_flag=True, help="Go on from the last run with this option; for every day."
)
@click.pass_context
def verify(ctx: click.Context, *, as_json: bool, since_last: bool) -> None:
    """Compare every balance and summary with the moves it is made of.

    Ends with 1 where something differs, and names the product and store of each difference.

    Example: dianku ledger verify
    """
    settings: Settings = ctx.obj
    with open_shop(settings) as host, waiting(say("verifying", settings.language)):
        found = host.ledger.verify(since_last=since_last)
        rows = [] if as_json else readable_differences(host, found)
    if as_json:
        write_json(found)
    elif found.clean:
        click.echo(say("ledger_clean", settings.language, moves=found.moves))
    else:
        write_differences(rows, settings.language)
    if not found.clean:
        remark(say("ledger_differs", settings.language, count=len(found.differences)))
        ctx.exit(1)


@ledger.command
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def rebuild(settings: Settings, *, as_json: bool) -> None:
    """Make balances and summaries anew from the moves, which are never changed.

    Nothing is posted meanwhile; a running server waits.

    Example: dianku ledger rebuild
    """
    with open_shop(settings) as host, waiting(say("rebuilding", settings.language)):
        done = host.ledger.rebuild()
    if as_json:
        write_json({"rows": done.rows})
    else:
        click.echo(say("ledger_rebuilt", settings.language, rows=sum(done.rows.values())))


NUMBERS = ("on_hand", "reserved", "available", "damaged", "kept", "sold_7d", "sold_30d", "value")


@click.command
@click.option("--as-of", metavar="DATE", help="Stock at the end of a business date.")
@click.option(
    "--store", "stores", metavar="CODE", multiple=True, help="Limit to stores; may be repeated."
)
@click.option("--sku", "skus", metavar="SKU", multiple=True, help="These goods; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def stock(
    settings: Settings,
    *,
    as_of: str | None,
    stores: tuple[str, ...],
    skus: tuple[str, ...],
    as_json: bool,
) -> None:
    """Print stock, now or as of a date.

    Example: dianku stock --store main --as-of 2026-03-31
    """
    from dianku.operations import StockFilter, checked

    asked = checked({"store": stores, "sku": skus, "as_of": as_of}, StockFilter)
    with open_shop(settings) as host:
        ctx = acting(host, settings)
        rows = as_plain(list(host.stock.each_row(asked, ctx=ctx)))
        for sku in sorted(set(skus) - {row["sku"] for row in rows}):
            # Goods without a row are none of this store's or day's; a mistyped SKU is refused.
            host.catalog.get_product(sku, ctx=ctx)
    if as_json:
        write_json(rows)
        return
    columns = [
        Column(key, say(f"column_{key}", settings.language), right=key in NUMBERS)
        for key in ("store", "sku", "name", "unit", *NUMBERS)
    ]
    write_table(rows, columns)
