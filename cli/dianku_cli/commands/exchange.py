"""`dianku import` and `dianku export`: spreadsheets in and out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dianku_cli.failures import listed
from dianku_cli.output import as_plain, cell, progress, remark, write_json, write_record
from dianku_cli.settings import Settings
from dianku_cli.shop import acting, open_shop
from dianku_cli.texts import say

COUNTS = ("rows", "created", "updated", "unchanged", "failed")
KINDS = ("products", "opening-stock", "receipts", "sales-history", "counts")
READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)
WRITABLE = click.Path(dir_okay=False, path_type=Path)


@click.command(name="import")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("file", type=READABLE)
@click.option("--dry-run", is_flag=True, help="Change nothing; say what would happen.")
@click.option("--again", is_flag=True, help="Import a file that was imported before.")
@click.option("--store", metavar="CODE", help="Store of the rows that name none.")
@click.option("--post", is_flag=True, help="Sales history: move stock too.")
@click.option("--create-missing", is_flag=True, help="Sales history: make unknown products.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def import_(
    ctx: click.Context,
    /,
    kind: str,
    file: Path,
    *,
    store: str | None,
    as_json: bool,
    **switches: bool,
) -> None:
    """Read a CSV, XLSX or XLS file into the shop.

    KIND says what the rows are; opening-stock sets the level, sales-history feeds reports and
    forecasts without moving stock. Wrong cells are listed by row and column, and end with 1.

    Example: dianku import products goods.xlsx --dry-run
    """
    settings: Settings = ctx.obj
    if kind != "sales-history" and (switches["post"] or switches["create_missing"]):
        raise click.UsageError("--post and --create-missing go with sales-history only")
    from dianku.operations import import_file

    with (
        open_shop(settings) as host,
        progress(say("importing", settings.language, name=file.name)) as advance,
    ):
        who = acting(host, settings)
        record = import_file(
            host, file, kind=kind, ctx=who, progress=advance, store=store, **switches
        )
    done = as_plain(record)
    if as_json:
        write_json(done)
    else:
        _show(done, settings)
    if done["status"] == "failed" or done["errors_total"]:
        ctx.exit(1)


def _show(done: dict[str, Any], settings: Settings) -> None:
    """Print the counts, and every wrong cell on standard error."""
    write_record([(key, done[key]) for key in COUNTS])
    lines = [
        f"{each['row']}:{each['column'] or ''} {cell(each['value'])}: {each['message']}"
        for each in done["errors"]
    ]
    for line in listed(lines, settings.language, total=done["errors_total"]):
        remark(line)
    if done["problem"]:
        remark(done["problem"])
    if done["dry_run"]:
        remark(say("import_dry", settings.language))


@click.command
@click.argument("kind")
@click.argument("file", type=WRITABLE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def export(settings: Settings, *, kind: str, file: Path, as_json: bool) -> None:
    """Write records into a CSV or XLSX file.

    The name's ending decides which; KIND is products, stock, documents, moves or a report. An
    export of products imported again changes nothing.

    Example: dianku export products products.xlsx
    """
    with (
        open_shop(settings) as host,
        progress(say("exporting", settings.language)) as advance,
    ):
        who = acting(host, settings)
        rows = host.exchange.export_file(kind, file, ctx=who, progress=advance)
    if as_json:
        write_json({"kind": kind, "file": str(file), "rows": rows})
    else:
        click.echo(say("exported", settings.language, rows=rows, name=file))
