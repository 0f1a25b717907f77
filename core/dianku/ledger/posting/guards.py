"""The last guard of a write: as many rows must change as the plan names."""

from __future__ import annotations

from dianku.errors import DiankuError


class PlanOutdated(DiankuError):
    """A row was not what the plan was made from; nothing may be written."""


def expect(changed: int, planned: int, what: str) -> None:
    """Stop the batch unless a statement changed exactly what was planned.

    Raises:
        PlanOutdated: the batch must be rolled back and planned anew.
    """
    if changed != planned:
        raise PlanOutdated(f"{what}: {changed} of {planned} rows were as planned")
