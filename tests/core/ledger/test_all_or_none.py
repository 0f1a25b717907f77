"""Documents posted as one, such as the return and the sale of an exchange: all of them or none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from say import Day, line

from dianku.errors import Problem
from dianku.ledger.commands import Post, Posted
from dianku.ledger.requests import NewDocument, NewLine, Payment
from dianku.storage.engine import Database
from dianku.testing.shop import Shop

Keyed = tuple[NewDocument, str | None]


def document(kind: Any, *lines: NewLine, **more: Any) -> NewDocument:
    return NewDocument(kind=kind, store="S1", lines=list(lines), **more)


def together(day: Day, *documents: Keyed) -> list[Any]:
    """What came of documents posted as one; an exception where it broke."""
    futures: list[Future[Any]] = [Future() for _ in documents]
    day.ledger.hand_in_together(
        [(Post(new), key) for new, key in documents],
        ctx=day.owner,
        done=[future.set_result for future in futures],
    )
    return [future.result(timeout=20) for future in futures]


def codes(outcomes: Sequence[Any]) -> list[str]:
    return [o.code if isinstance(o, Problem) else "posted" for o in outcomes]


@pytest.fixture
def sold(day: Day, shop: Shop) -> str:
    """A sale of two cups, after which one is left; the number."""
    shop.product("cup", price=1000)
    shop.product("jug", price=3000)
    day.post("receipt", line("cup", 3, unit_cost=4), line("jug", 1, unit_cost=9))
    return day.post("issue", line("cup", 2)).number


def back(sold: str, quantity: int, **more: Any) -> NewDocument:
    return document("customer_return", line("cup", quantity), of_document=sold, **more)


def test_exchange_is_posted_as_one_and_each_sees_what_came_before(day: Day, sold: str) -> None:
    credit = [Payment(kind="exchange", amount=Decimal(20))]
    rest = [*credit, Payment(kind="cash", amount=Decimal(10))]
    taken = document("issue", line("cup", 3, amount="30"), policy="strict", payments=rest)
    outcomes = together(day, (back(sold, 2, payments=credit), "a"), (taken, "b"))
    assert codes(outcomes) == ["posted", "posted"]
    returned, again = (o.record for o in outcomes)
    assert (returned.payments[0].kind, returned.payments[0].amount) == ("exchange", "20.00")
    assert again.balances[0].on_hand == "0"
    assert returned.recorded_at == again.recorded_at

    replayed = together(day, (back(sold, 2, payments=credit), "a"), (taken, "b"))
    assert [(o.replayed, o.record.number) for o in replayed] == [
        (True, returned.number),
        (True, again.number),
    ]


def test_exchange_of_which_one_is_refused_leaves_nothing(
    day: Day, sold: str, database: Database, database_digest: Callable[..., str]
) -> None:
    before = database_digest(database)
    jugs = document("issue", line("jug", 2), policy="strict")
    assert codes(together(day, (back(sold, 1), "a"), (jugs, "b"))) == [
        "not_posted_alone",
        "insufficient_stock",
    ]
    too_many = (back(sold, 3), "c")
    jug = (document("issue", line("jug", 1)), "d")
    assert codes(together(day, too_many, jug)) == ["over_returned", "not_posted_alone"]
    nothing = (document("issue", line("nix", 1)), None)
    assert codes(together(day, (back(sold, 1), "a"), nothing)) == ["not_posted_alone", "invalid"]
    assert database_digest(database) == before

    # What was taken back in memory is as it was, and so are the keys.
    assert codes(together(day, (back(sold, 2), "a"), jug)) == ["posted", "posted"]
    assert day.ledger.verify().clean


def test_document_that_another_names_too_is_refused_with_all(
    day: Day, sold: str, database: Database, database_digest: Callable[..., str]
) -> None:
    before = database_digest(database)
    twice = together(day, (back(sold, 2), "a"), (back(sold, 2), "b"))
    assert codes(twice) == ["not_posted_alone", "invalid"]
    assert [(e.pointer, e.code) for e in twice[1].errors] == [("/of_document", "named_twice")]
    same_key = together(day, (back(sold, 1), "a"), (document("issue", line("jug", 1)), "a"))
    assert [e.pointer for e in same_key[1].errors] == ["/key"]
    assert database_digest(database) == before


def test_key_used_alone_before_is_not_posted_as_part_of_more(
    day: Day, sold: str, database: Database, database_digest: Callable[..., str]
) -> None:
    day.post("customer_return", line("cup", 1), of_document=sold, key="a")
    before = database_digest(database)
    outcomes = together(day, (back(sold, 1), "a"), (document("issue", line("jug", 1)), "b"))
    assert isinstance(outcomes[0], Posted)
    assert outcomes[0].replayed
    assert codes(outcomes[1:]) == ["idempotency_conflict"]
    assert database_digest(database) == before


@pytest.mark.sqlite_only
def test_exchange_that_breaks_leaves_nothing_and_its_neighbours_stand(
    day: Day, sold: str, database: Database
) -> None:
    seal = (
        "CREATE TRIGGER broken BEFORE INSERT ON document WHEN NEW.note = 'break' "
        "BEGIN SELECT RAISE(ABORT, 'broken on purpose'); END"
    )
    with database.writing() as connection:
        connection.execute(sa.text(seal))
    ledger = day.ledger
    jug = Post(document("issue", line("jug", 1)))
    neighbour: Future[Any] = Future()
    held = ledger.learn([jug])
    ledger.hand_in(jug, key=None, ctx=day.owner, done=neighbour.set_result, held=held)
    outcomes = together(
        day, (back(sold, 1), None), (document("issue", line("cup", 1), note="break"), None)
    )
    assert isinstance(neighbour.result(timeout=20), Posted)
    assert all(isinstance(outcome, sa.exc.IntegrityError) for outcome in outcomes)
    assert day.post("customer_return", line("cup", 2), of_document=sold).status == "posted"
    assert ledger.verify().clean
