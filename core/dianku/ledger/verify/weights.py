"""Weights of sums: one number for a day's rows, which moves on by what is posted.

A row weighs its figures, each times a number, times a number mixed from its key, all modulo a
prime. That is linear in the figures: what a table weighs grows by just what the new moves weigh,
and a row that was changed, added or taken away changes the weight, but for one chance in two
thousand million. The numbers are drawn from a seed that is drawn anew with every full
verification.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from attrs import frozen

_MIX = 2_147_483_647
_PRIME = 2_147_483_629
"""Two primes below 2^31: what is taken modulo one and squared modulo the other is well mixed."""


@frozen
class Weigher:
    """How one table's rows are weighed: numbers for its keys and figures, from a seed."""

    keys: tuple[int, ...]
    figures: tuple[int, ...]
    salt: int

    def sql(self, keys: Sequence[str], figures: Sequence[str]) -> str:
        """The weight of a row in SQL, whose keys are whole numbers from zero up."""
        mixed = " + ".join(
            f"CAST({k} AS BIGINT) * {n}" for k, n in zip(keys, self.keys, strict=True)
        )
        key = f"(({mixed} + {self.salt}) % {_MIX})"
        parts = " + ".join(
            f"CAST({f} AS BIGINT) % {_PRIME} * {n} % {_PRIME}"
            for f, n in zip(figures, self.figures, strict=True)
        )
        return f"({key} * {key} % {_PRIME} * (({parts}) % {_PRIME}) % {_PRIME})"

    def weigh(self, keys: Sequence[int], figures: Sequence[int]) -> int:
        """The same of a row in memory."""
        mixed = sum(k * n for k, n in zip(keys, self.keys, strict=True)) + self.salt
        parts = sum(f * n for f, n in zip(figures, self.figures, strict=True))
        return (mixed % _MIX) ** 2 * parts % _PRIME


def weigher(seed: int, table: str, *, keys: int, figures: int) -> Weigher:
    """The weigher of a table: the same for the same seed, another for every other table."""
    chance = random.Random(f"{seed} {table}")  # noqa: S311 - spreads, hides nothing
    drawn = [chance.randrange(1, _PRIME) for _ in range(keys + figures + 1)]
    return Weigher(tuple(drawn[:keys]), tuple(drawn[keys:-1]), drawn[-1])


def plain(weight: Any) -> int:
    """A sum of weights as one weight, from 0 up."""
    return int(weight or 0) % _PRIME
