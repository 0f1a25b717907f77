"""A catalog service on a fresh database, and who asks it."""

from __future__ import annotations

import pytest

from dianku.catalog.channels import ensure_defaults
from dianku.catalog.requests import NewStore
from dianku.catalog.service import CatalogService
from dianku.catalog.snapshot import CatalogCache
from dianku.clock import SetClock
from dianku.context import Actor, Context
from dianku.storage.engine import Database


def _context(*permissions: str, stores: frozenset[str] | None = None) -> Context:
    return Context(Actor("tester", "owner", frozenset(permissions), stores=stores))


@pytest.fixture
def owner() -> Context:
    return _context("cost.view")


@pytest.fixture
def clerk() -> Context:
    return _context(stores=frozenset({"S1"}))


@pytest.fixture
def cache() -> CatalogCache:
    return CatalogCache()


@pytest.fixture
def catalog(
    database: Database, cache: CatalogCache, clock: SetClock, owner: Context
) -> CatalogService:
    """A catalog with the stores S1 and S2 and the channel `counter`."""
    with database.writing() as connection:
        ensure_defaults(connection)
    service = CatalogService(database, cache, clock)
    for code in ("S1", "S2"):
        service.create_store(NewStore(code=code, name=code), ctx=owner)
    return service
