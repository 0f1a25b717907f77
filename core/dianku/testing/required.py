"""What a test run cannot do without, and what it may skip.

`DIANKU_REQUIRE` names what must be there (`shared`, `postgres`, `chromium`, `strace`, `history` of
git, `root`, `shellcheck`, `systemd`; by commas): its absence is a failure then. Without the name it
is a skip that says its reason, so that a newcomer's first run is green and our own runs are never
green by leaving something out.
"""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

KNOWN = frozenset(
    {"shared", "postgres", "chromium", "strace", "history", "root", "shellcheck", "systemd"}
)


def required() -> frozenset[str]:
    """The names in `DIANKU_REQUIRE`.

    Raises:
        pytest.UsageError: A name that means nothing, which would otherwise demand nothing.
    """
    words = os.environ.get("DIANKU_REQUIRE", "").split(",")
    names = frozenset(word.strip() for word in words if word.strip())
    if unknown := names - KNOWN:
        raise pytest.UsageError(
            f"DIANKU_REQUIRE names {sorted(unknown)}; known are {sorted(KNOWN)}"
        )
    return names


def absent(name: str, reason: str) -> NoReturn:
    """Say that something is not here: a failure if it is required, a skip otherwise."""
    if name in required():
        pytest.fail(f"{name} is required (DIANKU_REQUIRE) and is not here: {reason}", pytrace=False)
    pytest.skip(f"{name}: {reason}")
