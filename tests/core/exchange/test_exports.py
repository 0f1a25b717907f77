"""Exports: no formulas, no costs for who may not see them, and back in without a change."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from dianku.catalog.requests import Display, NewBarcode, NewProduct, OpenPrice, ProductPatch
from dianku.catalog.upsert import ProductChange
from dianku.context import Context
from dianku.errors import Refused
from dianku.exchange.exporting import ExportBook, Heading, KernelExport
from dianku.exchange.reading import read_workbook
from dianku.ledger.requests import NewDocument, NewLine

FORMULAS = ("=1+1", "+1", "-1+2", "@SUM(A1)", "'=x", "''-y", "＝1")


def text(longest: int) -> st.SearchStrategy[str]:
    chars = st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff")
    return st.one_of(
        st.sampled_from(FORMULAS),
        st.sampled_from(
            ["007", "6.90E+12", " a ", "1.0", "１２", "无", "-", "_x0041_", "a;b*c@d\\"]
        ),
        st.text(chars, min_size=1, max_size=longest),
    ).filter(lambda t: t.strip() != "")


skus = text(20).filter(lambda t: not set(t) & set("/?#") and t[-1] > " " and len(t) <= 64)
money = st.one_of(st.none(), st.integers(0, 10**8).map(lambda n: Decimal(n) / 100))
bounds = st.one_of(
    money.filter(lambda price: price is not None).map(lambda price: OpenPrice(min=price)),
    st.tuples(st.integers(0, 999), st.integers(0, 999)).map(
        lambda both: OpenPrice(min=Decimal(min(both)), max=Decimal(max(both)))
    ),
)
patches = st.builds(
    ProductPatch,
    name=text(30),
    unit=text(5),
    spec=st.one_of(st.none(), text(30)),
    family=st.one_of(st.none(), text(10)),
    price=money,
    open_price=st.one_of(st.none(), bounds),
    cost=st.one_of(st.none(), st.integers(0, 10**10).map(lambda n: Decimal(n) / 10_000)),
    precision=st.integers(0, 3),
    track_lots=st.booleans(),
    shelf_life_days=st.one_of(st.none(), st.integers(1, 36_500)),
    low_stock=st.one_of(st.none(), st.integers(0, 1000).map(Decimal)),
    display=st.one_of(st.none(), st.builds(Display, unit=text(5), factor=st.integers(2, 1000))),
    barcodes=st.lists(
        st.builds(NewBarcode, code=text(20), factor=st.integers(1, 99), price=money),
        max_size=3,
        unique_by=lambda b: b.code,
    ),
)


@pytest.mark.sqlite_only
@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    catalog=st.dictionaries(skus, patches, min_size=1, max_size=8),
    format_=st.sampled_from(["csv", "xlsx"]),
)
def test_export_of_any_catalog_imported_again_changes_nothing(
    services: Any, ctx: Context, catalog: dict[str, ProductPatch], format_: str
) -> None:
    changes = [ProductChange(sku, patch) for sku, patch in catalog.items()]
    plan = services.catalog.upsert_products(changes)
    assume(not plan.errors)
    content = b"".join(services.exchange.export("products", ctx=ctx, format=format_))
    done = services.exchange.run_import(content, kind="products", filename="x", ctx=ctx, again=True)
    services.catalog.withdraw_products(list(catalog))
    assert done.errors == []
    assert (done.created, done.updated, done.failed) == (0, 0, 0)
    assert done.unchanged == done.rows == len(catalog)


@pytest.fixture
def stocked(services: Any, ctx: Context) -> Any:
    for sku in ("A", "=B"):
        new = NewProduct(sku=sku, name=f"@{sku}", unit="件", cost=Decimal("1.5"))
        services.catalog.create_product(new, ctx=ctx)
    lines = [
        NewLine(sku="A", quantity=Decimal(5), amount=Decimal(10)),
        NewLine(sku="=B", quantity=Decimal(1)),
    ]
    services.ledger.post(NewDocument(kind="receipt", store="S1", lines=lines), ctx=ctx)
    adjust = [NewLine(sku="A", delta=Decimal(-2))]
    services.ledger.post(NewDocument(kind="adjustment", store="S1", lines=adjust), ctx=ctx)
    return services


@pytest.mark.parametrize("kind", ["products", "stock", "documents", "moves"])
def test_export_carries_no_formulas_and_no_costs_without_the_right(
    stocked: Any, ctx: Context, kind: str
) -> None:
    content = b"".join(stocked.exchange.export(kind, ctx=ctx))
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert len(rows) > 2
    for cell in (cell for row in rows for cell in row):
        assert cell[:1] not in tuple("=+@\t") or not cell
        assert cell[:1] != "-" or float(cell) < 0
    without = evolve(
        ctx, actor=evolve(ctx.actor, permissions=ctx.actor.permissions - {"cost.view"})
    )
    plain = b"".join(stocked.exchange.export(kind, ctx=without)).decode("utf-8-sig")
    hidden = set(rows[0]) - set(next(csv.reader([plain.splitlines()[0]])))
    assert (
        hidden
        == {"products": {"Cost"}, "stock": {"Value"}, "documents": {"Cost"}, "moves": {"Value"}}[
            kind
        ]
    )
    book = read_workbook(b"".join(stocked.exchange.export(kind, ctx=ctx, format="xlsx")))
    assert len(book.sheets[0].rows) == len(rows)


def test_stock_exported_and_imported_as_opening_stock_changes_nothing(
    stocked: Any, ctx: Context
) -> None:
    content = b"".join(stocked.exchange.export("stock", ctx=ctx))
    done = stocked.exchange.run_import(content, kind="opening-stock", filename="s.csv", ctx=ctx)
    assert (done.rows, done.unchanged) == (2, 2)


def test_headings_follow_the_language(stocked: Any, ctx: Context) -> None:
    chinese = evolve(ctx, language="zh-CN")
    first = (
        b"".join(stocked.exchange.export("stock", ctx=chinese)).decode("utf-8-sig").splitlines()[0]
    )
    assert first.startswith("商品编码,名称,规格,门店")


def test_unknown_kind_format_and_filter_are_refused_before_anything_is_sent(
    stocked: Any, ctx: Context
) -> None:
    for arguments, code in (
        ({"kind": "nothing"}, "not_found"),
        ({"kind": "stock", "format": "pdf"}, "invalid"),
        ({"kind": "stock", "filters": {"colour": "red"}}, "invalid"),
        ({"kind": "stock", "filters": {"store": "S9"}}, "not_found"),
    ):
        with pytest.raises(Refused) as refused:
            stocked.exchange.export(ctx=ctx, **arguments)
        assert refused.value.problem.code == code


def test_filters_are_heeded(stocked: Any, ctx: Context) -> None:
    rows = b"".join(stocked.exchange.export("moves", ctx=ctx, filters={"sku": "A"})).splitlines()
    assert len(rows) == 3


def test_rows_are_made_only_as_they_are_taken(ctx: Context) -> None:
    made = 0

    def rows(_ctx: Context, **_query: object) -> Any:
        nonlocal made
        for i in range(100_000):
            made += 1
            yield [i]

    one = KernelExport("numbers", "stock.view", [("n", Heading("数", "n"))], rows)
    pieces = ExportBook([one], tuple).stream("numbers", format_="csv", ctx=ctx, filters={})
    next(pieces)
    next(pieces)
    assert made < 2000
