from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from dianku.access.records import NewUser
from dianku.catalog.requests import NewCategory
from dianku.errors import Refused
from dianku.idempotency import digest, keyed, recall
from dianku.ledger.requests import KeyedDocument, NewDocument
from dianku.storage.schema import counter


def _digest(body: str, kind: Any = NewDocument) -> tuple[int, int]:
    return digest("post", {}, msgspec.json.decode(body, type=kind))


PLAIN = '{"kind":"issue","store":"S","lines":[{"sku":"A","quantity":1}]}'


@pytest.mark.parametrize(
    "same",
    [
        '{"store":"S","lines":[{"quantity":"1.00","sku":"A"}],"kind":"issue"}',
        PLAIN.replace("{", '{"partial":false,"note":null,', 1).replace("1}", '10e-1,"lot":null}'),
        PLAIN.replace("{", '{"sent_at":"2026-01-01T00:00:00Z",', 1).replace("1}", "1.0}"),
    ],
)
def test_bodies_that_ask_for_the_same_have_one_digest(same: str) -> None:
    assert _digest(same) == _digest(PLAIN)


def test_document_of_a_batch_has_the_digest_of_the_document_alone() -> None:
    alone = _digest(PLAIN)
    assert _digest(PLAIN.replace("{", '{"key":"k",', 1), KeyedDocument) == alone


def test_one_moment_in_two_zones_is_one_digest() -> None:
    here = PLAIN.replace("{", '{"occurred_at":"2026-01-01T08:00:00+08:00",', 1)
    there = PLAIN.replace("{", '{"occurred_at":"2026-01-01T00:00:00Z",', 1)
    assert _digest(here) == _digest(there) != _digest(PLAIN)


@pytest.mark.parametrize(
    "other",
    [
        PLAIN.replace("1}", "2}"),
        PLAIN.replace("issue", "receipt"),
        PLAIN.replace('"A"', '"B"'),
        PLAIN.replace("{", '{"partial":true,', 1),
    ],
)
def test_bodies_that_ask_for_something_else_have_another_digest(other: str) -> None:
    assert _digest(other) != _digest(PLAIN)


def test_password_leaves_no_trace_in_a_digest() -> None:
    people = [NewUser(name="lin", role="clerk", password=p) for p in ("a-long-one", "another-one")]
    assert len({digest("users", {}, person) for person in people}) == 1


@given(st.decimals(allow_nan=False, allow_infinity=False), st.integers(0, 6))
def test_number_is_the_same_however_many_zeros_follow(number: Decimal, zeros: int) -> None:
    sign, figures, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    longer = Decimal((sign, figures + (0,) * zeros, exponent - zeros))
    assert digest("x", {}, number) == digest("x", {}, longer)


def test_effect_happens_once_and_is_answered_again(database: Any) -> None:
    done = []

    def effect(_: Any) -> dict[str, int]:
        done.append(1)
        return {"made": len(done)}

    wanted = digest("make", {}, NewCategory(code="a", name="A"))
    first = keyed(database, key="k", digest=wanted, effect=effect)
    again = keyed(database, key="k", digest=wanted, effect=effect)
    assert (first.body, first.replayed) == ({"made": 1}, False)
    assert (again.body, again.status, again.replayed) == ({"made": 1}, 201, True)
    assert recall(database, key="k", digest=wanted) == {"made": 1}
    assert recall(database, key="other", digest=wanted) is None
    with pytest.raises(Refused, match="idempotency_conflict"):
        keyed(database, key="k", digest=digest("make", {}, 2), effect=effect)


def test_refused_effect_leaves_nothing_and_may_be_tried_again(database: Any) -> None:
    wanted = digest("make", {}, 1)

    def insert(connection: Any) -> str:
        connection.execute(sa.insert(counter).values(name="made", value=1))
        return "made"

    def refused(connection: Any) -> None:
        insert(connection)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        keyed(database, key="k", digest=wanted, effect=refused)
    assert recall(database, key="k", digest=wanted) is None
    assert keyed(database, key="k", digest=wanted, effect=insert).replayed is False


def test_service_called_by_an_effect_is_part_of_its_transaction(database: Any) -> None:
    def service() -> None:
        with database.writing() as connection:
            connection.execute(sa.insert(counter).values(name="made", value=1))

    def effect(_: Any) -> None:
        service()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        keyed(database, key=None, digest=(0, 0), effect=effect)
    with database.reading() as connection:
        query = sa.select(sa.func.count()).where(counter.c.name == "made")
        assert connection.execute(query).scalar_one() == 0
