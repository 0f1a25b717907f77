"""The kernel's exports: products, stock, documents, moves.

Products come out with every column an import knows, so that the file, imported again, changes
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from attrs import evolve
from msgspec import field
from msgspec.structs import replace

from dianku.catalog.listing import ProductQuery
from dianku.catalog.requests import ProductRecord
from dianku.catalog.service import CatalogService
from dianku.clock import format_ms
from dianku.context import Context
from dianku.exchange.exporting import Heading, KernelExport, asked_for
from dianku.exchange.lists import join_components, join_packs
from dianku.ledger.flows import Bucket, Flow
from dianku.ledger.read.queries import StockQueries
from dianku.ledger.read.requests import DocumentFilter, StockFilter
from dianku.ledger.requests import DocumentRecord, LineRecord
from dianku.quantity import format_cost, format_quantity
from dianku.storage.engine import Database
from dianku.wire import Code, Request

PAGE = 1000


def _columns(text: str) -> list[tuple[str, Heading]]:
    """Read `key zh|en` lines."""
    columns = []
    for line in text.strip().splitlines():
        key, titles = line.strip().split(" ", 1)
        zh, en = titles.split("|")
        columns.append((key, Heading(zh, en)))
    return columns


PRODUCT_COLUMNS = _columns(
    """
    sku 商品编码|SKU
    name 名称|Name
    spec 规格|Spec
    unit 单位|Unit
    category 分类|Category
    category_code 分类编码|Category code
    barcode 条码|Barcode
    barcodes 全部条码|All barcodes
    price 售价|Price
    open_price_min 最低售价|Open price min
    open_price_max 最高售价|Open price max
    cost 成本|Cost
    precision 小数位|Precision
    display_unit 大单位|Display unit
    display_factor 大单位换算|Display factor
    track_lots 批次管理|Track lots
    shelf_life_days 保质期（天）|Shelf life (days)
    low_stock 库存下限|Low stock
    max_stock 库存上限|Max stock
    overstock_days 积压天数|Overstock days
    composition 构成|Composition
    components 组成|Components
    family 款号|Family
    """
)
STOCK_COLUMNS = _columns(
    """
    sku 商品编码|SKU
    name 名称|Name
    spec 规格|Spec
    store 门店|Store
    unit 单位|Unit
    on_hand 现存|On hand
    reserved 占用|Reserved
    available 可用|Available
    damaged 残次|Damaged
    kept 客存|Kept
    in_transit 在途|In transit
    sold_7d 近7天销量|Sold in 7 days
    sold_30d 近30天销量|Sold in 30 days
    low_stock 库存下限|Low stock
    value 库存金额|Value
    """
)
DOCUMENT_COLUMNS = _columns(
    """
    number 单据号|Document
    kind 类型|Kind
    status 状态|Status
    store 门店|Store
    to_store 调入门店|To store
    channel 渠道|Channel
    reference 外部单号|Reference
    supplier 供应商|Supplier
    occurred_at 发生时间|Occurred at
    business_date 营业日|Business date
    actor 操作人|Actor
    line 行|Line
    sku 商品编码|SKU
    quantity 数量|Quantity
    counted 盘点数量|Counted
    amount 金额|Amount
    cost 成本|Cost
    reason 原因|Reason
    note 备注|Note
    payments 付款|Payments
    """
)
MOVE_COLUMNS = _columns(
    """
    document 单据号|Document
    line 行|Line
    kind 类型|Kind
    store 门店|Store
    sku 商品编码|SKU
    name 名称|Name
    bucket 库存类别|Bucket
    flow 流向|Flow
    reason 原因|Reason
    quantity 数量|Quantity
    value 金额|Value
    occurred_at 发生时间|Occurred at
    recorded_at 记录时间|Recorded at
    actor 操作人|Actor
    """
)
_MOVES = """
SELECT m.id, d.number, m.line, d.kind, s.code AS store, p.sku, p.name, p.precision, m.bucket,
    m.flow, m.reason, m.quantity, m.value, m.occurred_at, m.recorded_at, d.actor
FROM stock_move AS m JOIN document AS d ON d.id = m.document_id
JOIN store AS s ON s.id = m.store_id JOIN product AS p ON p.id = m.product_id
WHERE m.id > :after {where} ORDER BY m.id LIMIT :page
"""


class MoveExport(Request, frozen=True):
    """Which moves: of these products and stores."""

    sku: list[Code] = field(default_factory=list)
    store: list[Code] = field(default_factory=list)


def kernel_exports(
    database: Database, *, catalog: CatalogService, stock: StockQueries
) -> list[KernelExport]:
    """The kernel's exports over a shop's services."""

    def products(ctx: Context, **filters: Any) -> Iterator[Sequence[Any]]:
        names = {c.code: c.name for c in catalog.list_categories(ctx=ctx)}
        query = ProductQuery(limit=PAGE, sort=("sku",), **asked_for(ProductExport, filters).given())
        for record in _products(catalog, query, ctx=ctx):
            yield _product_row(record, names.get(record.category or ""))

    def levels(ctx: Context, **filters: Any) -> Iterator[Sequence[Any]]:
        for row in stock.each_row(asked_for(StockFilter, filters), ctx=ctx):
            yield [getattr(row, key) for key, _ in STOCK_COLUMNS]

    def documents(ctx: Context, **filters: Any) -> Iterator[Sequence[Any]]:
        asked = replace(asked_for(DocumentFilter, filters), limit=PAGE)
        while True:
            page = stock.documents(asked, ctx=ctx)
            for document in page.items:
                for line in document.lines:
                    yield [_document_cell(document, line, key) for key, _ in DOCUMENT_COLUMNS]
            if page.next_cursor is None:
                return
            asked = replace(asked, cursor=page.next_cursor)

    def moves(ctx: Context, **filters: Any) -> Iterator[Sequence[Any]]:
        return _moves(database, asked_for(MoveExport, filters), ctx=ctx)

    costs = frozenset({"cost", "value"})
    return [
        KernelExport("products", "catalog.view", PRODUCT_COLUMNS, products, costs),
        KernelExport("stock", "stock.view", STOCK_COLUMNS, levels, costs),
        KernelExport("documents", "document.view", DOCUMENT_COLUMNS, documents, costs),
        KernelExport("moves", "stock.view", MOVE_COLUMNS, moves, costs),
    ]


def _document_cell(document: DocumentRecord, line: LineRecord, key: str) -> Any:
    """A cell of a line, or of the whole document, which is said again on each of its lines.

    What was paid is said on the first alone, so that it is not summed twice.
    """
    if key == "payments":
        parts = document.payments if line is document.lines[0] else []
        return "; ".join(f"{part.kind} {part.amount}" for part in parts) or None
    return getattr(line if hasattr(line, key) else document, key)


class ProductExport(Request, frozen=True):
    """Which products: found by words, in a category, of these skus."""

    q: str | None = None
    category: Code | None = None
    sku: list[Code] = field(default_factory=list)

    def given(self) -> dict[str, Any]:
        """As arguments of a `ProductQuery`."""
        return {"q": self.q, "category": self.category, "skus": tuple(self.sku)}


def _products(
    catalog: CatalogService, query: ProductQuery, *, ctx: Context
) -> Iterator[ProductRecord]:
    while True:
        page = catalog.list_products(query, ctx=ctx)
        yield from page.items
        if page.next_cursor is None:
            return
        query = evolve(query, cursor=page.next_cursor)


def _product_row(record: ProductRecord, category: str | None) -> list[Any]:
    own: dict[str, Any] = {
        "category": category,
        "category_code": record.category,
        "barcode": next((b.code for b in record.barcodes if b.factor == 1), None),
        "barcodes": join_packs((b.code, b.factor, b.price) for b in record.barcodes),
        "display_unit": record.display.unit if record.display else None,
        "display_factor": record.display.factor if record.display else None,
        "open_price_min": record.open_price.min if record.open_price else None,
        "open_price_max": record.open_price.max if record.open_price else None,
        "components": join_components((c.sku, c.quantity) for c in record.components),
    }
    return [own[key] if key in own else getattr(record, key) for key, _ in PRODUCT_COLUMNS]


def _moves(database: Database, asked: MoveExport, *, ctx: Context) -> Iterator[Sequence[Any]]:
    """Every move in scope, in the order of recording, a page of them per transaction."""
    stores = list(asked.store)
    if ctx.actor.stores is not None:
        stores = [s for s in stores or sorted(ctx.actor.stores) if ctx.sees_store(s)]
        if not stores:
            return
    lists = {"skus": list(asked.sku), "stores": stores}
    where = "".join(
        f" AND {column} IN :{name}"
        for name, column in (("skus", "p.sku"), ("stores", "s.code"))
        if lists[name]
    )
    binds: list[sa.BindParameter[Any]] = [
        sa.bindparam(n, v, expanding=True) for n, v in lists.items() if v
    ]
    statement = sa.text(_MOVES.format(where=where)).bindparams(*binds)
    after = 0
    while True:
        with database.reading() as connection:
            rows = connection.execute(statement, {"after": after, "page": PAGE}).all()
        for row in rows:
            after = row.id
            yield _move_row(row)
        if len(rows) < PAGE:
            return


def _move_row(row: Any) -> list[Any]:
    return [
        row.number,
        row.line,
        row.kind,
        row.store,
        row.sku,
        row.name,
        Bucket(row.bucket).name.lower(),
        Flow(row.flow).name.lower(),
        row.reason or None,
        format_quantity(row.quantity, row.precision),
        format_cost(row.value),
        format_ms(row.occurred_at),
        format_ms(row.recorded_at),
        row.actor,
    ]
