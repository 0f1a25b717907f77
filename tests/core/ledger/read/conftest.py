"""A shop whose moves are written straight into the tables by a fold of this file's own.

It shares no code with posting, so what the read side says can be held against plain sums over
`Books.moves`.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from dianku.catalog import tables as catalog
from dianku.catalog.snapshot import CatalogCache
from dianku.clock import SetClock
from dianku.context import Actor, Context
from dianku.ledger import tables as ledger
from dianku.ledger.figures.figures import Figures
from dianku.ledger.read.queries import StockQueries
from dianku.storage import events
from dianku.storage.engine import Database

SELLABLE, DAMAGED, KEPT, IN_TRANSIT = range(4)
RECEIVED, SOLD, COMPONENT, RETURNED, RETURNED_COMPONENT, SUPPLIER, WRITTEN_OFF, ADJUSTED = range(
    1, 9
)
SALES = {SOLD, COMPONENT, RETURNED, RETURNED_COMPONENT}
HOUR = 3_600_000
DAY = 24 * HOUR
NOW = int(datetime(2026, 3, 31, 10, 0, tzinfo=UTC).timestamp() * 1000)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC).date().toordinal()
ALL = frozenset({"stock.view", "cost.view", "document.view", "report.view"})


@dataclass
class Place:
    id: int
    code: str
    zone: str
    cutoff: int

    def day(self, at: int) -> int:
        local = datetime.fromtimestamp(at / 1000, ZoneInfo(self.zone))
        minutes = local.hour * 60 + local.minute
        return local.date().toordinal() - EPOCH - (1 if minutes < self.cutoff else 0)

    def hour(self, at: int) -> int:
        return datetime.fromtimestamp(at / 1000, ZoneInfo(self.zone)).hour


@dataclass
class Good:
    id: int
    sku: str
    precision: int
    category: str | None
    composition: str = "none"


@dataclass
class Move:
    id: int
    document: int
    store: str
    sku: str
    bucket: int
    flow: int
    reason: str
    quantity: int
    value: int
    at: int
    day: int
    lot: int


@dataclass
class Sale:
    store: str
    sku: str
    channel: str
    day: int
    hour: int
    quantity: int = 0
    amount: int = 0
    returned: int = 0
    returned_amount: int = 0
    cost: int = 0


@dataclass
class Books:
    """Moves in memory and in the tables. `flush` writes what was noted since."""

    database: Database
    places: dict[str, Place] = field(default_factory=dict)
    goods: dict[str, Good] = field(default_factory=dict)
    channels: dict[str, int] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    sales: list[Sale] = field(default_factory=list)
    documents: list[dict[str, Any]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    reserved: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    def insert(self, table: sa.Table, **row: Any) -> int:
        with self.database.writing() as c:
            version = events.bump(c, "catalog")
            if "version" in table.c:
                row.setdefault("version", version)
            made = c.execute(sa.insert(table).values(row))
            key = made.inserted_primary_key
            return int(key[0]) if key is not None and isinstance(key[0], int) else 0

    def place(self, code: str, *, zone: str = "Asia/Shanghai", cutoff: int = 0) -> None:
        made = self.insert(
            catalog.store,
            code=code,
            name=code,
            kind="shop",
            timezone=zone,
            day_cutoff_minutes=cutoff,
        )
        self.places[code] = Place(made, code, zone, cutoff)

    def good(self, sku: str, *, precision: int = 0, **more: Any) -> None:
        category = more.pop("category", None)
        category_id = None
        if category is not None:
            with self.database.reading() as c:
                category_id = c.execute(
                    sa.select(catalog.category.c.id).where(catalog.category.c.code == category)
                ).scalar_one()
        row: dict[str, Any] = {
            "name": f"Good {sku}",
            "unit": "个",
            "track_lots": False,
            "composition": "none",
            "search": sku.casefold(),
            "created_at": 0,
        } | more
        made = self.insert(
            catalog.product, sku=sku, precision=precision, category_id=category_id, **row
        )
        self.goods[sku] = Good(made, sku, precision, category, row["composition"])

    def channel(self, name: str) -> None:
        self.channels[name] = self.insert(
            catalog.channel, name=name, kind="counter", policy="permissive", issue_on="paid"
        )

    def document(self, kind: str, store: str, at: int, **more: Any) -> int:
        made = len(self.documents) + 1
        place = self.places[store]
        row = {
            "id": made,
            "number": f"D-{made:06d}",
            "kind": kind,
            "action": "post",
            "store_id": place.id,
            "to_store_id": None,
            "channel_id": None,
            "reference": None,
            "of_document_id": None,
            "reverses_id": None,
            "cause_id": None,
            "supplier": None,
            "note": None,
            "loss_to": None,
            "occurred_at": at,
            "recorded_at": at + 1000,
            "business_date": place.day(at),
            "late": False,
            "actor": "anna",
            "device": None,
            "import_id": None,
            "warnings": None,
        } | more
        self.documents.append(row)
        return made

    def line(self, document: int, sku: str, quantity: int, **more: Any) -> None:
        number = 1 + sum(x["document_id"] == document for x in self.lines)
        self.lines.append(
            {
                "document_id": document,
                "line": number,
                "product_id": self.goods[sku].id,
                "barcode": None,
                "quantity": quantity,
                "counted": None,
                "amount": None,
                "cost": 0,
                "variance": 0,
                "kept": 0,
                "of_line": None,
                "reason": None,
                "disposition": None,
                "bucket": 0,
                "lot_id": 0,
                "occurred_at": None,
                "recipe": None,
            }
            | more
        )

    def move(
        self,
        document: int,
        store: str,
        sku: str,
        flow: int,
        quantity: int,
        *,
        value: int = 0,
        at: int,
        bucket: int = SELLABLE,
        reason: str = "",
        lot: int = 0,
    ) -> None:
        day = self.places[store].day(at)
        self.moves.append(
            Move(
                len(self.moves) + 1,
                document,
                store,
                sku,
                bucket,
                flow,
                reason,
                quantity,
                value,
                at,
                day,
                lot,
            )
        )

    def sale(self, store: str, sku: str, channel: str, at: int, **more: int) -> None:
        place = self.places[store]
        self.sales.append(Sale(store, sku, channel, place.day(at), place.hour(at), **more))

    def balance(
        self,
        store: str,
        sku: str,
        bucket: int = SELLABLE,
        keep: Callable[[Move], bool] = lambda _m: True,
    ) -> tuple[int, int]:
        chosen = [
            m for m in self.moves if (m.store, m.sku, m.bucket) == (store, sku, bucket) and keep(m)
        ]
        return sum(m.quantity for m in chosen), sum(m.value for m in chosen)

    def sold(self, store: str, sku: str, first: int, last: int) -> int:
        return -sum(
            m.quantity
            for m in self.moves
            if m.store == store and m.sku == sku and m.flow in SALES and first <= m.day <= last
        )

    def flush(self) -> None:
        with self.database.writing() as c:
            self._put(c, ledger.document, self.documents)
            self._put(c, ledger.document_line, self.lines)
            self._put(
                c,
                ledger.stock_move,
                [
                    {
                        "id": m.id,
                        "document_id": m.document,
                        "line": 1,
                        "store_id": self.places[m.store].id,
                        "product_id": self.goods[m.sku].id,
                        "bucket": m.bucket,
                        "flow": m.flow,
                        "reason": m.reason,
                        "lot_id": m.lot,
                        "quantity": m.quantity,
                        "value": m.value,
                        "occurred_at": m.at,
                        "recorded_at": m.at,
                        "business_date": m.day,
                    }
                    for m in self.moves
                ],
            )
            self._put(c, ledger.stock_balance, self._balances())
            self._put(c, ledger.daily_summary, self._daily())
            self._put(c, ledger.sales_summary, self._sales())
            self._put(c, ledger.sales_by_hour, self._hours())

    def _put(self, c: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        c.execute(sa.delete(table))
        if rows:
            c.execute(sa.insert(table), rows)

    def _balances(self) -> list[dict[str, Any]]:
        names = {SELLABLE: "on_hand", DAMAGED: "damaged", KEPT: "kept", IN_TRANSIT: "in_transit"}
        values = {SELLABLE: "value", DAMAGED: "damaged_value", IN_TRANSIT: "in_transit_value"}
        rows: dict[tuple[str, str], dict[str, Any]] = {}
        for m in self.moves:
            row = rows.setdefault(
                (m.store, m.sku),
                {
                    "store_id": self.places[m.store].id,
                    "product_id": self.goods[m.sku].id,
                    "reserved": self.reserved[m.store, m.sku],
                    "moved": True,
                    **dict.fromkeys([*names.values(), *values.values()], 0),
                },
            )
            row[names[m.bucket]] += m.quantity
            if m.bucket in values:
                row[values[m.bucket]] += m.value
        return list(rows.values())

    def _daily(self) -> list[dict[str, Any]]:
        sums: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0])
        for m in self.moves:
            key = (m.day, self.places[m.store].id, self.goods[m.sku].id, m.bucket, m.flow, m.reason)
            sums[key][0] += m.quantity
            sums[key][1] += m.value
        names = ("business_date", "store_id", "product_id", "bucket", "flow", "reason")
        return [
            dict(zip(names, key, strict=True)) | {"quantity": q, "value": v}
            for key, (q, v) in sums.items()
        ]

    def _sales(self) -> list[dict[str, Any]]:
        names = ("quantity", "amount", "returned", "returned_amount", "cost")
        sums: dict[tuple[Any, ...], dict[str, int]] = defaultdict(lambda: dict.fromkeys(names, 0))
        for s in self.sales:
            key = (s.day, self.places[s.store].id, self.goods[s.sku].id, self.channels[s.channel])
            for name in names:
                sums[key][name] += getattr(s, name)
        keys = ("business_date", "store_id", "product_id", "channel_id")
        return [dict(zip(keys, k, strict=True)) | v for k, v in sums.items()]

    def _hours(self) -> list[dict[str, Any]]:
        sums: dict[tuple[Any, ...], dict[str, int]] = defaultdict(
            lambda: {"documents": 0, "amount": 0, "returned_amount": 0}
        )
        for s in self.sales:
            key = (s.day, self.places[s.store].id, s.hour, self.channels[s.channel])
            sums[key]["documents"] += s.quantity > 0
            sums[key]["amount"] += s.amount
            sums[key]["returned_amount"] += s.returned_amount
        keys = ("business_date", "store_id", "hour", "channel_id")
        return [dict(zip(keys, k, strict=True)) | v for k, v in sums.items()]


def random_trade(books: Books, seed: int, *, days: int = 50, count: int = 1500) -> None:
    """Random receipts, sales, returns, write-offs and adjustments; prints its seed."""
    print(f"trade seed {seed}")
    chance = random.Random(seed)
    stocked = [g for g in books.goods.values() if g.composition == "none"]
    for _ in range(count):
        at = NOW - chance.randrange(days * DAY)
        store = chance.choice(list(books.places))
        good = chance.choice(stocked)
        channel = chance.choice(list(books.channels))
        kind = chance.choice(["receipt", "issue", "issue", "customer_return", "write_off"])
        quantity = chance.randint(1, 9)
        value = quantity * chance.randint(1, 500)
        actor = chance.choice(["anna", "bo"])
        reason = chance.choice(["expired", "damaged"]) if kind == "write_off" else ""
        flow = {
            "receipt": RECEIVED,
            "issue": SOLD,
            "customer_return": RETURNED,
            "write_off": WRITTEN_OFF,
        }[kind]
        sign = 1 if kind in {"receipt", "customer_return"} else -1
        document = books.document(
            kind,
            store,
            at,
            actor=actor,
            channel_id=books.channels[channel] if flow in SALES else None,
        )
        paid = {"issue": 3 * value, "customer_return": 2 * value}.get(kind, value)
        books.line(document, good.sku, quantity, amount=paid, cost=value, reason=reason or None)
        bucket = DAMAGED if kind == "customer_return" and chance.random() < 0.3 else SELLABLE
        books.move(
            document,
            store,
            good.sku,
            flow,
            sign * quantity,
            value=sign * value,
            at=at,
            bucket=bucket,
            reason=reason,
        )
        if kind == "issue":
            books.sale(
                store, good.sku, channel, at, quantity=quantity, amount=3 * value, cost=value
            )
        elif kind == "customer_return":
            books.sale(
                store,
                good.sku,
                channel,
                at,
                returned=quantity,
                returned_amount=2 * value,
                cost=-value,
            )
    books.flush()


@pytest.fixture
def books(database: Database) -> Books:
    """Two stores in different zones and a dozen goods, nothing moved yet."""
    made = Books(database)
    made.place("S1")
    made.place("S2", zone="America/New_York", cutoff=240)
    made.channel("counter")
    made.channel("app")
    made.insert(
        catalog.category,
        code="food",
        name="food",
        parent_id=None,
        low_stock=5000,
        overstock_days=20,
    )
    parent = made.insert(catalog.category, code="snacks", name="snacks", parent_id=1)
    assert parent
    for i in range(12):
        made.good(f"G{i:02d}", precision=(0, 0, 3)[i % 3], category=("food", "snacks", None)[i % 3])
    return made


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOW)


@pytest.fixture
def queries(database: Database, clock: SetClock) -> StockQueries:
    return StockQueries(database, CatalogCache(), clock)


@pytest.fixture
def figures(database: Database, clock: SetClock) -> Figures:
    return Figures(database, CatalogCache(), clock)


@pytest.fixture
def owner() -> Context:
    return Context(Actor("owner", "owner", ALL))


@pytest.fixture
def clerk() -> Context:
    """May see stock of S1 only, and no costs."""
    return Context(Actor("clerk", "clerk", frozenset({"stock.view"}), frozenset({"S1"})))


@pytest.fixture
def trade() -> Callable[..., None]:
    return random_trade
