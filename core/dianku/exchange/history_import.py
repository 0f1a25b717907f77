"""Import sales of the time before: into the books that reports read, all rows or none.

They move no stock, unless posting is asked for: then the ledger books them as sales and returns.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from dianku.catalog.requests import ProductPatch
from dianku.catalog.service import CatalogService
from dianku.catalog.snapshot import CatalogCache
from dianku.catalog.upsert import ProductChange, plan_products
from dianku.context import Context
from dianku.errors import NumberRefused, Problem
from dianku.exchange.cells import fold
from dianku.exchange.history_costs import KnownCosts, known_costs
from dianku.exchange.layout import Table
from dianku.exchange.product_changes import UNIT, encode_patch
from dianku.exchange.product_import import Progress
from dianku.exchange.rows import is_sku
from dianku.exchange.runs import Run, RunBook, keep_remarks
from dianku.exchange.stock_import import Head, Planned, StockImport
from dianku.exchange.stock_sheet import Dated, StockRow, settle_product
from dianku.ledger.history import Sale, remove_history, write_history
from dianku.ledger.requests import NewLine
from dianku.quantity import AMOUNT_MAX, MINOR_DIGITS, parse_quantity
from dianku.storage.engine import Database

CHUNK = 5000
COUNTER = "counter"


class HistoryImport:
    """One run of a file of sales."""

    def __init__(
        self,
        database: Database,
        cache: CatalogCache,
        *,
        catalog: CatalogService,
        book: RunBook,
        stock: StockImport,
    ) -> None:
        self._database = database
        self._cache = cache
        self._catalog = catalog
        self._book = book
        self._stock = stock

    def carry(
        self, run: Run, tables: Sequence[Table], *, escaped: bool, ctx: Context, progress: Progress
    ) -> Problem | None:
        """Read all rows; if every one is sound, write them. Otherwise `import_refused`."""
        _ = ctx
        rows = self._stock.read(tables, escaped=escaped)
        self._stock.settle(rows, missing_allowed=run.options.create_missing)
        days = [self._stock.when(one) if not one.failed else None for one in rows]
        channels = [self._channel(one) for one in rows]
        for one, day in zip(rows, days, strict=True):
            self._check(one, day, run=run)
        if any(one.failed for one in rows):
            self._close(run, rows)
            return Problem("import_refused", {"rows": run.failed})
        if run.options.dry_run:
            self._close(run, rows)
            return None
        if run.options.create_missing:
            self._create(run, rows)
        if run.options.post:
            self._stock.post(self._documents(rows, days, channels), progress=progress)
            return None
        with self._database.reading() as connection:
            costs = known_costs(connection, self._cache, rows)
        sales = [
            _sale(one, day, channel_id, costs)
            for one, day, (_, channel_id) in zip(rows, days, channels, strict=True)
        ]
        self._write(run, rows, sales, progress=progress)
        return None

    def _close(self, run: Run, rows: Sequence[StockRow]) -> None:
        refused = any(one.failed for one in rows)
        for one in rows:
            run.count("failed" if one.failed else "unchanged" if refused else "created")
            keep_remarks(run, one.row.errors, one.row.notes)

    def _channel(self, one: StockRow) -> tuple[str | None, int]:
        channels = self._cache.channels
        name = one.values.get("channel")
        if name is None:
            counter = channels.get(COUNTER)
            return None, counter.id if counter is not None else 0
        found = channels.get(fold(str(name)))
        if found is None:
            one.row.wrong("channel", "unknown_channel", name=str(name))
            return None, 0
        return found.name, found.id

    def _check(self, one: StockRow, day: Dated | None, *, run: Run) -> None:
        if one.failed:
            return
        if day is None and not run.options.post:
            one.row.wrong("time", "missing")
        amount: Any = one.values.get("amount")
        if amount is not None and one.quantity is not None and amount * one.quantity < 0:
            one.row.wrong("amount", "sign_differs")
        elif amount is not None and abs(amount.adjusted()) > 12:
            one.row.wrong("amount", "too_large", max="10^11")
        if one.product is None and not is_sku(one.names[0]):
            one.row.wrong("sku", "bad_code")
        close: Any = one.values.get("stock_at_close")
        if close is not None and one.product is not None:
            try:
                parse_quantity(close, one.product.precision)
            except NumberRefused as refused:
                one.row.wrong("stock_at_close", refused.code, **refused.params)

    def _create(self, run: Run, rows: Sequence[StockRow]) -> None:
        """Make goods nobody knows yet, with as many decimals as their sales have."""
        patches: dict[str, dict[str, Any]] = {}
        for one in rows:
            if one.product is None:
                sku = one.names[0]
                patch = patches.setdefault(sku, {"name": sku, "unit": UNIT, "precision": 0})
                patch["name"] = one.values.get("name", patch["name"])
                patch["precision"] = max(patch["precision"], _decimals(one.quantity))
        if not patches:
            return
        changes = [ProductChange(sku, ProductPatch(**patch)) for sku, patch in patches.items()]
        with self._catalog.changing() as change:
            plan = plan_products(change.connection, changes)
            self._catalog.write_plan(change, plan)
            made = [("product", c.sku, None, encode_patch(c.patch)) for c in changes]
            self._book.add_changes(change.connection, run, made)
        with self._database.reading() as connection:
            self._cache.refresh(connection)
            state = self._cache.ensure(connection, skus=patches)
        for one in rows:
            if one.product is None:
                one.given = one.names[0]
                settle_product(one, state, missing_allowed=False)

    def _write(
        self, run: Run, rows: Sequence[StockRow], sales: Sequence[Sale], *, progress: Progress
    ) -> None:
        with self._database.writing() as connection:
            remove_history(connection, import_id=run.id)  # of a run that died half way
        for start in range(0, len(sales), CHUNK):
            with self._database.writing() as connection:
                write_history(connection, sales[start : start + CHUNK], import_id=run.id)
                self._close(run, rows[start : start + CHUNK])
                self._book.save(connection, run)
            progress(run.progress, run.rows)

    def _documents(
        self,
        rows: Sequence[StockRow],
        days: Sequence[Dated | None],
        channels: Sequence[tuple[str | None, int]],
    ) -> list[tuple[Head, list[Planned]]]:
        """Sales as issues and customer returns, of one moment and channel each."""
        groups: dict[Head, list[Planned]] = {}
        for one, day, (channel, _) in zip(rows, days, channels, strict=True):
            if one.store is None or one.product is None or not one.quantity:
                self._stock.close(one, "unchanged")
                continue
            kind = "issue" if one.quantity > 0 else "customer_return"
            moment = self._stock.moment(day, one.store)
            values: dict[str, Any] = {}
            if "amount" in one.values:
                values["amount"] = abs(one.values["amount"])  # type: ignore[arg-type]
            elif "price" in one.values:
                values["unit_price"] = one.values["price"]
            line = NewLine(sku=one.product.sku, quantity=abs(one.quantity), **values)
            head = Head(kind, one.store.code, channel=channel, occurred_at=moment)
            groups.setdefault(head, []).append(Planned(one, line, "created"))
        return list(groups.items())


def _decimals(quantity: Decimal | None) -> int:
    if quantity is None:
        return 0
    exponent = quantity.normalize().as_tuple().exponent
    return min(max(-exponent, 0), 3) if isinstance(exponent, int) else 0


def _sale(one: StockRow, day: Dated | None, channel_id: int, costs: KnownCosts) -> Sale:
    """A sound row as a sale."""
    if one.store is None or one.product is None or one.quantity is None or day is None:
        raise ValueError("a row with errors is no sale")
    steps = parse_quantity(one.quantity, one.product.precision)
    amount = _minor(one)
    promotion, close = one.values.get("promotion"), one.values.get("stock_at_close")
    sold = steps >= 0
    return Sale(
        day.day,
        one.store.id,
        one.product.id,
        channel_id,
        quantity=steps if sold else 0,
        amount=amount if sold else 0,
        returned=0 if sold else -steps,
        returned_amount=0 if sold else amount,
        cost=costs.of_row(one, steps),
        promotion=str(promotion) if promotion is not None else None,
        stock_at_close=parse_quantity(close, one.product.precision)
        if isinstance(close, Decimal)
        else None,
    )


def _minor(one: StockRow) -> int:
    """The amount of a row in minor units, positive, half up; 0 where nothing says it."""
    amount, price = one.values.get("amount"), one.values.get("price")
    money = Decimal(0)
    if isinstance(amount, Decimal):
        money = amount
    elif isinstance(price, Decimal) and one.quantity is not None:
        money = price * one.quantity
    rounded = abs(money).quantize(Decimal(1).scaleb(-MINOR_DIGITS), rounding="ROUND_HALF_UP")
    return min(int(rounded.scaleb(MINOR_DIGITS)), AMOUNT_MAX)
