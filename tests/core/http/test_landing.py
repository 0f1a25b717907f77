"""Requests that come together are posted together, and look goods up together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from dianku.catalog.requests import NewProduct
from dianku.context import Context
from dianku.host import Host
from dianku.http.posting import Landing
from dianku.ledger.commands import Post, Posted
from dianku.ledger.requests import NewDocument, NewLine

GOODS = [f"G{n:02d}" for n in range(20)]


@pytest.fixture
def owner(host: Host) -> Context:
    return Context(host.access.actor("owner"))


@pytest.fixture
def goods(host: Host, owner: Context) -> Sequence[str]:
    for sku in GOODS:
        host.catalog.create_product(NewProduct(sku=sku, name=sku, unit="pc"), ctx=owner)
    return GOODS


def sale(sku: str) -> Post:
    line = NewLine(sku=sku, quantity=Decimal(1), amount=Decimal(3))
    return Post(NewDocument(kind="issue", store="S1", lines=[line]))


def post_together(host: Host, commands: Sequence[Post], ctx: Context) -> list[Any]:
    async def run() -> list[Any]:
        with ThreadPoolExecutor(2) as threads:
            landing = Landing(threads)
            asked = [landing.posted(host.ledger, c, key=None, ctx=ctx) for c in commands]
            return await asyncio.gather(*asked)

    return asyncio.run(run())


def batches(host: Host) -> int:
    found = sa.text("SELECT COUNT(*) FROM event WHERE type = 'stock.changed'")
    with host.database.reading() as connection:
        return int(connection.execute(found).scalar_one())


@pytest.fixture
def lookups(host: Host) -> Callable[[], int]:
    """How often goods were looked up by sku."""
    seen = []

    def watch(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "JOIN product AS p ON p.sku" in statement:
            seen.append(statement)

    with host.database.reading() as connection:
        sa.event.listen(connection.engine, "before_cursor_execute", watch)
    return lambda: len(seen)


def test_requests_of_one_moment_are_one_batch(
    host: Host, owner: Context, goods: Sequence[str]
) -> None:
    post_together(host, [sale(sku) for sku in goods], owner)  # by now all are known
    before = batches(host)
    outcomes = post_together(host, [sale(sku) for sku in goods], owner)
    assert all(isinstance(outcome, Posted) for outcome in outcomes)
    assert len({outcome.record.number for outcome in outcomes}) == len(goods)
    assert batches(host) - before == 1


def test_batch_of_new_goods_looks_them_up_once(
    host: Host, owner: Context, goods: Sequence[str], lookups: Callable[[], int]
) -> None:
    async def run() -> list[Any]:
        with ThreadPoolExecutor(2) as threads:
            commands = [(sale(sku), None) for sku in goods]
            return await Landing(threads).posted_all(host.ledger, commands, ctx=owner)

    outcomes = asyncio.run(run())
    assert all(isinstance(outcome, Posted) for outcome in outcomes)
    assert lookups() == 1


def test_request_for_unknown_goods_leaves_those_that_wait_with_it_alone(
    host: Host, owner: Context, goods: Sequence[str]
) -> None:
    outcomes = post_together(host, [sale("nix"), *[sale(sku) for sku in goods]], owner)
    assert outcomes[0].errors[0].code == "unknown_product"
    assert all(isinstance(outcome, Posted) for outcome in outcomes[1:])


def test_look_up_that_breaks_is_told_to_each_that_waits_for_it(
    host: Host, owner: Context, goods: Sequence[str]
) -> None:
    host.database.close()
    for file in host.config.data_dir.glob("dianku.sqlite3*"):
        file.unlink()
    with pytest.raises(sa.exc.OperationalError):
        post_together(host, [sale(sku) for sku in goods], owner)


def test_document_that_breaks_in_a_batch_leaves_its_neighbours_their_numbers(
    host: Host, call: Callable[..., Any], goods: Sequence[str]
) -> None:
    seal = (
        "CREATE TRIGGER broken BEFORE INSERT ON document WHEN NEW.note = 'break' "
        "BEGIN SELECT RAISE(ABORT, 'broken on purpose'); END"
    )
    with host.database.writing() as connection:
        connection.execute(sa.text(seal))
    documents = [
        {"kind": "issue", "store": "S1", "note": note, "lines": [{"sku": sku, "quantity": 1}]}
        for sku, note in zip(goods, ("", "break", ""), strict=False)
    ]
    answer = call("POST", "/documents/batch", {"documents": documents})
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [r["status"] for r in results] == ["created", "refused", "created"]
    assert all(results[i]["number"] for i in (0, 2))
    assert results[1]["problem"]["code"] == "internal_error"
    assert results[1]["problem"]["request_id"] == answer.headers["x-request-id"]
