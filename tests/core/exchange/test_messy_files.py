"""Files as shops have them: units in cells, failed formulas, merged cells, footers, names alone."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import xlsxwriter  # type: ignore[import-untyped]

from dianku.catalog.requests import Display, NewBarcode, NewProduct
from dianku.context import Context
from dianku.exchange.layout import find_tables
from dianku.exchange.reading import read_workbook

Write = Callable[..., bytes]


def run(services: Any, ctx: Context, content: bytes, *, kind: str = "products", **more: Any) -> Any:
    return services.exchange.run_import(content, kind=kind, filename="list", ctx=ctx, **more)


def counts(record: Any) -> tuple[int, int, int, int, int]:
    return (record.rows, record.created, record.updated, record.unchanged, record.failed)


def errors(record: Any) -> set[tuple[int, str, str]]:
    return {(e.row, e.column, e.code) for e in record.errors}


def on_hand(services: Any, ctx: Context) -> dict[str, tuple[str, str]]:
    from dianku.ledger.read.requests import StockFilter

    page = services.stock.stock(StockFilter(), ctx=ctx)
    return {row.sku: (row.on_hand, row.value) for row in page.items}


def fields_of(content: bytes) -> dict[str, str]:
    table = find_tables(read_workbook(content), kind="products")[0]
    return {name: column.heading for name, column in table.by_field.items()}


HEADINGS = [
    (["Item #", "Product", "Retail", "Cat.", "In stock", "Reorder"], ["sku", "name", "price"]),
    (["商品編號", "商品名稱", "零售價", "條碼", "類別"], ["sku", "name", "price", "barcode"]),
    (
        ["内部编码", "品项", "含税售价", "成本均价", "结存"],
        ["sku", "name", "price", "cost", "stock"],
    ),
    (["Item", "Description", "Price each", "Avg cost"], ["sku", "name", "price", "cost"]),
]


@pytest.mark.parametrize(("headings", "wanted"), HEADINGS, ids=lambda value: value[0])
def test_headings_of_other_trades_and_scripts_are_known(
    as_csv: Write, headings: list[str], wanted: list[str]
) -> None:
    found = fields_of(as_csv([headings, ["x"] * len(headings)]))
    assert {name: found.get(name) for name in wanted} == dict(
        zip(wanted, headings[: len(wanted)], strict=True)
    )


def test_list_of_items_and_prices_has_names_and_no_codes(as_csv: Write) -> None:
    content = as_csv([["Item", "Price"], ["Oat milk", "3"], ["Rye bread", "4"]])
    assert fields_of(content) == {"name": "Item", "price": "Price"}


def _with_failed_formulas() -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        book.add_worksheet("说明").write(0, 0, "x")
        sheet = book.add_worksheet("商品")
        for j, heading in enumerate(["商品编码", "名称", "售价"]):
            sheet.write(0, j, heading)
        for i in range(1, 5):
            sheet.write_row(i, 0, [f"A{i}", f"货{i}", 3.5])
        sheet.write_formula(1, 2, "=1/0", None, "#DIV/0!")
        sheet.write_formula(2, 1, "=VLOOKUP(1,A:A,2)", None, "#N/A")
        sheet.write_formula(3, 2, "=1+1", None, 2)
        sheet.write_formula(4, 0, "=X1", None, "#REF!")
    return buffer.getvalue()


def test_failed_formulas_of_a_workbook_are_errors_of_their_cells(
    services: Any, ctx: Context
) -> None:
    done = run(services, ctx, _with_failed_formulas())
    assert counts(done) == (4, 1, 0, 0, 3)
    assert {(e.row, e.column, e.value, e.code) for e in done.errors} == {
        (2, "售价", "#DIV/0!", "formula_error"),
        (3, "名称", "#N/A", "formula_error"),
        (5, "商品编码", "#REF!", "formula_error"),
    }
    assert services.catalog.get_product("A3", ctx=ctx).price == "2.00"


def test_failed_formulas_of_a_text_file_are_errors_too(
    services: Any, ctx: Context, as_csv: Write
) -> None:
    done = run(services, ctx, as_csv([["编码", "名称", "售价"], ["A", "茶", "#N/A"]]))
    assert errors(done) == {(2, "售价", "formula_error")}


def test_column_of_mostly_wrong_prices_is_told_cell_by_cell(
    services: Any, ctx: Context, as_csv: Write
) -> None:
    rows = [["1", "a", "three"], ["2", "b", "four"], ["3", "c", "five"], ["4", "d", "6"]]
    done = run(services, ctx, as_csv([["编码", "名称", "售价"], *rows]))
    assert counts(done) == (4, 1, 0, 0, 3)
    assert errors(done) == {(row, "售价", "not_a_number") for row in (2, 3, 4)}


def test_column_that_holds_something_else_altogether_is_left_aside_and_said(
    services: Any, ctx: Context, as_csv: Write
) -> None:
    rows = [[str(i), f"货{i}", "见标签"] for i in range(4)]
    done = run(services, ctx, as_csv([["编码", "名称", "库存下限"], *rows]))
    assert counts(done) == (4, 4, 0, 0, 0)
    assert [(n.row, n.column, n.code) for n in done.notes] == [(1, "库存下限", "column_unfit")]


def test_dates_that_are_mostly_wrong_are_errors_and_no_missing_column(
    services: Any, ctx: Context, as_csv: Write
) -> None:
    rows = [["3/5/2026", "A", "1"], ["2026-01-05 下午 3:05", "A", "1"], ["tomorrow", "A", "1"]]
    rows.append(["26/3/5", "A", "1"])
    services.catalog.create_product(NewProduct(sku="A", name="茶", unit="瓶"), ctx=ctx)
    done = run(
        services, ctx, as_csv([["日期", "编码", "数量"], *rows]), kind="sales-history", store="S1"
    )
    assert errors(done) == {(row, "日期", "not_a_date") for row in (2, 4, 5)}


def test_merged_category_counts_for_every_row_it_covers(services: Any, ctx: Context) -> None:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["分类", "编码", "名称", "售价"])
        for i, name in enumerate(["可乐", "雪碧", "薯片"], start=1):
            sheet.write_row(i, 1, [f"A{i}", name, 3])
        sheet.merge_range(1, 0, 2, 0, "饮料")
        sheet.write(3, 0, "零食")
        sheet.merge_range(4, 1, 5, 2, "")
    done = run(services, ctx, buffer.getvalue())
    assert counts(done) == (3, 3, 0, 0, 0)
    found = [services.catalog.get_product(f"A{i}", ctx=ctx).category for i in (1, 2, 3)]
    assert found == ["饮料", "饮料", "零食"]


def test_totals_and_footers_below_a_table_are_no_goods(
    services: Any, ctx: Context, as_csv: Write
) -> None:
    below = [
        ["", "本页小计", "", "5"],
        ["", "制单人：张三   审核人：李四", "", ""],
        ["总计：2种商品", "", "", "5"],
        ["", "合计金额", "15", ""],
        ["共1条记录", "", "", ""],
        ["Total items: 1", "", "", ""],
    ]
    rows = [
        ["编码", "名称", "售价", "数量"],
        ["A1", "茶", "3", "5"],
        ["合计", "合计牌酱油", "3", "5"],
    ]
    done = run(services, ctx, as_csv([*rows[:2], *below]))
    assert counts(done) == (1, 1, 0, 0, 0)


def test_form_above_a_table_is_no_heading_of_it(services: Any, ctx: Context, as_csv: Write) -> None:
    services.catalog.create_product(NewProduct(sku="A", name="茶", unit="瓶"), ctx=ctx)
    head = [["进货单"], ["供应商：", "老王", "", "日期：", "2026-01-05"]]
    table = [["编码", "商品", "数量", "单位", "单价"], ["A", "茶", "24", "瓶", "2.10"]]
    done = run(services, ctx, as_csv([*head, *table]), kind="receipts", store="S1")
    assert counts(done) == (1, 1, 0, 0, 0)
    assert on_hand(services, ctx)["A"] == ("24", "50.40")


@pytest.mark.parametrize(
    ("delimiter", "price", "fen"), [(";", "3,50", "3.50"), ("\t", "1.234,5 €", "1234.50")]
)
def test_decimal_commas_are_read_where_columns_are_parted_otherwise(
    services: Any, ctx: Context, delimiter: str, price: str, fen: str
) -> None:
    lines = [["SKU", "Name", "Price"], ["A", "1,5 l Cola", price], ["B", "Tee", "4"]]
    content = "\n".join(delimiter.join(line) for line in lines).encode()
    assert counts(run(services, ctx, content)) == (2, 2, 0, 0, 0)
    found = services.catalog.get_product("A", ctx=ctx)
    assert (found.name, found.price) == ("1,5 l Cola", fen)


def test_decimal_comma_beside_decimal_points_is_an_error(services: Any, ctx: Context) -> None:
    content = b"SKU;Name;Price\nA;Cola;3,50\nB;Tea;4.20\n"
    assert errors(run(services, ctx, content)) == {(2, "Price", "not_a_number")}


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_text_of_two_bytes_without_its_mark_is_read(encoding: str) -> None:
    book = read_workbook("编码\t名称\r\nA1\t可乐\r\n".encode(encoding))
    assert [list(row) for row in book.sheets[0].rows] == [["编码", "名称"], ["A1", "可乐"]]


def test_figures_with_their_unit_are_read_where_the_row_has_that_unit(
    services: Any, ctx: Context, as_csv: Write
) -> None:
    head = ["编码", "名称", "单位", "售价", "库存下限"]
    rows = [["A", "可乐", "瓶", "3.5元/瓶", "12瓶"], ["B", "茶", "盒", "￥29.80/袋", "1箱"]]
    done = run(services, ctx, as_csv([head, *rows]))
    assert counts(done) == (2, 1, 0, 0, 1)
    assert errors(done) == {(3, "售价", "not_a_number"), (3, "库存下限", "not_a_number")}
    found = services.catalog.get_product("A", ctx=ctx)
    assert (found.price, found.low_stock) == ("3.50", "12")


def _cola(services: Any, ctx: Context) -> None:
    services.catalog.create_product(
        NewProduct(
            sku="A",
            name="可乐",
            unit="瓶",
            display=Display(unit="箱", factor=24),
            barcodes=[NewBarcode(code="16901234567899", factor=24)],
        ),
        ctx=ctx,
    )


STOCKED: list[tuple[Sequence[str], Sequence[str], tuple[str, str]]] = [
    (["编码", "数量", "单价"], ["A", "2箱", "50.40"], ("48", "100.80")),
    (["编码", "数量", "单位", "单价"], ["A", "2", "箱", "50.40"], ("48", "100.80")),
    (["编码", "数量", "单位", "单价"], ["A", "5瓶", "箱", "2"], ("5", "10.00")),
    (["条码", "数量", "单价"], ["16901234567899", "2", "50"], ("48", "100.00")),
    (["条码", "数量", "单价", "金额"], ["16901234567899", "2", "50", "99"], ("48", "99.00")),
]


@pytest.mark.parametrize(("head", "row", "stock"), STOCKED, ids=",".join)
def test_delivery_in_cartons_has_their_bottles_and_their_money(
    services: Any, ctx: Context, as_csv: Write, head: Any, row: Any, stock: tuple[str, str]
) -> None:
    _cola(services, ctx)
    done = run(services, ctx, as_csv([head, row]), kind="receipts", store="S1")
    assert counts(done) == (1, 1, 0, 0, 0)
    assert on_hand(services, ctx)["A"] == stock


def test_opening_stock_in_cartons_costs_what_one_bottle_does(
    services: Any, ctx: Context, as_csv: Write
) -> None:
    _cola(services, ctx)
    content = as_csv([["条码", "库存", "成本价"], ["16901234567899", "2", "50.40"]])
    run(services, ctx, content, kind="opening-stock", store="S1")
    assert on_hand(services, ctx)["A"] == ("48", "100.80")


def test_quantity_in_a_unit_the_product_does_not_have_is_an_error(
    services: Any, ctx: Context, as_csv: Write
) -> None:
    _cola(services, ctx)
    content = as_csv([["编码", "数量"], ["A", "2袋"]])
    done = run(services, ctx, content, kind="receipts", store="S1")
    assert errors(done) == {(2, "数量", "unit_differs")}


NAMES = [["品名", "规格", "售价"], ["可乐", "330ml", "3"], ["可乐", "1L", "7"], ["茶", "", "4"]]


def test_list_of_names_alone_gives_codes_and_knows_its_goods_again(
    services: Any, ctx: Context, as_csv: Write
) -> None:
    tried = run(services, ctx, as_csv(NAMES), dry_run=True)
    done = run(services, ctx, as_csv(NAMES))
    assert counts(tried) == counts(done) == (3, 3, 0, 0, 0)
    assert [(n.row, n.code, n.params) for n in done.notes] == [
        (row, "sku_made", {"sku": f"P0000{row - 1}"}) for row in (2, 3, 4)
    ]
    newer = [*NAMES[:3], ["茶", "", "5"], ["可乐", "330ml", "3"], ["水", "", "1"]]
    again = run(services, ctx, as_csv(newer))
    assert counts(again) == (5, 1, 1, 3, 0)
    assert services.catalog.get_product("P00003", ctx=ctx).price == "5.00"
    assert services.catalog.get_product("P00004", ctx=ctx).name == "水"
    services.exchange.undo_import(again.id, ctx=ctx)
    assert services.catalog.get_product("P00003", ctx=ctx).price == "4.00"


def test_stock_of_names_alone_is_of_the_one_product_of_that_name(
    services: Any, ctx: Context, as_csv: Write
) -> None:
    run(services, ctx, as_csv(NAMES))
    head = ["品名", "规格", "库存"]
    rows = [["茶", "", "5"], ["可乐", "1L", "2"], ["可乐", "", "9"], ["酒", "", "1"]]
    done = run(services, ctx, as_csv([head, *rows]), kind="opening-stock", store="S1")
    assert errors(done) == {(4, "品名", "ambiguous_name"), (5, "品名", "unknown_product")}
    assert {sku: held for sku, (held, _) in on_hand(services, ctx).items() if held != "0"} == {
        "P00002": "2",
        "P00003": "5",
    }


def test_row_without_code_among_rows_with_codes_stays_an_error(
    services: Any, ctx: Context, as_csv: Write
) -> None:
    content = as_csv([["编码", "名称"], ["A", "茶"], ["", "水"]])
    assert errors(run(services, ctx, content)) == {(3, "编码", "missing_key")}


def test_stock_in_a_product_list_that_is_not_taken_in_is_said(
    services: Any, ctx: Context, as_csv: Write
) -> None:
    content = as_csv([["编码", "名称", "库存"], ["A", "茶", "7"]])
    done = run(services, ctx, content)
    assert [(n.row, n.column, n.code) for n in done.notes] == [(1, "库存", "stock_not_posted")]
    taken = run(services, ctx, content, with_stock=True, again=True, store="S1")
    assert taken.notes == []
    assert on_hand(services, ctx)["A"][0] == "7"


def test_list_of_names_with_a_wrong_cell_is_still_one_of_names(
    services: Any, ctx: Context, as_csv: Write
) -> None:
    head = ["品名", "售价", "库存"]
    done = run(services, ctx, as_csv([head, ["可乐", "3", "5"], ["茶", "#N/A", "x"]]))
    assert (counts(done), errors(done)) == ((2, 1, 0, 0, 1), {(3, "售价", "formula_error")})
    again = as_csv([head, ["可乐", "3", "5"], ["可乐", "3", "#N/A"]])
    stocked = run(services, ctx, again, kind="opening-stock", store="S1")
    assert errors(stocked) == {(3, "库存", "formula_error")}
    assert on_hand(services, ctx)["P00001"][0] == "5"


def test_code_that_was_lost_is_no_list_of_names(services: Any, ctx: Context, as_csv: Write) -> None:
    done = run(services, ctx, as_csv([["条码", "名称"], ["6.90E+12", "茶"], ["", "水"]]))
    assert errors(done) == {(2, "条码", "figures_lost"), (3, "条码", "missing_key")}
