from __future__ import annotations

from decimal import Decimal

import pytest

from dianku.catalog.channels import ensure_defaults
from dianku.catalog.requests import (
    CategoryPatch,
    ChannelPatch,
    NewCategory,
    NewChannel,
    NewStore,
    ScaleTemplate,
    StorePatch,
)
from dianku.catalog.service import CatalogService
from dianku.context import Context
from dianku.errors import Refused
from dianku.storage.engine import Database


def _errors(refused: pytest.ExceptionInfo[Refused]) -> set[tuple[str, str]]:
    return {(e.pointer, e.code) for e in refused.value.problem.errors}


def test_store_created_and_patched_is_answered_whole(
    catalog: CatalogService, owner: Context
) -> None:
    new = NewStore(code="W-1", name="总仓", kind="warehouse", day_cutoff="04:30")
    record = catalog.create_store(new, ctx=owner)
    assert (record.kind, record.timezone, record.day_cutoff) == (
        "warehouse",
        "Asia/Shanghai",
        "04:30",
    )
    template = ScaleTemplate(prefix="21", template="FFWWWWWEEEEEC")
    changed = catalog.patch_store(
        "W-1", StorePatch(timezone="Asia/Urumqi", scale_templates=[template]), ctx=owner
    )
    assert (changed.timezone, changed.scale_templates, changed.name) == (
        "Asia/Urumqi",
        [template],
        "总仓",
    )
    assert [s.code for s in catalog.list_stores(ctx=owner)] == ["S1", "S2", "W-1"]


def test_store_with_wrong_timezone_and_templates_names_each(
    catalog: CatalogService, owner: Context
) -> None:
    templates = [
        ScaleTemplate(prefix="21", template="FFWWWWWEEEEEC"),
        ScaleTemplate(prefix="2", template="FFWWWWWEEEEEC"),
        ScaleTemplate(prefix="21", template="FFWWWWWNNNNNC"),
        ScaleTemplate(prefix="22", template="FFWWWWWWEEEEEC"),
    ]
    with pytest.raises(Refused) as refused:
        catalog.create_store(
            NewStore(code="S3", name="3", timezone="Asia/Nowhere", scale_templates=templates),
            ctx=owner,
        )
    assert _errors(refused) == {
        ("/timezone", "unknown_timezone"),
        ("/scale_templates/1/prefix", "prefix_mismatch"),
        ("/scale_templates/2/prefix", "duplicate"),
        ("/scale_templates/3/template", "bad_length"),
    }


def test_store_twice_or_out_of_scope_or_missing_is_refused(
    catalog: CatalogService, owner: Context, clerk: Context
) -> None:
    with pytest.raises(Refused) as refused:
        catalog.create_store(NewStore(code="S1", name="1"), ctx=owner)
    assert refused.value.problem.code == "already_exists"
    with pytest.raises(Refused) as refused:
        catalog.patch_store("S2", StorePatch(name="x"), ctx=clerk)
    assert refused.value.problem.code == "forbidden"
    with pytest.raises(Refused) as refused:
        catalog.patch_store("S9", StorePatch(name="x"), ctx=owner)
    assert refused.value.problem.code == "not_found"
    assert [s.code for s in catalog.list_stores(ctx=clerk)] == ["S1"]


def test_category_tree_refuses_unknown_parents_and_circles(
    catalog: CatalogService, owner: Context
) -> None:
    catalog.create_category(NewCategory(code="a", name="A", low_stock=Decimal("2.5")), ctx=owner)
    catalog.create_category(NewCategory(code="b", name="B", parent="a"), ctx=owner)
    catalog.create_category(NewCategory(code="c", name="C", parent="b"), ctx=owner)
    with pytest.raises(Refused) as refused:
        catalog.patch_category("a", CategoryPatch(parent="c", low_stock=Decimal(-1)), ctx=owner)
    assert _errors(refused) == {("/parent", "parent_cycle"), ("/low_stock", "negative")}
    with pytest.raises(Refused) as refused:
        catalog.patch_category("a", CategoryPatch(parent="a"), ctx=owner)
    assert _errors(refused) == {("/parent", "self_reference")}
    with pytest.raises(Refused) as refused:
        catalog.create_category(NewCategory(code="d", name="D", parent="x"), ctx=owner)
    assert _errors(refused) == {("/parent", "unknown_category")}
    with pytest.raises(Refused) as refused:
        catalog.create_category(NewCategory(code="a", name="A"), ctx=owner)
    assert refused.value.problem.code == "already_exists"
    moved = catalog.patch_category("c", CategoryPatch(parent=None), ctx=owner)
    assert moved.parent is None
    assert [(r.code, r.parent, r.low_stock) for r in catalog.list_categories(ctx=owner)] == [
        ("a", None, "2.5"),
        ("b", "a", None),
        ("c", None, None),
    ]


def test_channel_counter_is_there_once_and_permissive(
    catalog: CatalogService, owner: Context, database: Database
) -> None:
    with database.writing() as connection:
        assert not ensure_defaults(connection)
    (counter,) = catalog.list_channels(ctx=owner)
    assert (counter.name, counter.kind, counter.policy) == ("counter", "counter", "permissive")
    with pytest.raises(Refused) as refused:
        catalog.create_channel(NewChannel(name="counter"), ctx=owner)
    assert refused.value.problem.code == "already_exists"


def test_channel_of_unknown_stores_names_each(catalog: CatalogService, owner: Context) -> None:
    with pytest.raises(Refused) as refused:
        catalog.create_channel(NewChannel(name="web", stores=["S1", "x", "y"]), ctx=owner)
    assert _errors(refused) == {("/stores/1", "unknown_store"), ("/stores/2", "unknown_store")}
    catalog.create_channel(NewChannel(name="web", stores=["S1"]), ctx=owner)
    changed = catalog.patch_channel(
        "web", ChannelPatch(policy="permissive", stores=["S1", "S2"]), ctx=owner
    )
    assert (changed.policy, changed.stores, changed.issue_on) == (
        "permissive",
        ["S1", "S2"],
        "paid",
    )
