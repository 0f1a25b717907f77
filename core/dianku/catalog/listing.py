"""Which products, in which order: filters, search and pages that go on where the last ended.

A cursor holds the values of the last row in every field of the order, so a page follows from a
place and not from a count: rows that come or go meanwhile move nothing twice or out of sight.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from attrs import frozen
from sqlalchemy.engine import Connection

from dianku.catalog.search import fold, patterns
from dianku.catalog.tables import category, product
from dianku.errors import FieldError, invalid

PAGE_MAX = 1000
SORTS = {
    "sku": product.c.sku,
    "name": product.c.name,
    "created_at": product.c.created_at,
}


@frozen
class ProductQuery:
    """What is asked for.

    Attributes:
        q: Looked for in names, pinyin, codes; every word must be found.
        category: A category's code; those below it are meant as well.
        skus: Exactly these; empty: all.
        composition: `none`, `kit`, `service` or `made`; None: all.
        archived: False: those that can be sold; True: the others; None: both.
        sort: Fields with `-` for descending, `sku`, `name`, `created_at`. Left out: by how well
            `q` matches, then by sku.
    """

    q: str | None = None
    category: str | None = None
    skus: Sequence[str] = ()
    composition: str | None = None
    archived: bool | None = False
    limit: int = 100
    cursor: str | None = None
    sort: Sequence[str] = ()


@frozen
class _Term:
    """One field of the order."""

    name: str
    expression: sa.ColumnElement[Any]
    descending: bool = False


def find_skus(connection: Connection, query: ProductQuery) -> tuple[list[str], str | None]:
    """The skus of one page in order, and the cursor of the next (None at the end).

    Raises:
        Refused: `invalid`, with an unknown sort field or a cursor of another question.
    """
    limit = max(1, min(query.limit, PAGE_MAX))
    question = fold(query.q or "")
    order = _order(query.sort, question)
    values = [term.expression.label(f"o{i}") for i, term in enumerate(order)]
    select = sa.select(product.c.sku, *values).where(*_filters(query, question))
    if query.cursor is not None:
        select = select.where(_after(order, _place(query.cursor, order)))
    select = select.order_by(
        *(t.expression.desc() if t.descending else t.expression.asc() for t in order)
    )
    rows = connection.execute(select.limit(limit + 1)).all()
    page = rows[:limit]
    more = len(rows) > limit
    return [row.sku for row in page], _cursor(order, page[-1][1:]) if more else None


def _order(sort: Sequence[str], question: str) -> list[_Term]:
    terms: list[_Term] = []
    for name in sort:
        plain = name.removeprefix("-")
        if plain not in SORTS:
            known = ", ".join(SORTS)
            raise invalid(FieldError("/sort", "unknown_sort", {"name": plain, "known": known}))
        terms.append(_Term(plain, SORTS[plain], descending=name.startswith("-")))
    if not terms and question:
        terms.append(_Term("rank", _rank(question)))
    if not any(term.name == "sku" for term in terms):
        terms.append(_Term("sku", product.c.sku))
    return terms


def _rank(question: str) -> sa.ColumnElement[Any]:
    line, start, _ = patterns(question)
    return sa.case(
        (product.c.search.like(line, escape="!"), 0),
        (product.c.search.like(start, escape="!"), 1),
        else_=2,
    )


def _filters(query: ProductQuery, question: str) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if question:
        words = patterns(question)[2]
        found += [product.c.search.like(word, escape="!") for word in words]
    if query.skus:
        found.append(product.c.sku.in_(list(query.skus)))
    if query.composition is not None:
        found.append(product.c.composition == query.composition)
    if query.archived is not None:
        empty = product.c.archived_at.is_(None)
        found.append(~empty if query.archived else empty)
    if query.category is not None:
        found.append(product.c.category_id.in_(_categories_below(query.category)))
    return found


def _categories_below(code: str) -> sa.Select[Any]:
    below = sa.select(category.c.id).where(category.c.code == code).cte("below", recursive=True)
    children = sa.select(category.c.id).join(below, category.c.parent_id == below.c.id)
    return sa.select(below.union(children).c.id)


def _after(order: Sequence[_Term], place: Sequence[Any]) -> sa.ColumnElement[bool]:
    """Rows that come behind a place: equal in the first fields, beyond in the next."""
    ways = []
    for i, term in enumerate(order):
        same = [t.expression == v for t, v in zip(order[:i], place[:i], strict=True)]
        beyond = term.expression < place[i] if term.descending else term.expression > place[i]
        ways.append(sa.and_(*same, beyond))
    return sa.or_(*ways)


def _cursor(order: Sequence[_Term], values: Sequence[Any]) -> str:
    content = msgspec.json.encode([_signs(order), *values])
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _place(cursor: str, order: Sequence[_Term]) -> list[Any]:
    try:
        content = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        signs, *values = msgspec.json.decode(content, type=list[str | int])
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise invalid(FieldError("/cursor", "unknown_cursor")) from error
    kinds = [str if term.name in {"sku", "name"} else int for term in order]
    if signs != _signs(order) or [type(value) for value in values] != kinds:
        raise invalid(FieldError("/cursor", "unknown_cursor"))
    return values


def _signs(order: Sequence[_Term]) -> str:
    return ",".join(f"{'-' if term.descending else ''}{term.name}" for term in order)
