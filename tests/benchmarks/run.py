"""Run the benchmarks: `tox -e bench`, or `python tests/benchmarks/run.py PART...`.

Prints a table with the bars beside the figures and writes the same as JSON. Only ratios within
one run mean anything on a machine that others use too. docs/benchmarks.md says how to read it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "kit"), str(Path(__file__).parent)]

import posting  # noqa: E402 - after the kit is on the path
from bench_figures import Figure, table, write_json  # noqa: E402


def run_posting(folder: Path, arguments: argparse.Namespace) -> list[Figure]:
    """Posting over HTTP on SQLite."""
    bench = posting.Bench(folder, products=arguments.products, seconds=arguments.seconds)
    rounds = []
    for number in range(arguments.rounds):
        print(f"posting: round {number + 1} of {arguments.rounds}", flush=True)
        rounds.append(bench.round())
    print("rows written for each document (or line):")
    for side, rows in rounds[-1].rows.items():
        print(f"  {side}: {rows}")
    for side, text in rounds[-1].settings.items():
        print(f"  {side}: {text}")
    return posting.figures_of(rounds)


PARTS = {"posting": run_posting}


def main() -> None:
    """Run the parts asked for, all by default."""
    parser = argparse.ArgumentParser(description="Speed, as ratios within one run")
    parser.add_argument("parts", nargs="*", default=[*PARTS], help=", ".join(PARTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each flood")
    parser.add_argument("--products", type=int, default=2_000)
    parser.add_argument("--json", type=Path, default=Path(".tox/bench.json"))
    arguments = parser.parse_args()
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="dianku-bench-") as folder:
        for part in arguments.parts:
            figures += PARTS[part](Path(folder), arguments)
    print(table(figures))
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    write_json(figures, arguments.json)


if __name__ == "__main__":
    main()
