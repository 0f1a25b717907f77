"""What a benchmark yields: named figures beside their bars, as a table and as JSON.

Every comparison is a ratio of two measurements of one run, taken in turn (A B C A B C A B C), and
the figure is the median of the rounds: the machine's mood falls on both sides alike.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Figure:
    """One figure. `bar`: what it must be at least, or at most; None where none was set."""

    name: str
    value: float
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether the bar is met; None without one."""
        if self.at_least is not None:
            return self.value >= self.at_least
        if self.at_most is not None:
            return self.value <= self.at_most
        return None

    @property
    def bar(self) -> str:
        """The bar in words."""
        if self.at_least is not None:
            return f"at least {self.at_least:g}"
        if self.at_most is not None:
            return f"at most {self.at_most:g}"
        return ""


def ratio(rounds: Sequence[Mapping[str, float]], over: str, under: str) -> float:
    """The median over rounds of one measurement divided by another of the same round."""
    return median(r[over] / r[under] for r in rounds)


def middle(rounds: Sequence[Mapping[str, float]], name: str) -> float:
    """The median of one measurement."""
    return median(r[name] for r in rounds)


def table(figures: Sequence[Figure]) -> str:
    """Figures as a Markdown table, bars beside them."""
    lines = ["| figure | value | bar | holds | note |", "|---|---:|---|---|---|"]
    words = {True: "yes", False: "NO", None: ""}
    lines += [
        f"| {f.name} | {f.value:,.4g} {f.unit} | {f.bar} | {words[f.holds]} | {f.note} |"
        for f in figures
    ]
    return "\n".join(lines)


def write_json(figures: Sequence[Figure], path: Path, *, machine: Mapping[str, str]) -> None:
    """Figures as JSON, with where and when they were measured."""
    rows = [{**asdict(f), "holds": f.holds} for f in figures]
    path.write_text(json.dumps({"machine": machine, "figures": rows}, indent=2) + "\n")
