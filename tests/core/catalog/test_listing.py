from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from dianku.catalog.listing import ProductQuery
from dianku.catalog.requests import NewBarcode, NewCategory, NewProduct, ProductPatch
from dianku.catalog.search import fold, spelled
from dianku.catalog.service import CatalogService
from dianku.context import Context
from dianku.errors import Refused


@pytest.fixture
def shelf(catalog: CatalogService, owner: Context) -> CatalogService:
    for code, parent in (("food", None), ("drinks", "food"), ("soda", "drinks"), ("other", None)):
        catalog.create_category(NewCategory(code=code, name=code, parent=parent), ctx=owner)
    goods: list[tuple[str, str, str | None, list[str]]] = [
        ("A1", "可口可乐330ml", "soda", ["6921168509256"]),
        ("A2", "百事可乐", "soda", []),
        ("A3", "可乐味糖果", "food", []),
        ("B1", "ＡＢＣ Soap", "other", ["777"]),
        ("B2", "100%_juice!", "drinks", []),
        ("B3", "100 juice", None, []),
        ("KL", "洗衣粉", "other", []),
    ]
    for sku, name, category, codes in goods:
        catalog.create_product(
            NewProduct(
                sku=sku,
                name=name,
                unit="个",
                category=category,
                barcodes=[NewBarcode(code=code) for code in codes],
                price=Decimal(1),
            ),
            ctx=owner,
        )
    return catalog


def _found(catalog: CatalogService, ctx: Context, **query: Any) -> list[str]:
    return [p.sku for p in catalog.list_products(ProductQuery(**query), ctx=ctx).items]


RANKED: dict[str, list[str]] = {
    "可乐": ["A3", "A1", "A2"],
    "kl": ["KL", "A3", "A1", "A2"],
    "KELE": ["A3", "A1", "A2"],
    "kkkl": ["A1"],
    "bskl": ["A2"],
    "可乐 330": ["A1"],
    "6921168509256": ["A1"],
    "850925": ["A1"],
    "abc": ["B1"],
    "ａｂｃ　soap": ["B1"],
    "100%": ["B2"],
    "%": ["B2"],
    "_": ["B2"],
    "juice!": ["B2"],
    "a1": ["A1"],
    "nothing": [],
    "  ": ["A1", "A2", "A3", "B1", "B2", "B3", "KL"],
}


def test_search_finds_and_ranks(shelf: CatalogService, owner: Context) -> None:
    assert {q: _found(shelf, owner, q=q) for q in RANKED} == RANKED


def test_search_follows_a_changed_name_and_barcode(shelf: CatalogService, owner: Context) -> None:
    shelf.patch_product(
        "KL", ProductPatch(name="雪碧", barcodes=[NewBarcode(code="123456")]), ctx=owner
    )
    assert _found(shelf, owner, q="xb") == ["KL"]
    assert _found(shelf, owner, q="2345") == ["KL"]
    assert _found(shelf, owner, q="洗衣粉") == []


def test_list_filters_by_category_with_those_below_by_sku_and_archive(
    shelf: CatalogService, owner: Context
) -> None:
    assert _found(shelf, owner, category="food") == ["A1", "A2", "A3", "B2"]
    assert _found(shelf, owner, category="soda") == ["A1", "A2"]
    assert _found(shelf, owner, category="none") == []
    assert _found(shelf, owner, skus=["B1", "A1", "x"]) == ["A1", "B1"]
    assert _found(shelf, owner, composition="made") == []
    assert _found(shelf, owner, category="soda", composition="none") == ["A1", "A2"]
    shelf.archive_product("A1", ctx=owner)
    assert _found(shelf, owner, category="soda") == ["A2"]
    assert _found(shelf, owner, archived=True) == ["A1"]
    assert _found(shelf, owner, category="soda", archived=None) == ["A1", "A2"]


ORDERS: list[dict[str, Any]] = [
    {},
    {"q": "kl"},
    {"sort": ["-sku"]},
    {"sort": ["name"]},
    {"sort": ["-name"]},
    {"sort": ["-created_at", "sku"]},
]


def test_pages_follow_each_other_without_gap_or_repeat(
    shelf: CatalogService, owner: Context
) -> None:
    for query in ORDERS:
        whole = _found(shelf, owner, **query)
        paged: list[str] = []
        cursor = None
        while True:
            page = shelf.list_products(ProductQuery(**query, limit=2, cursor=cursor), ctx=owner)
            paged += [p.sku for p in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert paged == whole
        assert len(whole) > 2


@pytest.mark.sqlite_only
def test_list_with_an_unknown_sort_or_a_foreign_cursor_is_invalid(
    shelf: CatalogService, owner: Context
) -> None:
    cursor = shelf.list_products(ProductQuery(limit=1), ctx=owner).next_cursor
    for query, pointer in (
        (ProductQuery(sort=["colour"]), "/sort"),
        (ProductQuery(cursor="???"), "/cursor"),
        (ProductQuery(cursor="é"), "/cursor"),
        (ProductQuery(cursor=""), "/cursor"),
        (ProductQuery(cursor=cursor, sort=["name"]), "/cursor"),
    ):
        with pytest.raises(Refused) as refused:
            shelf.list_products(query, ctx=owner)
        assert [e.pointer for e in refused.value.problem.errors] == [pointer]


def test_spelling_keeps_what_is_no_chinese() -> None:
    assert spelled(fold("可乐 330ML 装")) == ("kl 330ml z", "kele 330ml zhuang")
    assert spelled("soap") == ("", "")
    assert spelled("重庆火锅")[0] == "cqhg"


@pytest.mark.parametrize(
    ("name", "readings"),
    [
        ("曾记糕点", ["zjgd", "cjgd"]),
        ("单县长面", ["dxcm", "sxcm", "sxzm"]),
        ("乐音盒", ["lyh", "yyh"]),
    ],
)
def test_search_by_initials_finds_a_name_by_each_of_its_readings(
    catalog: CatalogService, owner: Context, name: str, readings: list[str]
) -> None:
    catalog.create_product(NewProduct(sku="X", name=name, unit="个"), ctx=owner)
    assert [_found(catalog, owner, q=typed) for typed in readings] == [["X"]] * len(readings)
    assert _found(catalog, owner, q="qqqq") == []
