"""Product files: every row one verdict, and only what a file says is changed."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
import xlsxwriter  # type: ignore[import-untyped]

from dianku.context import Context
from dianku.errors import Refused

HEAD = ["商品编码", "名称（必填）", "条码", "售价（元）", "分类"]


def run(
    services: Any, ctx: Context, content: bytes, *, kind: str = "products", **options: Any
) -> Any:
    return services.exchange.run_import(
        content, kind=kind, filename="goods.csv", ctx=ctx, **options
    )


def counts(record: Any) -> tuple[int, int, int, int, int]:
    return (record.rows, record.created, record.updated, record.unchanged, record.failed)


def test_import_with_new_and_known_products_creates_and_updates_in_one_file(
    services: Any, ctx: Context, as_csv: Callable[..., bytes]
) -> None:
    run(services, ctx, as_csv([HEAD, ["A", "可乐", "", "3", "饮料"]]))
    done = run(
        services,
        ctx,
        as_csv(
            [
                HEAD,
                ["A", "可乐", "", "3.50", ""],
                ["B", "茶", "", "4", "饮料"],
                ["A", "可乐", "", "3.50", ""],
            ]
        ),
    )
    assert counts(done) == (3, 1, 1, 1, 0)
    assert [n.code for n in done.notes] == ["duplicate_row"]
    product = services.catalog.get_product("A", ctx=ctx)
    assert (product.price, product.category) == ("3.50", "饮料")


def test_import_with_wrong_cells_names_each_and_takes_the_other_rows(
    services: Any, ctx: Context, as_csv: Callable[..., bytes]
) -> None:
    rows = [
        HEAD,
        ["A", "可乐", "6.90E+12", "abc", ""],
        ["B", "茶", "", "￥1,204.50", ""],
        ["", "无码", "", "1", ""],
    ]
    done = run(services, ctx, as_csv(rows))
    assert counts(done) == (3, 1, 0, 0, 2)
    assert {(e.row, e.column, e.value, e.code) for e in done.errors} == {
        (2, "条码", "6.90E+12", "figures_lost"),
        (2, "售价（元）", "abc", "not_a_number"),
        (4, "商品编码", "", "missing_key"),
    }
    assert services.catalog.get_product("B", ctx=ctx).price == "1204.50"


def test_import_of_one_product_twice_with_other_figures_refuses_the_later_row(
    services: Any, ctx: Context, as_csv: Callable[..., bytes]
) -> None:
    done = run(
        services, ctx, as_csv([HEAD, ["A", "可乐", "", "3", ""], ["A", "可乐", "", "4", ""]])
    )
    assert counts(done) == (2, 1, 0, 0, 1)
    assert (done.errors[0].row, done.errors[0].code, done.errors[0].params) == (
        3,
        "duplicate_differs",
        {"row": 2},
    )


def test_import_of_numbers_from_a_spreadsheet_mends_what_the_check_digit_proves(
    services: Any, ctx: Context, as_xlsx: Callable[..., bytes]
) -> None:
    rows = [
        ["名称", "条形码", "售价"],
        ["薯片", 36000291452.0, 55.0],
        ["茶", 6901234567892.0, 1.1 + 2.2],
    ]
    done = run(services, ctx, as_xlsx(rows))
    assert counts(done) == (2, 2, 0, 0, 0)
    assert [(n.row, n.code) for n in done.notes] == [(2, "zeros_restored")]
    assert services.catalog.get_product("036000291452", ctx=ctx).price == "55.00"
    assert services.catalog.get_product("6901234567892", ctx=ctx).price == "3.30"


def test_text_codes_that_have_all_lost_their_zeros_are_mended(
    services: Any, ctx: Context, as_csv: Callable[..., bytes]
) -> None:
    codes = ["12345678905", "36000291452", "42100005264"]
    rows = [["code", "name", "upc"], *([f"A{i}", "x", code] for i, code in enumerate(codes))]
    done = run(services, ctx, as_csv(rows))
    assert [n.code for n in done.notes] == ["zeros_restored"] * 3
    product = services.catalog.get_product("A0", ctx=ctx)
    assert [b.code for b in product.barcodes] == ["012345678905"]


def test_import_without_skus_finds_products_by_their_barcode(
    services: Any, ctx: Context, as_csv: Callable[..., bytes]
) -> None:
    run(services, ctx, as_csv([HEAD, ["A", "可乐", "6901234567892", "3", ""]]))
    done = run(services, ctx, as_csv([["品名", "条码", "零售价"], ["可乐", "06901234567892", "5"]]))
    assert counts(done) == (1, 0, 1, 0, 0)
    product = services.catalog.get_product("A", ctx=ctx)
    assert (product.price, [b.code for b in product.barcodes]) == ("5.00", ["6901234567892"])


def test_dry_run_says_what_would_happen_and_changes_nothing(
    services: Any, ctx: Context, as_csv: Callable[..., bytes], database_digest: Callable[..., str]
) -> None:
    before = database_digest(services.database, ignore={"import_run"})
    content = as_csv([HEAD, ["A", "可乐", "", "3", "新类"], ["B", "茶", "", "x", ""]])
    tried = run(services, ctx, content, dry_run=True)
    assert database_digest(services.database, ignore={"import_run"}) == before
    done = run(services, ctx, content)
    assert counts(tried) == counts(done) == (2, 1, 0, 0, 1)
    assert tried.errors == done.errors


def test_same_file_twice_is_refused_unless_again(
    services: Any, ctx: Context, as_csv: Callable[..., bytes]
) -> None:
    content = as_csv([HEAD, ["A", "可乐", "", "3", ""]])
    first = run(services, ctx, content)
    with pytest.raises(Refused) as refused:
        run(services, ctx, content)
    assert refused.value.problem.code == "import_repeated"
    assert refused.value.problem.params["id"] == first.id
    assert counts(run(services, ctx, content, again=True)) == (1, 0, 0, 1, 0)


def test_file_refused_in_every_row_may_be_tried_again_once_the_cause_is_mended(
    services: Any, ctx: Context, as_csv: Callable[..., bytes]
) -> None:
    content = as_csv([["编码", "数量", "进价"], ["A", "5", "2"]])
    assert counts(run(services, ctx, content, kind="receipts", store="S1")) == (1, 0, 0, 0, 1)
    run(services, ctx, as_csv([HEAD, ["A", "可乐", "", "3", ""]]))
    assert counts(run(services, ctx, content, kind="receipts", store="S1")) == (1, 1, 0, 0, 0)
    with pytest.raises(Refused) as refused:
        run(services, ctx, content, kind="receipts", store="S1")
    assert refused.value.problem.code == "import_repeated"


def test_hidden_sheet_and_one_of_other_columns_are_left_and_reported(
    services: Any, ctx: Context
) -> None:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        for name, heading in (("旧价", "售价"), ("商品", "售价"), ("说明", "备注")):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, ["编码", "名称", heading])
            sheet.write_row(1, 0, [name, name, 3])
        book.get_worksheet_by_name("商品").activate()
        book.get_worksheet_by_name("旧价").hide()
    done = run(services, ctx, buffer.getvalue())
    assert counts(done) == (1, 1, 0, 0, 0)
    assert [(n.code, n.sheet) for n in done.notes] == [
        ("sheet_hidden", "旧价"),
        ("sheet_not_read", "说明"),
    ]
    assert services.catalog.get_product("商品", ctx=ctx).price == "3.00"


def test_hidden_sheet_is_read_where_there_is_no_other(services: Any, ctx: Context) -> None:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        book.add_worksheet("封面")
        sheet = book.add_worksheet("商品")
        sheet.write_row(0, 0, ["编码", "名称"])
        sheet.write_row(1, 0, ["A", "可乐"])
        sheet.hide()
    assert counts(run(services, ctx, buffer.getvalue())) == (1, 1, 0, 0, 0)


def test_barcode_on_two_goods_of_a_file_and_one_that_does_not_check_are_noted(
    services: Any, ctx: Context, as_csv: Callable[..., bytes]
) -> None:
    rows = [
        HEAD,
        ["A", "可乐", "6901234567892", "3", ""],
        ["B", "雪碧", "06901234567892", "3", ""],
        ["C", "芬达", "6901234567890", "3", ""],
    ]
    done = run(services, ctx, as_csv(rows))
    assert counts(done) == (3, 3, 0, 0, 0)
    assert sorted((n.row, n.code) for n in done.notes) == [
        (3, "barcode_shared"),
        (4, "wrong_check_digit"),
    ]


def test_bounds_of_a_price_are_read_kept_where_left_empty_and_refused_by_their_column(
    services: Any, ctx: Context, as_csv: Callable[..., bytes]
) -> None:
    head = ["商品编码", "名称", "最低售价", "最高售价"]
    assert counts(run(services, ctx, as_csv([head, ["A", "花", "5", "80"]]))) == (1, 1, 0, 0, 0)
    done = run(services, ctx, as_csv([head, ["A", "花", "", "60"], ["B", "草", "9", "8"]]))
    assert counts(done) == (2, 0, 1, 0, 1)
    found = services.catalog.get_product("A", ctx=ctx).open_price
    assert (found.min, found.max) == ("5.00", "60.00")
    assert [(e.row, e.column, e.code) for e in done.errors] == [(3, "最高售价", "too_small")]


def test_undo_takes_back_what_was_made_and_puts_back_what_was_changed(
    services: Any, ctx: Context, as_csv: Callable[..., bytes]
) -> None:
    run(services, ctx, as_csv([HEAD, ["A", "可乐", "6901234567892", "3", "饮料"]]))
    before = services.catalog.get_product("A", ctx=ctx)
    done = run(
        services, ctx, as_csv([HEAD, ["A", "大可乐", "123", "4", "新类"], ["B", "茶", "", "", ""]])
    )
    assert services.exchange.undo_import(done.id, ctx=ctx).status == "undone"
    assert services.catalog.get_product("A", ctx=ctx) == before
    assert [c.code for c in services.catalog.list_categories(ctx=ctx)] == ["饮料"]
    with pytest.raises(Refused):
        services.catalog.get_product("B", ctx=ctx)


def test_undo_after_a_later_change_is_refused_with_what_depends(
    services: Any, ctx: Context, as_csv: Callable[..., bytes], database_digest: Callable[..., str]
) -> None:
    run(services, ctx, as_csv([HEAD, ["A", "可乐", "", "3", ""]]))
    done = run(services, ctx, as_csv([HEAD, ["A", "可乐", "", "4", ""]]))
    run(services, ctx, as_csv([HEAD, ["A", "可乐", "", "5", ""]]))
    before = database_digest(services.database)
    with pytest.raises(Refused) as refused:
        services.exchange.undo_import(done.id, ctx=ctx)
    assert refused.value.problem.code == "import_not_undoable"
    assert refused.value.problem.extra["depends"] == [{"sku": "A", "why": "changed"}]
    assert database_digest(services.database) == before


def test_stock_column_is_posted_only_when_asked_and_never_a_placeholder(
    services: Any, ctx: Context, as_csv: Callable[..., bytes]
) -> None:
    content = as_csv([["商品编码", "名称", "库存"], ["A", "米", "2.5"], ["B", "茶", "99999"]])
    run(services, ctx, content)
    assert services.catalog.get_product("A", ctx=ctx).precision == 1
    done = run(services, ctx, content, again=True, with_stock=True)
    assert counts(done) == (2, 0, 0, 2, 0)
    with services.database.reading() as connection:
        levels = connection.exec_driver_sql("SELECT on_hand FROM stock_balance").scalars().all()
    assert list(levels) == [25]


def test_components_may_name_products_further_down_the_file(
    services: Any, ctx: Context, as_csv: Callable[..., bytes]
) -> None:
    rows = [
        ["SKU", "Name", "Composition", "Components"],
        ["BOX", "Gift box", "kit", "CAKE*1; CANDLE*2"],
        ["CAKE", "Cake", "", ""],
        ["CANDLE", "Candle", "", ""],
    ]
    assert counts(run(services, ctx, as_csv(rows))) == (3, 3, 0, 0, 0)
    parts = services.catalog.get_product("BOX", ctx=ctx).components
    assert [(c.sku, c.quantity) for c in parts] == [("CAKE", "1"), ("CANDLE", "2")]


def test_headings_in_english_with_a_mapping_are_taken_as_told(
    services: Any, ctx: Context, as_csv: Callable[..., bytes]
) -> None:
    rows = [["Ref", "Label", "RRP"], ["A", "Tea", "2.20"]]
    done = run(services, ctx, as_csv(rows), mapping={"sku": "Ref", "name": "B"})
    assert counts(done) == (1, 1, 0, 0, 0)
    assert services.catalog.get_product("A", ctx=ctx).name == "Tea"


def test_import_in_the_background_is_followed_by_its_id(
    services: Any, ctx: Context, as_csv: Callable[..., bytes]
) -> None:
    begun = services.exchange.start_import(
        as_csv([HEAD, *([f"A{i}", f"货{i}", "", "1", ""] for i in range(1200))]),
        kind="products",
        filename="goods.csv",
        ctx=ctx,
    )
    services.exchange.close()
    done = services.exchange.get_import(begun.id, ctx=ctx)
    assert (done.status, done.progress, counts(done)) == ("done", 1200, (1200, 1200, 0, 0, 0))


def test_import_without_the_right_is_refused(services: Any, as_csv: Callable[..., bytes]) -> None:
    from dianku.context import Actor

    clerk = Context(Actor("c", "clerk", frozenset()))
    with pytest.raises(Refused) as refused:
        run(services, clerk, as_csv([HEAD, ["A", "可乐", "", "3", ""]]))
    assert refused.value.problem.code == "forbidden"
