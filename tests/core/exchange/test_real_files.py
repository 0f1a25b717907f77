"""Real shops' files go in as they came; the table beside this file says what becomes of them."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dianku.catalog.requests import NewProduct, NewStore
from dianku.context import Context

TABLE: dict[str, list[dict[str, Any]]] = tomllib.loads(
    Path(__file__).with_name("real_files.toml").read_text(encoding="utf-8")
)
CASES = [(name, case) for name, cases in TABLE.items() for case in cases]


@pytest.mark.sqlite_only
@pytest.mark.parametrize(("name", "case"), CASES, ids=[name for name, _ in CASES])
def test_real_file_goes_in_unedited_and_every_row_has_one_verdict(
    services: Any, ctx: Context, shared_data: Path, name: str, case: dict[str, Any]
) -> None:
    for sku in case.get("goods", ()):
        new = NewProduct(sku=sku, name=f"货 {sku}", unit="件")
        services.catalog.create_product(new, ctx=ctx)
    for code in case.get("stores", ()):
        services.catalog.create_store(NewStore(code=code, name=code), ctx=ctx)
    options = {"store": "S1", "post": case.get("post", False)}
    file = shared_data / "data" / name
    tried = services.exchange.run(file, kind=case["kind"], ctx=ctx, dry_run=True, **options)
    done = services.exchange.run(file, kind=case["kind"], ctx=ctx, **options)
    found = {key: getattr(done, key) for key in ("created", "updated", "unchanged", "failed")}
    assert found == {key: case.get(key, 0) for key in found}
    assert done.rows == case["rows"] == sum(found.values())
    assert Counter(error.code for error in done.errors) == case.get("errors", {})
    assert len({(e.sheet, e.row) for e in done.errors}) == done.failed
    assert (tried.created, tried.updated, tried.failed) == (done.created, done.updated, done.failed)
    again = services.exchange.run(file, kind=case["kind"], ctx=ctx, again=True, **options)
    if case["kind"] == "products":
        assert (again.created, again.updated, again.failed) == (0, 0, done.failed)
