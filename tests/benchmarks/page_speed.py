"""The console's pages with 100,000 products: as many rows and bytes as with a few, as fast.

What a page says is asked over real HTTP, signed in as a person, in turn on both shops.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench_figures import Figure, middle, ratio
from bench_shop import Measured, make_shop, serve_words

PASSWORD = "a long enough password"
ROWS_MAX = 80
"""Lines of a page: of its tables and lists, those of its cards and its menu among them."""
PAGES: Mapping[str, tuple[str, str]] = {
    "home": ("/console/", ""),
    "goods": ("/console/goods", ""),
    "goods found while typing": ("/console/goods?q=p0", "rows"),
    "goods that run low": ("/console/goods?show=low", ""),
    "documents": ("/console/documents", ""),
    "monitor": ("/console/monitor", ""),
}
"""What is asked: a path, and the part of the page where one asks for a part."""


class Reader:
    """Somebody signed in at a server."""

    def __init__(self, server: Measured, token: str) -> None:
        self._root = f"http://{server.host}:{server.port}"
        who = {"name": "reader", "password": PASSWORD}
        self._send("/api/v1/users", {**who, "role": "owner"}, {"Authorization": f"Bearer {token}"})
        cookie = self._send("/api/v1/sessions", who, {})
        self._headers = {"Cookie": cookie.partition(";")[0], "Accept-Encoding": "gzip"}

    def _send(self, path: str, body: Mapping[str, str], headers: Mapping[str, str]) -> str:
        request = urllib.request.Request(
            self._root + path,
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **headers},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return str(answer.headers["Set-Cookie"] or "")

    def read(self, path: str, part: str) -> tuple[float, bytes]:
        """Milliseconds until a page is there, and what came."""
        headers = {**self._headers, **({"X-Part": part} if part else {})}
        request = urllib.request.Request(self._root + path, headers=headers)
        began = time.perf_counter()
        with urllib.request.urlopen(request, timeout=60) as answer:
            said = answer.read()
        return (time.perf_counter() - began) * 1e3, said


def measure(folder: Path, *, few: int, many: int, rounds: int) -> list[dict[str, float]]:
    """Rounds of every page in a shop of few products and in one of many; the first is not kept."""
    shops = {
        name: make_shop(folder / f"pages-{name}", products=count)
        for name, count in (("few", few), ("many", many))
    }
    found: list[dict[str, float]] = []
    with (
        Measured(serve_words(), environ=shops["few"][0].environ) as small,
        Measured(serve_words(), environ=shops["many"][0].environ) as large,
    ):
        readers = {
            "few": Reader(small, shops["few"][1]),
            "many": Reader(large, shops["many"][1]),
        }
        for _ in range(rounds + 1):
            figures: dict[str, float] = {}
            for page, (path, part) in PAGES.items():
                for side, reader in readers.items():
                    took, said = reader.read(path, part)
                    figures[f"{page} {side} ms"] = took
                    figures[f"{page} {side} bytes"] = len(said)
                    figures[f"{page} {side} rows"] = said.count(b"<tr") + said.count(b"<li")
            found.append(figures)
    return found[1:]


def figures_of(rounds: Sequence[dict[str, float]], *, few: int, many: int) -> list[Figure]:
    """The rounds as figures."""
    found = []
    for page in PAGES:
        note = f"{middle(rounds, f'{page} many bytes'):,.0f} bytes not packed"
        rows = max(each[f"{page} many rows"] for each in rounds)
        found += [
            Figure(f"{page}: rows among {many:,}", rows, at_most=ROWS_MAX, note=note),
            Figure(
                f"{page}: time among {many:,} / among {few:,}",
                ratio(rounds, f"{page} many ms", f"{page} few ms"),
                note=f"{middle(rounds, f'{page} many ms'):.1f} ms",
            ),
        ]
    return found
