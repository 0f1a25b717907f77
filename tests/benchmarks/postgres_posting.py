"""Posting over HTTP on PostgreSQL, every commit synced, with one process and with two."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from bench_figures import Figure, middle, ratio
from bench_shop import Measured, make_shop, postgres_rows, script, serve_words
from posting import flood, request, rows_each, sale

from dianku.testing.postgres import PostgresServer, reachable_folder

CONNECTIONS = 64
WORKERS = (1, 2)


def measure(
    folder: Path, *, products: int, seconds: float, rounds: int
) -> tuple[list[dict[str, float]], dict[str, dict[str, float]]]:
    """Rounds of hello, one process, two processes; and the rows written for a document.

    Raises:
        PostgresAbsent: there is no PostgreSQL here.
    """
    place = reachable_folder("dianku-bench-pg-")
    server = PostgresServer(place / "pg", durable=True)
    server.start()
    try:
        return _rounds(server, folder, products=products, seconds=seconds, rounds=rounds)
    finally:
        server.stop()
        shutil.rmtree(place, ignore_errors=True)


def _rounds(
    server: PostgresServer, folder: Path, *, products: int, seconds: float, rounds: int
) -> tuple[list[dict[str, float]], dict[str, dict[str, float]]]:
    url = server.url(server.create())
    shop, token = make_shop(folder / "pg-shop", products=products, database_url=url)
    single = request("/api/v1/documents", sale(), key="bench-{n}")
    hello = request("/", sale())
    found: list[dict[str, float]] = []
    rows: dict[str, dict[str, float]] = {}
    first = 0
    for _ in range(rounds):
        figures: dict[str, float] = {}
        for name, words, template in (
            ("hello", script("hello_app.py"), hello),
            *((f"{n}", serve_words(n), single) for n in WORKERS),
        ):
            with Measured(words, environ=shop.environ) as app:
                for part in (min(1.0, seconds), seconds):
                    before = postgres_rows(url)
                    result = flood(
                        app, token=token, template=template, connections=CONNECTIONS,
                        seconds=part, products=products, first=first,
                    )  # fmt: skip
                    first = int(result["next"])
            if name != "hello":
                rows[name] = rows_each(before, postgres_rows(url), int(result["requests"]))
            for figure in ("per_second", "p50_ms", "p99_ms", "cpu_us"):
                figures[f"{name} {figure}"] = result[figure]
        found.append(figures)
    return found, rows


def figures_of(rounds: Sequence[dict[str, float]]) -> list[Figure]:
    """The rounds as figures; there are no bars on PostgreSQL."""
    found = []
    for workers in WORKERS:
        label = f"PostgreSQL, {workers} process{'es' if workers > 1 else ''}"
        name = f"{workers}"
        note = (
            f"p50 {middle(rounds, f'{name} p50_ms'):.2f} ms, p99 "
            f"{middle(rounds, f'{name} p99_ms'):.2f} ms, CPU {middle(rounds, f'{name} cpu_us'):.0f}"
            " us without the database's"
        )
        found += [
            Figure(f"{label}, {CONNECTIONS} connections", middle(rounds, f"{name} per_second"),
                   "/s", note=note),
            Figure(f"{label} / hello", ratio(rounds, f"{name} per_second", "hello per_second")),
        ]  # fmt: skip
    found.append(
        Figure("PostgreSQL, 2 processes / 1", ratio(rounds, "2 per_second", "1 per_second"))
    )
    return found
