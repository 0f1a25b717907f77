"""Run the benchmarks: `tox -e bench`, or `python tests/benchmarks/run.py PART...`.

Prints a table with the bars beside the figures and writes the same as JSON. Only ratios within
one run mean anything on a machine that others use too. docs/benchmarks.md says how to read it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "kit"), str(Path(__file__).parent)]

import crowd  # noqa: E402
import page_speed  # noqa: E402
import postgres_posting  # noqa: E402
import posting  # noqa: E402
import report_speed  # noqa: E402
import scanning  # noqa: E402
import starting  # noqa: E402
from bench_figures import Figure, table, write_json  # noqa: E402
from report_moves import PRODUCTS  # noqa: E402

import long_runs  # noqa: E402 - after the folders of the tests are on the path

Part = Callable[[Path, argparse.Namespace], list[Figure]]


def run_posting(folder: Path, arguments: argparse.Namespace) -> list[Figure]:
    """Posting over HTTP on SQLite."""
    bench = posting.Bench(folder, products=arguments.products, seconds=arguments.seconds)
    rounds = []
    for number in range(arguments.rounds):
        print(f"posting: round {number + 1} of {arguments.rounds}", flush=True)
        rounds.append(bench.round())
    for side, text in rounds[-1].settings.items():
        print(f"{side}: {text}")
    show_rows(rounds[-1].rows)
    return posting.figures_of(rounds)


def run_postgres(folder: Path, arguments: argparse.Namespace) -> list[Figure]:
    """Posting over HTTP on PostgreSQL."""
    rounds, rows = postgres_posting.measure(
        folder, products=arguments.products, seconds=arguments.seconds, rounds=arguments.rounds
    )
    show_rows(rows)
    return postgres_posting.figures_of(rounds)


def run_scan(folder: Path, arguments: argparse.Namespace) -> list[Figure]:
    """Scanning among many products."""
    few, many = arguments.products, arguments.scan_products
    rounds = scanning.measure(
        folder, few=few, many=many, seconds=arguments.seconds, rounds=arguments.rounds
    )
    return scanning.figures_of(rounds, few=few, many=many)


def run_pages(folder: Path, arguments: argparse.Namespace) -> list[Figure]:
    """The console's pages among many products."""
    few, many = arguments.products, arguments.scan_products
    rounds = page_speed.measure(folder, few=few, many=many, rounds=arguments.repeats)
    return page_speed.figures_of(rounds, few=few, many=many)


def run_reports(folder: Path, arguments: argparse.Namespace) -> list[Figure]:
    """Reports over millions of moves."""
    sizes = []
    for millions in arguments.moves:
        print(f"reports: {millions:g} million moves", flush=True)
        size = report_speed.measure(
            folder / f"moves-{millions:g}",
            moves=int(millions * 1e6),
            products=arguments.report_products,
            repeats=arguments.repeats,
        )
        sizes.append(size)
    return report_speed.figures_of(sizes)


def run_start(folder: Path, arguments: argparse.Namespace) -> list[Figure]:
    """Start-up, memory and what is installed."""
    rounds = starting.measure(folder, rounds=arguments.repeats)
    weight = starting.installed(folder) if arguments.install else None
    return starting.figures_of(rounds, heavy=starting.imported_by_help(), weight=weight)


def run_crowd(folder: Path, arguments: argparse.Namespace) -> list[Figure]:
    """A hundred distributions installed, fifty of them plugins."""
    return crowd.figures_of(crowd.measure(folder, rounds=arguments.repeats))


PARTS: Mapping[str, Part] = {
    "posting": run_posting,
    "postgres": run_postgres,
    "scan": run_scan,
    "pages": run_pages,
    "reports": run_reports,
    "start": run_start,
    "crowd": run_crowd,
}


def show_rows(rows: Mapping[str, Mapping[str, float]]) -> None:
    """Say what each side wrote."""
    print("rows written for each document:")
    for side, counts in rows.items():
        print(f"  {side}: {dict(counts)}")


def machine() -> dict[str, str]:
    """Where and when this was measured."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
    return {
        "date": datetime.now(tz=UTC).date().isoformat(),
        "processor": f"{os.cpu_count()} x {model}",
        "system": platform.platform(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "load": " ".join(f"{x:.1f}" for x in os.getloadavg()),
    }


def arguments_of(words: list[str] | None = None) -> argparse.Namespace:
    """What is to be run, and how much of it."""
    parser = argparse.ArgumentParser(description="Speed, as ratios within one run")
    parser.add_argument("parts", nargs="*", help=f"{' '.join(PARTS)}; all by default")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=7, help="of what is timed singly")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each flood")
    parser.add_argument("--products", type=int, default=2_000)
    parser.add_argument("--scan-products", type=int, default=100_000)
    parser.add_argument("--report-products", type=int, default=PRODUCTS)
    parser.add_argument(
        "--moves", type=float, nargs="+", default=[1.0, 3.0, 10.0], help="in millions"
    )
    parser.add_argument(
        "--install", action=argparse.BooleanOptionalAction, default=True, help="weigh the edition"
    )
    parser.add_argument("--json", type=Path, default=Path(".tox/bench.json"))
    return parser.parse_args(words)


def measure(arguments: argparse.Namespace) -> list[Figure]:
    """Run the parts asked for in a folder that is gone afterwards."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="dianku-bench-") as folder:
        for part in arguments.parts or PARTS:
            figures += PARTS[part](Path(folder), arguments)
    return figures


def main() -> None:
    """Run, show, write."""
    arguments = arguments_of()
    where = machine()
    figures = measure(arguments)
    print(json.dumps(where))
    print(table(figures))
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    write_json(figures, arguments.json, machine=where)
    if not arguments.parts:
        long_runs.record("bench", len(figures))


if __name__ == "__main__":
    main()
