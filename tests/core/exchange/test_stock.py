"""Files that move stock: posted by the ledger, once, and reversed as a whole."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from dianku.catalog.requests import NewBarcode, NewComponent, NewProduct, ProductPatch
from dianku.clock import SetClock
from dianku.context import Context
from dianku.errors import Refused
from dianku.exchange.tables import import_run
from dianku.ledger.commands import Posted
from dianku.ledger.requests import NewDocument, NewLine


@pytest.fixture
def goods(services: Any, ctx: Context) -> Any:
    carton = NewBarcode(code="16901234567899", factor=12)
    for sku, precision, barcodes in (
        ("A", 0, [NewBarcode(code="6901234567892"), carton]),
        ("B", 3, []),
    ):
        new = NewProduct(sku=sku, name=sku, unit="件", precision=precision, barcodes=barcodes)
        services.catalog.create_product(new, ctx=ctx)
    return services


def run(services: Any, ctx: Context, kind: str, content: bytes, **options: Any) -> Any:
    return services.exchange.run_import(content, kind=kind, filename="file.csv", ctx=ctx, **options)


def counts(record: Any) -> tuple[int, int, int, int, int]:
    return (record.rows, record.created, record.updated, record.unchanged, record.failed)


def levels(services: Any) -> dict[str, int]:
    with services.database.reading() as connection:
        rows = connection.exec_driver_sql(
            "SELECT p.sku, b.on_hand FROM stock_balance b JOIN product p ON p.id = b.product_id"
        )
        return {row.sku: row.on_hand for row in rows}


def values(services: Any) -> dict[str, int]:
    with services.database.reading() as connection:
        rows = connection.exec_driver_sql(
            "SELECT p.sku, b.value FROM stock_balance b JOIN product p ON p.id = b.product_id"
        )
        return {row.sku: row.value for row in rows}


def test_opening_stock_sets_levels_and_says_what_is_wrong_with_each_row(
    goods: Any, ctx: Context, as_csv: Callable[..., bytes]
) -> None:
    rows = [
        ["条码", "商品编码", "仓库", "库存"],
        ["", "A", "一店", "5"],
        ["", "B", "", "1.250"],
        ["", "A", "S1", "5"],
        ["", "A", "S1", "6"],
        ["", "C", "", "1"],
        ["", "A", "nowhere", "1"],
        ["", "A", "", "1.5"],
        ["", "A", "", "99999"],
        ["", "A", "", "-1"],
    ]
    done = run(goods, ctx, "opening-stock", as_csv(rows))
    assert counts(done) == (9, 2, 0, 1, 6)
    assert levels(goods) == {"A": 5, "B": 1250}
    assert {(e.row, e.code) for e in done.errors} == {
        (5, "duplicate_differs"),
        (6, "unknown_product"),
        (7, "unknown_store"),
        (8, "too_many_digits"),
        (9, "placeholder_stock"),
        (10, "too_small"),
    }


def test_opening_stock_is_worth_what_its_cost_column_says(
    goods: Any, ctx: Context, as_csv: Callable[..., bytes]
) -> None:
    rows = [["商品编码", "期初库存", "进价"], ["A", "5", "2.3333"], ["B", "1.250", "12.80"]]
    done = run(goods, ctx, "opening-stock", as_csv(rows))
    assert counts(done) == (2, 2, 0, 0, 0)
    assert values(goods) == {"A": 116_665, "B": 160_000}
    more = [["sku", "on hand", "cost"], ["A", "7", "3"], ["B", "1", "99"]]
    assert counts(run(goods, ctx, "opening-stock", as_csv(more))) == (2, 0, 2, 0, 0)
    assert values(goods) == {"A": 176_665, "B": 128_000}
    wrong = run(goods, ctx, "opening-stock", as_csv([["sku", "qty", "cost"], ["A", "9", "-1"]]))
    assert [(e.row, e.column, e.code) for e in wrong.errors] == [(2, "cost", "too_small")]


def test_opening_stock_that_is_so_already_changes_nothing(
    goods: Any, ctx: Context, as_csv: Callable[..., bytes]
) -> None:
    content = as_csv([["sku", "quantity"], ["A", "5"]])
    run(goods, ctx, "opening-stock", content)
    again = run(goods, ctx, "opening-stock", content, again=True)
    assert counts(again) == (1, 0, 0, 1, 0)
    more = run(goods, ctx, "opening-stock", as_csv([["sku", "quantity"], ["A", "7"]]))
    assert counts(more) == (1, 0, 1, 0, 0)
    assert levels(goods) == {"A": 7}


def test_receipts_of_one_slip_are_one_document_and_cartons_count_in_pieces(
    goods: Any, ctx: Context, as_csv: Callable[..., bytes]
) -> None:
    rows = [
        ["条码", "入库数量", "进价", "供应商", "单号"],
        ["6901234567892", "3", "2.00", "批发商", "R1"],
        ["16901234567899", "2", "1.50", "批发商", "R1"],
        ["6901234567892", "", "", "", ""],
        ["6901234567892", "0", "", "", ""],
    ]
    done = run(goods, ctx, "receipts", as_csv(rows))
    assert counts(done) == (4, 2, 0, 1, 1)
    assert levels(goods) == {"A": 27}
    with goods.database.reading() as connection:
        found = connection.exec_driver_sql("SELECT kind, reference, supplier FROM document").all()
    assert [tuple(row) for row in found] == [("receipt", "R1", "批发商")]


def test_receipts_imported_again_after_a_crash_are_not_doubled(
    goods: Any, ctx: Context, as_csv: Callable[..., bytes]
) -> None:
    content = as_csv([["sku", "quantity"], *(["A", "1"] for _ in range(1500))])
    first = run(goods, ctx, "receipts", content)
    with goods.database.writing() as connection:
        connection.execute(sa.update(import_run).values(status="running", ended_at=None))
    done = run(goods, ctx, "receipts", content)
    assert (done.id, counts(done)) == (first.id, (1500, 1500, 0, 0, 0))
    assert levels(goods) == {"A": 1500}
    run(goods, ctx, "receipts", content, again=True)
    assert levels(goods) == {"A": 3000}


def test_counts_set_the_level_and_undo_reverses_them(
    goods: Any, ctx: Context, clock: SetClock, as_csv: Callable[..., bytes]
) -> None:
    run(goods, ctx, "receipts", as_csv([["sku", "quantity"], ["A", "5"]]))
    clock.advance(seconds=60)
    done = run(goods, ctx, "counts", as_csv([["货号", "实盘数量"], ["A", "3"]]))
    assert (counts(done), levels(goods)) == ((1, 1, 0, 0, 0), {"A": 3})
    assert goods.exchange.undo_import(done.id, ctx=ctx).status == "undone"
    assert levels(goods) == {"A": 5}
    with pytest.raises(Refused) as refused:
        goods.exchange.undo_import(done.id, ctx=ctx)
    assert refused.value.problem.code == "conflict"


def test_history_costs_what_the_file_says_or_the_catalog_or_was_paid_last(
    goods: Any, ctx: Context, as_csv: Callable[..., bytes], database_digest: Callable[..., str]
) -> None:
    kit = [NewComponent(sku="A", quantity=Decimal(2)), NewComponent(sku="B", quantity=Decimal(1))]
    goods.catalog.create_product(
        NewProduct(sku="K", name="K", unit="盒", composition="kit", components=kit), ctx=ctx
    )
    goods.catalog.patch_product("A", ProductPatch(cost=Decimal("1.5")), ctx=ctx)
    run(goods, ctx, "receipts", as_csv([["sku", "qty", "cost"], ["A", "1", "9"], ["B", "1", "4"]]))
    before = database_digest(goods.database, ignore={"import_run", "counter"})
    rows = [
        ["date", "sku", "quantity", "amount", "进价"],
        ["2020-01-01", "A", "3", "9.00", ""],
        ["2020-01-02", "A", "3", "9.00", "2.25"],
        ["2020-01-02", "A", "-1", "-3.00", ""],
        ["2020-01-03", "B", "0.5", "9.00", ""],
        ["2020-01-04", "K", "2", "30.00", ""],
    ]
    done = run(goods, ctx, "sales-history", as_csv(rows))
    assert counts(done) == (5, 5, 0, 0, 0)
    with goods.database.reading() as connection:
        sums = connection.exec_driver_sql(
            "SELECT cost FROM sales_summary WHERE business_date < 19000 ORDER BY business_date"
        ).all()
    assert [row.cost for row in sums] == [45_000, 52_500, 20_000, 140_000]
    assert goods.ledger.verify().clean
    goods.ledger.rebuild()
    assert goods.ledger.verify().clean
    goods.exchange.undo_import(done.id, ctx=ctx)
    assert database_digest(goods.database, ignore={"import_run", "counter"}) == before


def test_undo_of_goods_sold_on_is_refused_with_the_documents(
    goods: Any, ctx: Context, as_csv: Callable[..., bytes], database_digest: Callable[..., str]
) -> None:
    done = run(goods, ctx, "receipts", as_csv([["sku", "quantity"], ["A", "5"]]))
    sale = NewDocument(kind="issue", store="S1", lines=[NewLine(sku="A", quantity=Decimal(2))])
    posted = goods.ledger.post(sale, ctx=ctx)
    assert isinstance(posted, Posted)
    before = database_digest(goods.database)
    with pytest.raises(Refused) as refused:
        goods.exchange.undo_import(done.id, ctx=ctx)
    assert refused.value.problem.extra["depends"] == [
        {"sku": "A", "store": "S1", "documents": [posted.record.number], "why": "sold_on"}
    ]
    assert database_digest(goods.database) == before


def test_history_feeds_the_summary_moves_no_stock_and_is_taken_out_again(
    goods: Any, ctx: Context, as_csv: Callable[..., bytes], database_digest: Callable[..., str]
) -> None:
    before = database_digest(goods.database, ignore={"import_run", "counter"})
    rows = [
        ["date", "sku", "quantity", "amount", "promotion", "stock_at_close"],
        ["2020-01-01", "A", "3", "9.00", "", "4"],
        ["2020-01-01", "A", "2", "6.00", "买一送一", "2"],
        ["2020-01-01", "A", "-1", "-3.00", "", ""],
        ["2020-01-02", "A", "0", "", "", ""],
    ]
    content = as_csv(rows)
    done = run(goods, ctx, "sales-history", content)
    assert counts(done) == (4, 4, 0, 0, 0)
    with goods.database.reading() as connection:
        sums = connection.exec_driver_sql(
            "SELECT quantity, amount, returned, returned_amount FROM sales_summary "
            "ORDER BY business_date"
        ).all()
    assert [tuple(row) for row in sums] == [(5, 1500, 1, 300), (0, 0, 0, 0)]
    assert levels(goods) == {}
    goods.exchange.undo_import(done.id, ctx=ctx)
    assert database_digest(goods.database, ignore={"import_run", "counter"}) == before


def test_history_with_one_wrong_row_imports_nothing(
    goods: Any, ctx: Context, as_csv: Callable[..., bytes], database_digest: Callable[..., str]
) -> None:
    before = database_digest(goods.database, ignore={"import_run"})
    rows = [["date", "sku", "quantity"], ["2020-01-01", "A", "3"], ["2020-01-01", "Z", "1"]]
    done = run(goods, ctx, "sales-history", as_csv(rows))
    assert (done.status, done.problem, counts(done)) == (
        "failed",
        "import_refused",
        (2, 0, 0, 1, 1),
    )
    assert database_digest(goods.database, ignore={"import_run"}) == before


@pytest.mark.parametrize("kind", ["sales-history", "receipts"])
@pytest.mark.parametrize("ahead", ["9999-01-01", "9999-01-01 10:00"])
def test_row_of_a_day_to_come_is_refused(
    goods: Any, ctx: Context, as_csv: Callable[..., bytes], kind: str, ahead: str
) -> None:
    done = run(goods, ctx, kind, as_csv([["time", "sku", "quantity"], [ahead, "A", "3"]]))
    assert [(e.row, e.column, e.code) for e in done.errors] == [(2, "time", "in_future")]
    assert levels(goods) == {}


def test_history_may_make_the_products_it_names(
    goods: Any, ctx: Context, as_csv: Callable[..., bytes]
) -> None:
    rows = [["time", "sku", "quantity", "price"], ["2020-01-01 23:30", "Z", "1.25", "8"]]
    done = run(goods, ctx, "sales-history", as_csv(rows), create_missing=True)
    assert counts(done) == (1, 1, 0, 0, 0)
    assert goods.catalog.get_product("Z", ctx=ctx).precision == 2
    with goods.database.reading() as connection:
        row = connection.exec_driver_sql("SELECT quantity, amount FROM sales_history").one()
    assert tuple(row) == (125, 1000)


def test_history_posted_moves_stock(goods: Any, ctx: Context, as_csv: Callable[..., bytes]) -> None:
    run(goods, ctx, "receipts", as_csv([["sku", "quantity"], ["A", "5"]]))
    rows = [
        ["条码", "出库数量", "售价"],
        ["6901234567892", "2", "3.00"],
        ["6901234567892", "-1", "3.00"],
    ]
    done = run(goods, ctx, "sales-history", as_csv(rows), post=True)
    assert (counts(done), done.errors) == ((2, 2, 0, 0, 0), [])
    assert levels(goods) == {"A": 4}
