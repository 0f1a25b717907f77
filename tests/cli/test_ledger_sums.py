"""`dianku ledger verify` and `rebuild` on a shop whose sums were meddled with."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from subprocess import CompletedProcess

from dianku.catalog.requests import NewProduct
from dianku.config import HostConfig
from dianku.context import Context
from dianku.host import Host
from dianku.ledger.commands import Posted
from dianku.ledger.requests import NewDocument, NewLine

Run = Callable[..., CompletedProcess[str]]


def test_verify_of_meddled_sums_ends_with_1_and_rebuild_mends_them(
    run: Run, begun: Path, owner: Context
) -> None:
    host = Host.build(HostConfig(data_dir=begun))
    host.start(background=False)
    host.catalog.create_product(NewProduct(sku="tea", name="Tea", unit="pc"), ctx=owner)
    lines = [NewLine(sku="tea", quantity=Decimal(3), unit_cost=Decimal(2))]
    receipt = NewDocument(kind="receipt", store="main", lines=lines)
    assert isinstance(host.ledger.post(receipt, ctx=owner), Posted)
    host.close()

    with sqlite3.connect(begun / "dianku.sqlite3") as meddler:
        meddler.execute("UPDATE stock_balance SET on_hand = 5, last_cost = 12000")
    meddler.close()
    found = run("ledger", "verify", "--json")

    assert found.returncode == 1, found.stderr
    said = json.loads(found.stdout)
    assert not said["clean"]
    [wrong] = [d for d in said["differences"] if d["figure"] == "on_hand"]
    assert (wrong["store"], wrong["product"]) == ("main", "tea")
    assert (wrong["expected"], wrong["found"]) == (3, 5)
    assert run("ledger", "rebuild").returncode == 0
    assert json.loads(run("ledger", "verify", "--json").stdout)["clean"]
