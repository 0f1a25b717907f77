from __future__ import annotations

from typing import Any

import pytest

from dianku.access.service import Access
from dianku.access.sessions import Sessions
from dianku.context import Context


@pytest.fixture
def access(database: Any, clock: Any) -> Access:
    return Access(database, clock=clock)


@pytest.fixture
def sessions(database: Any, clock: Any, access: Access) -> Sessions:
    return Sessions(database, access=access, clock=clock)


@pytest.fixture
def ctx(access: Access) -> Context:
    return Context(access.actor("boss"), request_id="r-1")
