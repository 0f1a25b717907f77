from __future__ import annotations

import threading
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dianku.catalog.compositions import in_circles, way_to
from dianku.catalog.requests import NewComponent, NewProduct, ProductPatch
from dianku.catalog.service import CatalogService
from dianku.context import Context
from dianku.errors import Refused
from dianku.storage.engine import Database

names = st.sampled_from("ABCDEFG")
graphs = st.dictionaries(names, st.lists(names, max_size=4), max_size=7)


@given(graphs)
def test_circles_found_are_the_products_that_reach_themselves(graph: dict[str, list[str]]) -> None:
    expected = set()
    for sku, parts in graph.items():
        reached = set(parts)
        while True:
            more = reached | {p for r in reached for p in graph.get(r, ())}
            if more == reached:
                break
            reached = more
        if sku in reached:
            expected.add(sku)
    assert in_circles(graph, list(graph)) == expected


def test_reach_through_a_long_chain_needs_no_recursion() -> None:
    chain = {str(i): [str(i + 1)] for i in range(20_000)}
    assert len(way_to(chain, "0", "20000")) == 20_001
    assert in_circles(chain, list(chain)) == set()


def _part(sku: str, quantity: str = "1") -> NewComponent:
    return NewComponent(sku=sku, quantity=Decimal(quantity))


def _kit(sku: str, *parts: str) -> NewProduct:
    return NewProduct(
        sku=sku, name=sku, unit="盒", composition="kit", components=[_part(p) for p in parts]
    )


def test_circle_through_four_products_is_refused(catalog: CatalogService, owner: Context) -> None:
    catalog.create_product(NewProduct(sku="A", name="A", unit="个"), ctx=owner)
    for sku, part in (("B", "A"), ("C", "B"), ("D", "C")):
        catalog.create_product(_kit(sku, part), ctx=owner)
    before = catalog.get_product("A", ctx=owner)
    with pytest.raises(Refused) as refused:
        catalog.patch_product(
            "A", ProductPatch(composition="kit", components=[_part("D")]), ctx=owner
        )
    problem = refused.value.problem
    assert problem.code == "composition_cycle"
    assert [e.pointer for e in problem.errors] == ["/components/0/sku"]
    assert problem.params["path"] == "A → D → C → B → A"
    assert catalog.get_product("A", ctx=owner) == before


def test_self_reference_is_named_where_it_stands(catalog: CatalogService, owner: Context) -> None:
    with pytest.raises(Refused) as refused:
        catalog.create_product(_kit("A", "A"), ctx=owner)
    assert [(e.pointer, e.code) for e in refused.value.problem.errors] == [
        ("/components/0/sku", "self_reference")
    ]


def test_two_changes_at_once_never_close_a_circle(
    catalog: CatalogService, owner: Context, database: Database
) -> None:
    for i in range(12):
        for sku in (f"A{i}", f"B{i}"):
            catalog.create_product(NewProduct(sku=sku, name=sku, unit="个"), ctx=owner)
    outcomes: list[str] = []
    barrier = threading.Barrier(2)

    def compose(mine: str, other: str) -> None:
        for i in range(12):
            barrier.wait()
            try:
                catalog.patch_product(
                    f"{mine}{i}",
                    ProductPatch(composition="kit", components=[_part(f"{other}{i}")]),
                    ctx=owner,
                )
                outcomes.append("composed")
            except Refused as refused:
                outcomes.append(refused.problem.code)

    threads = [threading.Thread(target=compose, args=pair) for pair in (("A", "B"), ("B", "A"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["composed"] * 12 + ["composition_cycle"] * 12
    with database.reading() as connection:
        count = connection.exec_driver_sql("SELECT count(*) FROM component").scalar()
    assert count == 12


def test_component_of_a_kit_on_sale_is_not_archived(
    catalog: CatalogService, owner: Context
) -> None:
    catalog.create_product(NewProduct(sku="A", name="A", unit="个"), ctx=owner)
    catalog.create_product(_kit("K", "A"), ctx=owner)
    with pytest.raises(Refused) as refused:
        catalog.archive_product("A", ctx=owner)
    assert refused.value.problem.code == "composition_in_use"
    assert refused.value.problem.extra["used_by"] == ["K"]
    assert catalog.archive_product("K", ctx=owner).archived
    assert catalog.archive_product("A", ctx=owner).archived
    assert catalog.archive_product("A", ctx=owner).archived
    with pytest.raises(Refused) as refused:
        catalog.unarchive_product("K", ctx=owner)
    assert refused.value.problem.code == "archived"
    assert not catalog.unarchive_product("A", ctx=owner).archived
    assert not catalog.unarchive_product("K", ctx=owner).archived
