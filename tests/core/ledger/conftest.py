"""The day in the shop that the ledger's tests speak of."""

from __future__ import annotations

import pytest
from say import Day

from dianku.clock import SetClock
from dianku.context import Context
from dianku.ledger.service import Ledger
from dianku.testing.shop import Shop


@pytest.fixture
def day(shop: Shop, ledger: Ledger, owner: Context, clock: SetClock) -> Day:
    """A day in store S1, with store S2 beside it."""
    shop.store("S1")
    shop.store("S2")
    return Day(ledger, owner, clock)
