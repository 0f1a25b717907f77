"""What a person says of a file's columns goes before what is guessed, and stays with the import."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dianku.clock import Clock
from dianku.context import Actor, Context
from dianku.errors import Refused
from dianku.exchange.runs import Options, RunBook
from dianku.storage.engine import Database

AsCsv = Callable[..., bytes]
ROWS = [["商品编码", "名称", "零售价", "会员价"], ["A", "茶", "9", "7"], ["B", "米", "x", "5"]]


def run(services: Any, ctx: Context, content: bytes, **options: Any) -> Any:
    given = {"kind": "products", "filename": "goods.csv", "ctx": ctx}
    return services.exchange.run_import(content, **given, **options)


def taken(record: Any) -> dict[str, str]:
    return {c.field: c.letter for c in record.columns if c.field}


def refusal(services: Any, ctx: Context, content: bytes, **options: Any) -> Any:
    with pytest.raises(Refused) as refused:
        run(services, ctx, content, **options)
    return refused.value.problem


def test_columns_are_told_with_samples_and_what_they_may_be(
    services: Any, ctx: Context, as_csv: AsCsv
) -> None:
    rows = [["编码", "", "名称"], *([f"A{n % 4}", n % 2, "x" * 90] for n in range(9))]
    told = run(services, ctx, as_csv(rows), dry_run=True)
    assert [(c.letter, c.heading, c.field, c.samples) for c in told.columns] == [
        ("A", "编码", "sku", ["A0", "A1", "A2"]),
        ("B", "", None, ["0", "1"]),
        ("C", "名称", "name", ["x" * 40]),
    ]
    assert told.heading_row == 1
    assert {"sku", "price", "stock"} <= {field.name for field in told.fields}


def test_mapping_goes_before_the_guess_and_null_leaves_a_field_out(
    services: Any, ctx: Context, as_csv: AsCsv
) -> None:
    assert taken(run(services, ctx, as_csv(ROWS), dry_run=True))["price"] == "C"
    said = {"price": "会员价", "name": None}
    told = run(services, ctx, as_csv(ROWS), dry_run=True, mapping=said)
    assert taken(told) == {"sku": "A", "price": "D"}
    assert told.mapping == said
    assert taken(run(services, ctx, as_csv(ROWS), dry_run=True, mapping={"price": "d"})) == {
        "sku": "A",
        "name": "B",
        "price": "D",
    }


def test_file_without_headings_is_read_from_its_first_row(
    services: Any, ctx: Context, as_csv: AsCsv
) -> None:
    content = as_csv([["茶叶", "T1", "9.5"], ["大米", "T2", "5"]])
    problem = refusal(services, ctx, content, dry_run=True)
    assert problem.code == "columns_not_found"
    assert [c["letter"] for c in problem.extra["columns"]] == ["A", "B", "C"]
    said = {"name": "A", "sku": "B", "price": "C"}
    told = run(services, ctx, content, mapping=said, heading_row=0)
    assert (told.rows, told.created, told.heading_row) == (2, 2, 0)
    assert services.catalog.get_product("T1", ctx=ctx).name == "茶叶"


def test_letters_do_not_move_the_headings_up_to_a_title(
    services: Any, ctx: Context, as_csv: AsCsv
) -> None:
    content = as_csv([["本店商品一览", "", "", ""], ["二〇二六年", "", "", ""], *ROWS])
    said = {"sku": "A", "name": "B", "price": "D"}
    told = run(services, ctx, content, dry_run=True, mapping=said)
    assert (told.heading_row, told.rows, taken(told)["price"]) == (3, 2, "D")


@pytest.mark.parametrize(
    ("mapping", "pointer", "code"),
    [
        ({"colour": "A"}, "/mapping/colour", "unknown_field"),
        ({"a/b~": "A"}, "/mapping/a~1b~0", "unknown_field"),
        ({"price": "批发价"}, "/mapping/price", "unknown_column"),
        ({"price": "ZZ"}, "/mapping/price", "unknown_column"),
        ({"price": "会员价", "cost": "D"}, "/mapping/cost", "column_taken"),
        ({"price": "备注"}, "/mapping/price", "ambiguous_column"),
    ],
)
def test_what_a_mapping_cannot_mean_is_refused_by_field(
    services: Any, ctx: Context, as_csv: AsCsv, mapping: Any, pointer: str, code: str
) -> None:
    content = as_csv([[*ROWS[0], "备注", "备注"], *ROWS[1:]])
    (error,) = refusal(services, ctx, content, mapping=mapping).errors
    assert (error.pointer, error.code) == (pointer, code)
    assert services.exchange.list_imports(ctx=ctx) == []


def test_wrong_cells_stand_among_their_neighbours(
    services: Any, ctx: Context, as_csv: AsCsv
) -> None:
    rows: list[list[Any]] = [["编码", "名称", "售价"]]
    rows += [[f"A{n}", f"货{n}", n] for n in range(40)]
    rows[20][2] = "贵"
    told = run(services, ctx, as_csv(rows), dry_run=True)
    assert [(e.row, e.column, e.field) for e in told.errors] == [(21, "售价", "price")]
    assert [(row.row, row.cells["sku"], row.cells["price"]) for row in told.excerpt] == [
        (20, "A18", "18"),
        (21, "A19", "贵"),
        (22, "A20", "20"),
    ]


def test_hundreds_of_columns_and_wrong_rows_stay_bounded(
    services: Any, ctx: Context, as_csv: AsCsv
) -> None:
    head = ["编码", "名称", "售价", *(f"列{n}" for n in range(297))]
    rows = [[f"A{n}", "货", "贵", *["y" * 90] * 297] for n in range(400)]
    told = run(services, ctx, as_csv([head, *rows]), dry_run=True, mapping={"spec": "KN"})
    assert len(told.columns) == 300
    assert taken(told)["spec"] == "KN"
    assert (told.errors_total, len(told.excerpt)) == (400, 101)
    assert all(len(text) <= 60 for row in told.excerpt for text in row.cells.values())


def test_repeated_import_reads_its_columns_as_before(
    services: Any, ctx: Context, as_csv: AsCsv
) -> None:
    content = as_csv([*ROWS[:2], ["B", "米", "3", "5"]])
    run(services, ctx, content, mapping={"price": "会员价"})
    again = run(services, ctx, content, again=True)
    assert (again.mapping, again.unchanged) == ({"price": "会员价"}, 2)
    guessed = run(services, ctx, content, again=True, mapping={})
    assert (guessed.mapping, guessed.updated) == ({}, 2)


def test_import_that_was_cut_off_is_taken_up_with_its_columns_and_with_no_others(
    services: Any, database: Database, ctx: Context, clock: Clock, as_csv: AsCsv
) -> None:
    import hashlib

    content = as_csv([*ROWS[:2], ["B", "米", "3", "5"]])
    digest = hashlib.sha256(content).hexdigest()
    given: dict[str, Any] = {"kind": "products", "file_name": "goods.csv", "file_hash": digest}
    book = RunBook(database, clock)
    ann = Actor("ann", "manager", frozenset(), id="token:1")
    died = book.begin(**given, actor=ann, options=Options(mapping={"price": "会员价"}))
    book.forget(died)  # as a process that is killed lets go of all it holds
    problem = refusal(services, ctx, content, mapping={"price": "零售价"})
    assert (problem.code, problem.extra) == ("import_mapped", {"import": str(died.id)})
    done = run(services, ctx, content)
    assert (done.id, done.mapping) == (str(died.id), {"price": "会员价"})
    assert services.catalog.get_product("A", ctx=ctx).price == "7.00"
