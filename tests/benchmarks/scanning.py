"""Scanning with 100,000 products: as fast as with a few, beside hello on the same server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench_figures import Figure, middle, ratio
from bench_shop import Measured, gtin, make_shop, script, serve_words
from shop_server import load

CONNECTIONS = 8


def measure(
    folder: Path, *, few: int, many: int, seconds: float, rounds: int
) -> list[dict[str, float]]:
    """Rounds of hello, scans among a few products, scans among many; any product each time."""
    shops = {name: make_shop(folder / name, products=count)
             for name, count in (("few", few), ("many", many))}  # fmt: skip
    found: list[dict[str, float]] = []
    with (
        Measured(script("hello_app.py")) as hello,
        Measured(serve_words(), environ=shops["few"][0].environ) as small,
        Measured(serve_words(), environ=shops["many"][0].environ) as large,
    ):
        sides = {
            "hello": (hello, "/", 1, ""),
            "few": (small, "/api/v1/scan/{p}?store=S1", few, shops["few"][1]),
            "many": (large, "/api/v1/scan/{p}?store=S1", many, shops["many"][1]),
        }
        for _ in range(rounds):
            figures: dict[str, float] = {}
            for name, (server, path, products, token) in sides.items():
                before = server.cpu_seconds()
                result = load(
                    {
                        "mode": "flood",
                        "targets": [server.target(token)],
                        "template": {"method": "GET", "path": path},
                        "connections": CONNECTIONS,
                        "seconds": seconds,
                        "products": products,
                        "words": [gtin(n) for n in range(products)],
                    }
                )
                assert not result["refused"], result["first_refusal"]
                used = server.cpu_seconds() - before
                figures[f"{name} cpu_us"] = used / result["requests"] * 1e6
                for figure in ("per_second", "p50_ms", "p99_ms"):
                    figures[f"{name} {figure}"] = result[figure]
            found.append(figures)
    return found


def figures_of(rounds: Sequence[dict[str, float]], *, few: int, many: int) -> list[Figure]:
    """The rounds as figures."""
    found = []
    for name, label in (
        ("hello", "hello"),
        ("few", f"scan among {few:,}"),
        ("many", f"scan among {many:,}"),
    ):
        note = (
            f"p50 {middle(rounds, f'{name} p50_ms'):.2f} ms, p99 "
            f"{middle(rounds, f'{name} p99_ms'):.2f} ms, CPU {middle(rounds, f'{name} cpu_us'):.0f}"
            " us"
        )
        found.append(
            Figure(
                f"{label}, {CONNECTIONS} connections",
                middle(rounds, f"{name} per_second"),
                "/s",
                note=note,
            )
        )
    times = ratio(rounds, "many p50_ms", "few p50_ms")
    found.append(Figure(f"scan p50 among {many:,} / among {few:,}", times))
    return found
