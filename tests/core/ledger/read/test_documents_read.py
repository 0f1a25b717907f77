"""Documents, reservations and exceptions as they are read back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from dianku.clock import SetClock
from dianku.context import Context
from dianku.errors import Refused
from dianku.ledger import tables as ledger
from dianku.ledger.read.queries import StockQueries
from dianku.ledger.read.requests import (
    DocumentFilter,
    ExceptionFilter,
    ReservationFilter,
)
from dianku.storage.schema import event


def numbers(queries: StockQueries, ctx: Context, **asked: Any) -> list[str]:
    found: list[str] = []
    cursor = None
    while True:
        page = queries.documents(DocumentFilter(cursor=cursor, limit=9, **asked), ctx=ctx)
        found += [d.number for d in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"kind": ["issue", "receipt"]},
        {"store": ["S2"]},
        {"sku": ["G00", "G03"]},
        {"channel": ["app"]},
        {"actor": "bo"},
        {"number": "d-0000"},
        {"from_": "2026-03-10", "to": "2026-03-20"},
        {"from_": "2026-03-10T08:00:00Z"},
        {"kind": ["issue"], "sku": ["G01"], "store": ["S1"], "actor": "anna"},
    ],
)
def test_documents_every_filter_equals_a_plain_choice(
    books: Any, queries: StockQueries, owner: Context, trade: Any, asked: dict[str, Any]
) -> None:
    trade(books, 29, count=150)
    names = {p.id: p.code for p in books.places.values()}
    channels = {i: name for name, i in books.channels.items()}
    skus = {g.id: g.sku for g in books.goods.values()}
    sold = {line["document_id"]: skus[line["product_id"]] for line in books.lines}
    first, last = 20_522, 20_532
    at = int(datetime(2026, 3, 10, 8, tzinfo=UTC).timestamp() * 1000)

    def chosen(d: dict[str, Any]) -> bool:
        return all(
            (
                d["kind"] in asked.get("kind", [d["kind"]]),
                names[d["store_id"]] in asked.get("store", names.values()),
                sold[d["id"]] in asked.get("sku", sold.values()),
                "channel" not in asked or channels.get(d["channel_id"]) in asked["channel"],
                d["actor"] == asked.get("actor", d["actor"]),
                d["number"].startswith(asked.get("number", "").upper()),
                "to" not in asked or first <= d["business_date"] <= last,
                not asked.get("from_", "").endswith("Z") or d["occurred_at"] >= at,
            )
        )

    expected = [d["number"] for d in reversed(books.documents) if chosen(d)]
    assert expected
    assert numbers(queries, owner, **asked) == expected


def test_documents_by_time_of_goods_come_in_that_order(
    books: Any, queries: StockQueries, owner: Context, trade: Any
) -> None:
    trade(books, 31, count=60)
    expected = sorted(books.documents, key=lambda d: (d["occurred_at"], d["id"]))
    assert numbers(queries, owner, sort="occurred_at") == [d["number"] for d in expected]


def test_document_is_read_whole_with_lots_balances_and_warnings(
    books: Any, queries: StockQueries, owner: Context, clock: SetClock
) -> None:
    at = clock.now_ms()
    lots = [
        books.insert(ledger.lot, product_id=books.goods["G00"].id, code=code, expires_on=day)
        for code, day in [("L1", 20_600), ("L2", 20_700)]
    ]
    document = books.document(
        "issue",
        "S1",
        at,
        channel_id=books.channels["app"],
        reference="W-1",
        warnings='[{"code": "expired_lot", "data": {"lot": "L1"}}]',
    )
    books.line(document, "G00", 5, amount=1250, cost=33_333, kept=2)
    books.move(document, "S1", "G00", 2, -3, value=-20_000, at=at, lot=lots[0])
    books.move(document, "S1", "G00", 2, -2, value=-13_333, at=at, lot=lots[1])
    books.move(document, "S1", "G00", 15, 2, at=at, bucket=2)
    books.flush()
    found = queries.document("D-000001", ctx=owner)
    line = found.lines[0]
    assert (line.sku, line.quantity, line.amount, line.cost, line.kept) == (
        "G00",
        "5",
        "12.50",
        "3.3333",
        "2",
    )
    assert [(x.lot, x.quantity, x.expires_on) for x in line.lots] == [
        ("L1", "3", "2026-05-27"),
        ("L2", "2", "2026-09-04"),
    ]
    assert (found.channel, found.reference, found.status) == ("app", "W-1", "posted")
    assert [(b.sku, b.on_hand, b.value) for b in found.balances] == [("G00", "-5", "-3.3333")]
    assert [(w.code, w.data) for w in found.warnings] == [("expired_lot", {"lot": "L1"})]


def test_document_of_a_clerk_shows_no_cost_and_none_of_other_stores(
    books: Any, queries: StockQueries, clerk: Context, clock: SetClock
) -> None:
    at = clock.now_ms()
    for store in ("S1", "S2"):
        document = books.document("receipt", store, at)
        books.line(document, "G00", 5, amount=1000, cost=100_000)
        books.move(document, store, "G00", 1, 5, value=100_000, at=at)
    books.flush()
    found = queries.document("D-000001", ctx=clerk)
    assert (found.lines[0].cost, found.lines[0].amount, found.balances[0].value) == (None,) * 3
    with pytest.raises(Refused) as refused:
        queries.document("D-000002", ctx=clerk)
    assert refused.value.problem.code == "not_found"
    assert numbers(queries, clerk) == ["D-000001"]


def test_transfer_status_follows_arrivals_close_and_reversal(
    books: Any, queries: StockQueries, owner: Context, clock: SetClock
) -> None:
    at = clock.now_ms()
    sent = books.document("transfer", "S1", at, to_store_id=books.places["S2"].id)
    books.line(sent, "G00", 5)
    books.line(sent, "G01", 2)

    def status() -> str:
        books.flush()
        return queries.document("D-000001", ctx=owner).status

    def child(action: str, *lines: tuple[int, str, int]) -> int:
        made: int = books.document("transfer", "S2", at, action=action, of_document_id=sent)
        for of_line, sku, quantity in lines:
            books.line(made, sku, quantity, of_line=of_line)
        return made

    assert status() == "sent"
    arrival = child("arrival", (1, "G00", 3))
    assert status() == "partly_received"
    books.document("transfer", "S2", at, action="reversal", reverses_id=arrival)
    assert status() == "sent"
    child("arrival", (1, "G00", 5), (2, "G01", 1))
    assert status() == "partly_received"
    child("close", (2, "G01", 1))
    assert status() == "closed"
    books.document("transfer", "S1", at, action="reversal", reverses_id=sent)
    assert status() == "reversed"


def test_reservation_past_its_end_is_expired_before_any_sweep(
    books: Any, queries: StockQueries, owner: Context, clock: SetClock
) -> None:
    now = clock.now_ms()
    for i, (state, ends) in enumerate(
        [("active", now + 1), ("active", now), ("released", now - 5), ("expired", now - 9)], 1
    ):
        books.insert(
            ledger.reservation,
            id=i,
            code=f"R{i}",
            store_id=books.places["S1"].id,
            kind="hold",
            state=state,
            created_at=now + i,
            expires_at=ends,
            actor="anna",
        )
        books.insert(
            ledger.reservation_line,
            reservation_id=i,
            line=1,
            product_id=books.goods["G02"].id,
            quantity=1500,
        )

    def codes(**asked: Any) -> list[str]:
        return [r.id for r in queries.reservations(ReservationFilter(**asked), ctx=owner).items]

    assert codes() == ["R4", "R3", "R2", "R1"]
    assert codes(status="active") == ["R1"]
    assert codes(status="expired") == ["R4", "R2"]
    assert codes(sku=["G02"], status="released") == ["R3"]
    found = queries.reservation("R2", ctx=owner)
    assert (found.status, found.lines[0].quantity) == ("expired", "1.500")


def test_exception_is_settled_once_and_says_so_in_the_event_log(
    books: Any, queries: StockQueries, owner: Context, clerk: Context
) -> None:
    for i, store in enumerate(["S1", "S2"], 1):
        books.insert(
            ledger.stock_exception,
            id=i,
            type="sold_without_stock",
            store_id=books.places[store].id,
            product_id=books.goods["G00"].id,
            data='{"short": "2"}',
            raised_at=i,
        )
    found = queries.exceptions(ExceptionFilter(state="open"), ctx=owner).items
    assert [(e.id, e.store, e.sku, e.data) for e in found] == [
        ("2", "S2", "G00", {"short": "2"}),
        ("1", "S1", "G00", {"short": "2"}),
    ]
    assert [e.id for e in queries.exceptions(ExceptionFilter(), ctx=clerk).items] == ["1"]
    settled = queries.settle("1", "counted again", ctx=clerk)
    assert (settled.state, settled.settled_by, settled.note) == (
        "settled",
        "clerk",
        "counted again",
    )
    for name, code, ctx in [
        ("1", "already_settled", owner),
        ("2", "forbidden", clerk),
        ("x", "not_found", owner),
    ]:
        with pytest.raises(Refused) as refused:
            queries.settle(name, "again", ctx=ctx)
        assert refused.value.problem.code == code
    assert [
        e.id for e in queries.exceptions(ExceptionFilter(state="settled"), ctx=owner).items
    ] == ["1"]
    with books.database.reading() as c:
        types = c.execute(sa.select(event.c.type)).scalars().all()
    assert types == ["exception.settled"]
