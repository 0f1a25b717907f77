"""`dianku import` and `dianku export`: spreadsheets in and out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from dianku_cli.failures import Failed, listed, problem_text
from dianku_cli.output import as_plain, cell, progress, remark, write_json, write_record
from dianku_cli.settings import Settings
from dianku_cli.shop import acting, open_shop
from dianku_cli.texts import say

COUNTS = {
    "id": "count_id",
    "rows": "count_rows",
    "created": "count_created",
    "updated": "count_updated",
    "unchanged": "count_unchanged",
    "failed": "count_failed",
}
"""What of an import's record is printed, and the heading of each."""
KINDS = ("products", "opening-stock", "receipts", "sales-history", "counts")
FILTER_HELP = "Only what a parameter of the same list over HTTP admits; may repeat."
MAP_HELP = "Which column a field is in (heading or letter); may repeat."
ROW_HELP = "Row the headings stand in, from 1; 0: there are none."
READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)
WRITABLE = click.Path(dir_okay=False, path_type=Path)


@click.command(name="import")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("file", type=READABLE)
@click.option("--dry-run", is_flag=True, help="Change nothing; say what would happen.")
@click.option("--again", is_flag=True, help="Import a file that was imported before.")
@click.option("--store", metavar="CODE", help="Store of the rows that name none.")
@click.option("--map", "maps", multiple=True, metavar="FIELD=HEADING", help=MAP_HELP)
@click.option("--heading-row", type=click.IntRange(0, 1000), metavar="ROW", help=ROW_HELP)
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
    maps: tuple[str, ...],
    heading_row: int | None,
    as_json: bool,
    **switches: bool,
) -> None:
    """Read a CSV, XLSX or XLS file into the shop.

    KIND says what the rows are; opening-stock sets the level, sales-history feeds reports and
    forecasts without moving stock. Wrong cells are listed by row and column, and end with 1.

    Which column is which field is guessed, unless --map says it: the heading or the letter of the
    column, or nothing after the sign for a field that is in no column.

    Example: dianku import products goods.xlsx --dry-run --map price=会员价 --map cost=
    """
    settings: Settings = ctx.obj
    if kind != "sales-history" and (switches["post"] or switches["create_missing"]):
        raise click.UsageError(say("sales_history_only", settings.language))
    mapping = _mapped(maps, settings)
    from dianku.operations import import_file

    with (
        open_shop(settings) as host,
        progress(say("importing", settings.language, name=file.name)) as advance,
    ):
        who = acting(host, settings)
        record = import_file(
            host,
            file,
            kind=kind,
            ctx=who,
            progress=advance,
            store=store,
            mapping=mapping,
            heading_row=heading_row,
            **switches,
        )
    done = as_plain(record)
    if as_json:
        write_json(done)
    else:
        _show(done, settings)
    if done["status"] == "failed" or done["errors_total"]:
        ctx.exit(1)


def _mapped(maps: Sequence[str], settings: Settings) -> dict[str, str | None] | None:
    """`field=heading` options; nothing after the sign: the field is in no column."""
    mapping: dict[str, str | None] = {}
    for each in maps:
        name, equals, heading = each.partition("=")
        if not equals or not name:
            raise click.UsageError(say("map_form", settings.language, given=each))
        if name in mapping:
            raise click.UsageError(say("map_twice", settings.language, name=name))
        mapping[name] = heading or None
    return mapping or None


def _show(done: dict[str, Any], settings: Settings) -> None:
    """Print the counts; wrong cells, and what was mended or left aside, on standard error."""
    language = settings.language
    write_record([(say(title, language), done[key]) for key, title in COUNTS.items()])
    for name in ("errors", "notes"):
        lines = [_remark(each, language) for each in done[name]]
        if name == "notes" and lines:
            remark(say("import_notes", language))
        for line in listed(lines, language, total=done[f"{name}_total"]):
            remark(line)
    unused = {cell(each["heading"]): None for each in done["columns"] if each["field"] is None}
    if named := [name for name in unused if name]:
        remark(say("import_unused", language, names=", ".join(named)))
    if done["problem"]:
        remark(problem_text(done["problem"], done["problem_params"], language))
    if done["dry_run"]:
        remark(say("import_dry", language))


def _remark(each: dict[str, Any], language: str) -> str:
    """Where (sheet, row, column, what stands there), then what is said of it."""
    if each["column"] is None:
        return f"{each['row']}: {each['message']}"
    value = cell(each["value"]) or say("empty_cell", language)
    return f"{each['row']}:{each['column']} {value}: {each['message']}"


@click.command
@click.argument("kind")
@click.argument("file", type=WRITABLE)
@click.option("--filter", "filters", multiple=True, metavar="NAME=VALUE", help=FILTER_HELP)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def export(
    settings: Settings, *, kind: str, file: Path, filters: tuple[str, ...], as_json: bool
) -> None:
    """Write records into a CSV or XLSX file.

    The name's ending decides which; KIND is products, stock, documents, moves or a report, such
    as reports.sales. An export of products imported again changes nothing.

    Example: dianku export reports.sales june.csv --filter from=2026-06-01 --filter to=2026-06-30
    """
    asked = _asked(filters, settings)
    with (
        open_shop(settings) as host,
        progress(say("exporting", settings.language)) as advance,
    ):
        who = acting(host, settings)
        kinds = host.exchange.export_kinds(ctx=who)
        if kind not in kinds:
            known = ", ".join(kinds)
            raise Failed(say("export_unknown", settings.language, name=kind, known=known))
        rows = host.exchange.export_file(kind, file, ctx=who, progress=advance, filters=asked)
    if as_json:
        write_json({"kind": kind, "file": str(file), "rows": rows})
    else:
        click.echo(say("exported", settings.language, rows=rows, name=file))


def _asked(filters: Sequence[str], settings: Settings) -> dict[str, Any]:
    """`name=value` options as query parameters; a name given twice has a list of values."""
    asked: dict[str, Any] = {}
    for each in filters:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise click.UsageError(say("filter_form", settings.language, given=each))
        asked.setdefault(name, []).append(value)
    return {name: values if len(values) > 1 else values[0] for name, values in asked.items()}
