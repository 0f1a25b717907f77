"""The reports over a traded shop, held against its documents."""

from __future__ import annotations

import json
import re
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest
from click.testing import CliRunner

import dianku_reports
from dianku.api import Call, Context, DocumentFilter, MoveFilter, Refused, Route, Shop, StockFilter
from dianku.plugins.manifest import read_manifest
from dianku_reports import plugin
from dianku_reports.questions import SalesQuestion, WriteOffQuestion


def asked(shop: Shop, path: str, query: Any, *, ctx: Context) -> Any:
    route = next(r for r in routes(shop) if r.path == path)
    assert isinstance(query, route.query)
    answer = route.handler(Call(ctx, host=None, query=query))  # type: ignore[arg-type]
    assert isinstance(answer, route.answer)
    return answer


def routes(shop: Shop) -> list[Route]:
    return list(plugin.register_routes(shop))


def every_document(shop: Shop, kind: str, *, ctx: Context) -> list[Any]:
    found: list[Any] = []
    cursor = None
    while True:
        page = shop.stock.documents(DocumentFilter(kind=[kind], limit=1000, cursor=cursor), ctx=ctx)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found


def test_sales_by_product_equal_the_lines_of_the_documents(plugin_shop: Shop) -> None:
    ctx = plugin_shop.context()
    sums: Counter[str] = Counter()
    amounts: Counter[str] = Counter()
    for kind, sign in (("issue", 1), ("customer_return", -1)):
        for document in every_document(plugin_shop, kind, ctx=ctx):
            if document.business_date < "2026-03-25":
                continue
            for line in document.lines:
                sums[line.sku] += sign * Decimal(line.quantity)  # type: ignore[assignment]
                amounts[line.sku] += sign * Decimal(line.amount)  # type: ignore[assignment]
    report = asked(plugin_shop, "/reports/sales", SalesQuestion(limit=1000), ctx=ctx)
    assert (report.from_, report.to) == ("2026-03-25", "2026-03-31")
    assert {r.sku: Decimal(r.quantity) for r in report.items} == sums
    assert {r.sku: Decimal(r.amount) for r in report.items} == amounts
    quantities = [Decimal(r.quantity) for r in report.items]
    assert quantities == sorted(quantities, reverse=True)
    for by in ("category", "channel", "store", "day", "hour"):
        question = SalesQuestion(by=by, limit=1000)
        rows = asked(plugin_shop, "/reports/sales", question, ctx=ctx).items
        assert sum(Decimal(r.amount) for r in rows) == sum(amounts.values())


def test_sales_in_small_pages_and_as_export_give_the_same_rows(
    plugin_shop: Shop, reader: Context
) -> None:
    paged, cursor = [], None
    while True:
        question = SalesQuestion(order="slow", limit=25, cursor=cursor)
        page = asked(plugin_shop, "/reports/sales", question, ctx=reader)
        paged += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    kind = next(e for e in plugin.register_exports(plugin_shop) if e.name == "reports.sales")
    names = [name for name, _ in kind.columns]
    table = [dict(zip(names, row, strict=True)) for row in kind.rows(reader, order="slow")]
    assert [r["sku"] for r in table] == [r.sku for r in paged]
    assert {r["cost"] for r in table} == {None}
    assert len(paged) > 100


def test_every_export_has_titles_in_both_languages_and_rows_as_wide(
    plugin_shop: Shop, reader: Context
) -> None:
    queries: dict[str, dict[str, Any]] = {
        "reports.stock-card": {"sku": "DR001"},
        "reports.write-offs": {"days": "30", "by": "product"},
        "reports.stock": {"store": "XQ01"},
    }
    kinds = list(plugin.register_exports(plugin_shop))
    assert len(kinds) == 5
    for kind in kinds:
        rows = list(kind.rows(reader, **queries.get(kind.name, {})))
        assert rows
        assert {len(r) for r in rows} == {len(kind.columns)}
        assert all(t.zh and t.en for _, t in kind.columns)
    with pytest.raises(Refused):
        list(kinds[0].rows(reader, by="colour"))


def test_write_offs_are_positive_and_add_up_alike_however_grouped(plugin_shop: Shop) -> None:
    ctx = plugin_shop.context()
    lost = sum(
        Decimal(line.cost)
        for document in every_document(plugin_shop, "write_off", ctx=ctx)
        for line in document.lines
    )
    assert lost > 0
    for by in ("reason", "product", "actor", "day"):
        question = WriteOffQuestion(days=12, by=by, limit=1000)
        rows = asked(plugin_shop, "/reports/write-offs", question, ctx=ctx).items
        assert sum(Decimal(r.value) for r in rows) == lost
        assert all(Decimal(r.quantity) > 0 for r in rows)


def test_monitor_shows_best_sellers_first_with_their_lines(
    plugin_shop: Shop, reader: Context
) -> None:
    page = asked(plugin_shop, "/reports/stock", StockFilter(limit=20), ctx=reader)
    sold = [r.sold_7d for r in page.items if "." not in r.sold_7d]
    assert sold == sorted(sold, key=int, reverse=True)
    assert {r.store for r in page.items} == {"XQ01"}
    assert any(r.low_stock for r in page.items)
    card = asked(plugin_shop, "/reports/stock-card", MoveFilter(sku="DR001"), ctx=reader)
    assert card.items[0].kind == "receipt"
    found = asked(plugin_shop, "/reports/documents", DocumentFilter(sku=["DR001"]), ctx=reader)
    assert all("DR001" in {x.sku for x in d.lines} for d in found.items)


@pytest.mark.sqlite_only
def test_commands_print_tables_and_json(plugin_shop: Shop) -> None:
    command = next(iter(plugin.register_commands())).load()
    assert isinstance(command, click.Group)
    run = CliRunner().invoke(command, ["sales", "--limit", "3"], obj=plugin_shop)
    assert (run.exit_code, len(run.output.splitlines())) == (0, 4)
    for words in (
        ["sales"],
        ["stock", "--low"],
        ["stock", "--expires-within", "7"],
        ["write-offs"],
    ):
        run = CliRunner().invoke(command, [*words, "--json"], obj=plugin_shop)
        assert json.loads(run.output)["items"]
        assert CliRunner().invoke(command, [*words, "--help"]).output.count("Example:") == 1
    run = CliRunner().invoke(command, ["stock", "--store", "NOPE"], obj=plugin_shop)
    assert run.exit_code == 1


@pytest.mark.sqlite_only
def test_manifest_claims_what_the_plugin_registers(plugin_shop: Shop) -> None:
    path = Path(dianku_reports.__file__).with_name("plugin.toml")
    manifest = read_manifest(path.read_text(encoding="utf-8"), where=str(path))
    assert manifest.name == "reports"
    assert all(manifest.claims(r.path) for r in routes(plugin_shop))
    assert {r.permission for r in routes(plugin_shop)} <= set(manifest.rights)
    assert [c.name for c in plugin.register_commands()] == list(manifest.commands)
    for route in routes(plugin_shop):
        assert msgspec.json.schema(route.query)


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ({}, "/sku", "missing"),
        ({"sku": "DR001", "colour": "red"}, "/colour", "unknown_parameter"),
        ({"sku": "DR001", "limit": "many"}, "/limit", "wrong_value"),
    ],
)
def test_export_asked_wrongly_names_the_parameter(
    plugin_shop: Shop, query: dict[str, str], pointer: str, code: str
) -> None:
    kind = next(e for e in plugin.register_exports(plugin_shop) if e.name == "reports.stock-card")
    with pytest.raises(Refused) as refused:
        list(kind.rows(plugin_shop.context(), **query))
    assert [(e.pointer, e.code) for e in refused.value.problem.errors] == [(pointer, code)]


def test_command_for_a_store_there_is_not_leaves_the_wording_to_the_command_line(
    plugin_shop: Shop,
) -> None:
    group: Any = next(iter(plugin.register_commands())).load()
    done = CliRunner().invoke(group, ["sales", "--store", "nowhere"], obj=plugin_shop)
    assert isinstance(done.exception, Refused)


@pytest.mark.parametrize(("language", "heading"), [("en", "SKU"), ("zh-CN", "商品编码")])
def test_command_heads_its_columns_in_the_language_of_the_command_line(
    plugin_shop: Shop, language: str, heading: str, capsys: pytest.CaptureFixture[str]
) -> None:
    group: Any = next(iter(plugin.register_commands())).load()
    root = click.Context(click.Group("dianku"))
    root.meta["dianku.language"] = language
    asked = ["sales", "--limit", "1"]
    with group.make_context("reports", asked, parent=root, obj=plugin_shop) as ctx:
        group.invoke(ctx)
    assert capsys.readouterr().out.startswith(heading)


@pytest.mark.parametrize(
    "words",
    [[], ["sales"], ["stock"], ["write-offs"]],
    ids=["group", "sales", "stock", "write-offs"],
)
def test_help_of_the_commands_speaks_the_language_of_the_command_line(words: list[str]) -> None:
    group: Any = next(iter(plugin.register_commands())).load()
    pages = {}
    for language in ("en", "zh-CN"):
        root = click.Context(click.Group("dianku"))
        root.meta["dianku.language"] = language
        ctx = group.make_context("reports", words, parent=root, resilient_parsing=True)
        with ctx:
            command = group.commands[words[0]] if words else group
            pages[language] = command.get_help(ctx)
    han = re.compile("[\u4e00-\u9fff]")
    assert not han.search(pages["en"])
    own = [line for line in pages["zh-CN"].splitlines() if line.startswith("  ")]
    texts = [
        line for line in own if "Show this" not in line and not line.strip().startswith("--by")
    ]
    assert all(han.search(line) for line in texts), texts
