"""The table of what is wrong with the books, for every command that verifies them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dianku_cli.output import Column, write_table
from dianku_cli.texts import say

if TYPE_CHECKING:
    from dianku.host import Host
    from dianku.operations import Verification

KEYS = ("store", "product", "table", "figure", "expected", "found", "business_date", "detail")


def readable_differences(host: Host, found: Verification) -> list[dict[str, Any]]:
    """The rows of the table; asks the shop for the units of its goods, so it must be open."""
    from dianku.operations import readable

    return readable(host.database, found.differences)


def write_differences(rows: Sequence[dict[str, Any]], language: str) -> None:
    """Print what differs: where, which figure, what the moves say and what is kept."""
    shown = [key for key in KEYS if any(row.get(key) is not None for row in rows)]
    numbers = {"expected", "found"}
    write_table(
        rows, [Column(key, say(f"column_{key}", language), right=key in numbers) for key in shown]
    )
