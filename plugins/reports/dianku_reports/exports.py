"""Every report as a table, for `GET /exports/{kind}` and `dianku export`.

The query parameters are those of the report's route; limits and cursors are of no use here, a
table is whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from dianku.api import (
    Context,
    DocumentFilter,
    ExportKind,
    FieldError,
    MoveFilter,
    Shop,
    StockFilter,
    Title,
    invalid,
)
from dianku_reports.questions import SalesQuestion, WriteOffQuestion
from dianku_reports.reports import every_sale, every_write_off

_Asked = TypeVar("_Asked", bound=msgspec.Struct)
Columns = Sequence[tuple[str, Title]]

SALES: Columns = [
    ("sku", Title(zh="商品编码", en="SKU")),
    ("name", Title(zh="商品", en="Product")),
    ("unit", Title(zh="单位", en="Unit")),
    ("category", Title(zh="分类", en="Category")),
    ("channel", Title(zh="渠道", en="Channel")),
    ("store", Title(zh="门店", en="Store")),
    ("day", Title(zh="日期", en="Day")),
    ("hour", Title(zh="时段", en="Hour")),
    ("documents", Title(zh="单数", en="Sales")),
    ("quantity", Title(zh="销量", en="Quantity")),
    ("amount", Title(zh="销售额", en="Amount")),
    ("returns", Title(zh="退货量", en="Returns")),
    ("returned_amount", Title(zh="退货额", en="Returned amount")),
    ("cost", Title(zh="成本", en="Cost")),
    ("margin", Title(zh="毛利", en="Margin")),
]
WRITE_OFFS: Columns = [
    ("reason", Title(zh="原因", en="Reason")),
    ("sku", Title(zh="商品编码", en="SKU")),
    ("name", Title(zh="商品", en="Product")),
    ("actor", Title(zh="经手人", en="Person")),
    ("day", Title(zh="日期", en="Day")),
    ("quantity", Title(zh="数量", en="Quantity")),
    ("value", Title(zh="金额", en="Value")),
]
STOCK: Columns = [
    ("sku", Title(zh="商品编码", en="SKU")),
    ("name", Title(zh="商品", en="Product")),
    ("store", Title(zh="门店", en="Store")),
    ("unit", Title(zh="单位", en="Unit")),
    ("on_hand", Title(zh="现存", en="On hand")),
    ("available", Title(zh="可用", en="Available")),
    ("sold_7d", Title(zh="7天销量", en="Sold in 7 days")),
    ("sold_30d", Title(zh="30天销量", en="Sold in 30 days")),
    ("low_stock", Title(zh="预警线", en="Alert line")),
    ("days_of_cover", Title(zh="可售天数", en="Days of cover")),
    ("value", Title(zh="库存金额", en="Value")),
]
_CARD: Columns = [
    ("occurred_at", Title(zh="发生时间", en="Occurred at")),
    ("document", Title(zh="单据", en="Document")),
    ("kind", Title(zh="类型", en="Kind")),
    ("store", Title(zh="门店", en="Store")),
    ("channel", Title(zh="渠道", en="Channel")),
    ("bucket", Title(zh="库位", en="Bucket")),
    ("quantity", Title(zh="数量", en="Quantity")),
    ("value", Title(zh="金额", en="Value")),
    ("balance_after", Title(zh="结存", en="Balance after")),
    ("recorded_at", Title(zh="记录时间", en="Recorded at")),
    ("actor", Title(zh="经手人", en="Person")),
]
_DOCUMENTS: Columns = [
    ("number", Title(zh="单号", en="Number")),
    ("kind", Title(zh="类型", en="Kind")),
    ("status", Title(zh="状态", en="Status")),
    ("store", Title(zh="门店", en="Store")),
    ("to_store", Title(zh="调入门店", en="To store")),
    ("channel", Title(zh="渠道", en="Channel")),
    ("reference", Title(zh="外部单号", en="Reference")),
    ("business_date", Title(zh="营业日", en="Business date")),
    ("occurred_at", Title(zh="发生时间", en="Occurred at")),
    ("actor", Title(zh="经手人", en="Person")),
    ("note", Title(zh="备注", en="Note")),
]


def exports(shop: Shop) -> list[ExportKind]:
    """Make the tables over one shop."""

    def sales(ctx: Context, **query: Any) -> Iterator[Sequence[Any]]:
        return _picked(SALES, every_sale(shop, _read(query, SalesQuestion), ctx=ctx))

    def write_offs(ctx: Context, **query: Any) -> Iterator[Sequence[Any]]:
        asked = _read(query, WriteOffQuestion)
        return _picked(WRITE_OFFS, every_write_off(shop, asked, ctx=ctx))

    def stock(ctx: Context, **query: Any) -> Iterator[Sequence[Any]]:
        asked = _read(query, StockFilter)
        return _picked(STOCK, _whole(shop.stock.stock, asked, ctx=ctx))

    def card(ctx: Context, **query: Any) -> Iterator[Sequence[Any]]:
        asked = _read(query, MoveFilter)
        return _picked(_CARD, _whole(shop.stock.moves, asked, ctx=ctx))

    def documents(ctx: Context, **query: Any) -> Iterator[Sequence[Any]]:
        asked = _read(query, DocumentFilter)
        return _picked(_DOCUMENTS, _whole(shop.stock.documents, asked, ctx=ctx))

    return [
        ExportKind("reports.sales", Title(zh="销售报表", en="Sales"), "reports.view", SALES, sales),
        ExportKind(
            "reports.write-offs",
            Title(zh="报损报告", en="Write-offs"),
            "reports.view",
            WRITE_OFFS,
            write_offs,
        ),
        ExportKind(
            "reports.stock", Title(zh="库存监控", en="Live stock"), "stock.view", STOCK, stock
        ),
        ExportKind(
            "reports.stock-card", Title(zh="商品流水", en="Stock card"), "stock.view", _CARD, card
        ),
        ExportKind(
            "reports.documents",
            Title(zh="单据查询", en="Documents"),
            "document.view",
            _DOCUMENTS,
            documents,
        ),
    ]


def _read(query: Mapping[str, Any], kind: type[_Asked]) -> _Asked:
    """Read query parameters as the route would; a single value may stand for a list.

    Raises:
        Refused: `invalid`, naming every parameter that does not fit.
    """
    fields = {f.encode_name: f for f in msgspec.structs.fields(kind)}
    values: dict[str, Any] = {}
    for name, value in query.items():
        if value is None:
            continue
        field = fields.get(name)
        many = field is not None and isinstance(field.default_factory, type)
        if many and isinstance(value, str):
            values[name] = [value]
        elif not many and isinstance(value, (list, tuple)):
            values[name] = value[-1]
        else:
            values[name] = value
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError:
        raise invalid(*_faults(kind, values)) from None


_ABOUT = (
    (re.compile(r"missing required field `(\w+)`"), "missing"),
    (re.compile(r"unknown field `(\w+)`"), "unknown_parameter"),
    (re.compile(r"at `\$\.(\w+)"), "wrong_value"),
)


def _faults(kind: type[_Asked], values: Mapping[str, Any]) -> list[FieldError]:
    """What is wrong with each parameter, tried alone, and what is missing."""
    wrong: dict[str, FieldError] = {}
    for one in ({}, *({name: value} for name, value in values.items())):
        try:
            msgspec.convert(one, kind, strict=False)
        except msgspec.ValidationError as error:
            fault = _fault(str(error))
            if fault.pointer.removeprefix("/") in one or (
                fault.code == "missing" and fault.pointer.removeprefix("/") not in values
            ):
                wrong[fault.pointer] = fault
    return list(wrong.values())


def _fault(why: str) -> FieldError:
    """Which parameter a refusal of msgspec is about."""
    for pattern, code in _ABOUT:
        found = pattern.search(why)
        if found:
            return FieldError(f"/{found[1]}", code, {"why": why})
    return FieldError("/query", "wrong_value", {"why": why})


def _picked(columns: Columns, rows: Iterable[Any]) -> Iterator[Sequence[Any]]:
    for row in rows:
        yield [getattr(row, name) for name, _ in columns]


def _whole(page_of: Callable[..., Any], asked: Any, *, ctx: Context) -> Iterator[Any]:
    asked = msgspec.structs.replace(asked, limit=1000)
    while True:
        page = page_of(asked, ctx=ctx)
        yield from page.items
        if page.next_cursor is None:
            return
        asked = msgspec.structs.replace(asked, cursor=page.next_cursor)
