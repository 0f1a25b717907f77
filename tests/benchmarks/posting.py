"""Posting over HTTP on SQLite: Dianku beside hello (a), the naive till (b), the bare script (c).

One round measures every side once, one after the other; the rounds follow each other. Every side
begins with a copy of the same shop, and what it wrote is counted: the same rows for each document.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench_figures import Figure, middle, ratio
from bench_shop import Measured, copy_of, count_rows, make_shop, script, serve_words
from sale_rows import read_settings
from shop_server import ShopFolder, load

from dianku.config import DATABASE_FILE
from dianku.storage.engine import Database

CONNECTIONS = (1, 8, 64)
BATCH_CONNECTIONS = 8
LONG_LINES = 100
BATCH_DOCUMENTS = 10
RPS = "requests per second"


@dataclass
class Round:
    """The measurements of one round by name, and the rows each side wrote for a document."""

    figures: dict[str, float] = field(default_factory=dict)
    rows: dict[str, dict[str, float]] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)


def sale(*, lines: int = 1) -> dict[str, Any]:
    """The template of an issue: other products in every request and every line."""
    line = {"sku": "P{p}", "quantity": 1, "amount": "5.00"}
    return {"kind": "issue", "store": "S1", "lines": [line] * lines}


def flood(
    server: Measured,
    *,
    token: str,
    template: Mapping[str, Any],
    connections: int,
    seconds: float,
    products: int,
    first: int,
) -> dict[str, float]:
    """Load a server for some seconds; latencies, requests and processor time per request.

    Raises:
        AssertionError: a request was refused, so what was measured is not the work meant.
    """
    spec = {
        "mode": "flood",
        "targets": [server.target(token)],
        "template": template,
        "connections": connections,
        "seconds": seconds,
        "products": products,
        "first": first,
    }
    before = server.cpu_seconds()
    found = load(spec)
    found["cpu_us"] = (server.cpu_seconds() - before) / found["requests"] * 1e6
    if found["refused"]:
        refusal = f"the first: {found['first_refusal']}"
        raise AssertionError(f"{found['refused']} of {found['requests']} were refused, {refusal}")
    return found


@dataclass
class Bench:
    """What the rounds need: the shop to copy, its size, how long each measurement takes."""

    folder: Path
    products: int
    seconds: float
    shop: ShopFolder = field(init=False)
    token: str = field(init=False)
    taken: int = 0

    def __post_init__(self) -> None:
        """Make the shop that every measurement copies."""
        self.shop, self.token = make_shop(self.folder / "shop", products=self.products)

    def round(self) -> Round:
        """Measure every side once."""
        found = Round()
        with Measured(script("hello_app.py")) as server:
            self._floods(found, "hello", server, request("/", sale()))
        single = request("/api/v1/documents", sale(), key="bench-{n}")
        copy = self._copy()
        with Measured(serve_words(), environ=copy.environ) as server:
            self._floods(found, "dianku", server, single, copy=copy)
            found.figures["dianku memory"] = server.memory_mb()
        found.settings["dianku"] = f"settings {own_settings(copy.folder / DATABASE_FILE)}"
        copy = self._copy()
        server = Measured(script("naive_app.py", str(copy.folder / DATABASE_FILE)))
        try:
            self._floods(found, "naive", server, single, copy=copy)
        finally:
            found.settings["naive"] = server.stop().strip()
        self._bare(found, "bare 32", lines=1, batch=32, documents=int(15_000 * self.seconds))
        self._long(found)
        self._bare(found, "bare 128", lines=LONG_LINES, batch=128,
                   documents=int(200 * self.seconds))  # fmt: skip
        return found

    def _copy(self) -> ShopFolder:
        return copy_of(self.shop, self.folder / "copy")

    def _floods(
        self,
        found: Round,
        side: str,
        server: Measured,
        template: Mapping[str, Any],
        *,
        copy: ShopFolder | None = None,
    ) -> None:
        before = count_rows(copy.folder / DATABASE_FILE) if copy else {}
        requests = self._warm(server, template)
        for connections in CONNECTIONS:
            result = self._flood(server, template, connections, self.seconds)
            requests += int(result["requests"])
            for name in ("per_second", "p50_ms", "p99_ms", "cpu_us"):
                found.figures[f"{side} {connections} {name}"] = result[name]
        if copy:
            found.rows[side] = rows_each(before, count_rows(copy.folder / DATABASE_FILE), requests)

    def _warm(self, server: Measured, template: Mapping[str, Any]) -> int:
        return int(self._flood(server, template, 8, min(1.0, self.seconds))["requests"])

    def _flood(
        self, server: Measured, template: Mapping[str, Any], connections: int, seconds: float
    ) -> dict[str, float]:
        result = flood(
            server,
            token=self.token,
            template=template,
            connections=connections,
            seconds=seconds,
            products=self.products,
            first=self.taken,
        )
        self.taken = int(result["next"])
        return result

    def _long(self, found: Round) -> None:
        """Documents of a hundred lines, alone and ten to a request."""
        entries = [{"key": f"bench-{{n}}-{i}", **sale(lines=LONG_LINES)}
                   for i in range(BATCH_DOCUMENTS)]  # fmt: skip
        templates = {
            "long": request("/api/v1/documents", sale(lines=LONG_LINES), key="bench-{n}"),
            "batch": request("/api/v1/documents/batch", {"documents": entries}),
        }
        lines = {"long": LONG_LINES, "batch": LONG_LINES * BATCH_DOCUMENTS}
        copy = self._copy()
        with Measured(serve_words(), environ=copy.environ) as server:
            for name, template in templates.items():
                before = count_rows(copy.folder / DATABASE_FILE)
                result = self._flood(server, template, BATCH_CONNECTIONS, self.seconds)
                after = count_rows(copy.folder / DATABASE_FILE)
                each = rows_each(before, after, int(result["requests"]) * lines[name])
                found.rows[f"dianku {name}, for a line"] = each
                found.figures[f"{name} lines"] = result["per_second"] * lines[name]
                found.figures[f"{name} line cpu_us"] = result["cpu_us"] / lines[name]

    def _bare(self, found: Round, side: str, *, lines: int, batch: int, documents: int) -> None:
        copy = self._copy()
        path = copy.folder / DATABASE_FILE
        before = count_rows(path)
        words = script(
            "sale_rows.py", str(path), f"--documents={documents}", f"--lines={lines}",
            f"--batch={batch}",
        )  # fmt: skip
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        said = json.loads(done.stdout)
        found.figures[f"{side} lines"] = documents * lines / said["seconds"]
        found.settings[side] = f"settings {said['settings']}"
        each = documents if lines == 1 else documents * lines
        found.rows[side] = rows_each(before, count_rows(path), each)


def own_settings(path: Path) -> dict[str, Any]:
    """What SQLite says of the settings of Dianku's own writing connections."""
    database = Database(f"sqlite:///{path}")
    with database.writing() as connection:
        settings = read_settings(connection.connection.driver_connection)
    database.close()
    return settings


def request(path: str, body: Any, *, key: str | None = None) -> dict[str, Any]:
    """A POST for the load generator."""
    plain = {"method": "POST", "path": path, "body": body}
    return plain if key is None else {**plain, "key": key}


def rows_each(
    before: Mapping[str, int], after: Mapping[str, int], documents: int
) -> dict[str, float]:
    """Rows written for each document."""
    return {name: round((after[name] - before[name]) / documents, 3) for name in after}


def figures_of(rounds: Sequence[Round]) -> list[Figure]:
    """The rounds as figures beside their bars."""
    of = [r.figures for r in rounds]
    found = []
    for side in ("hello", "naive", "dianku"):
        for connections in CONNECTIONS:
            name = f"{side} {connections}"
            note = (
                f"p50 {middle(of, f'{name} p50_ms'):.2f} ms, p99 {middle(of, f'{name} p99_ms'):.2f}"
                f" ms, CPU {middle(of, f'{name} cpu_us'):.0f} us"
            )
            label = f"{side}, {connections} connections"
            found.append(Figure(label, middle(of, f"{name} per_second"), "/s", note=note))
    found += [
        Figure("bare script, batches of 32", middle(of, "bare 32 lines"), "lines/s"),
        Figure("bare script, batches of 128", middle(of, "bare 128 lines"), "lines/s"),
        Figure("documents of 100 lines", middle(of, "long lines"), "lines/s",
               note=f"CPU {middle(of, 'long line cpu_us'):.0f} us a line"),
        Figure("ten of them in a batch", middle(of, "batch lines"), "lines/s",
               note=f"CPU {middle(of, 'batch line cpu_us'):.0f} us a line"),
        Figure("(a) posting / hello", ratio(of, "dianku 64 per_second", "hello 64 per_second"),
               at_least=0.20, note="64 connections"),
        Figure("(a) CPU of posting / of hello", ratio(of, "dianku 64 cpu_us", "hello 64 cpu_us"),
               note="64 connections"),
        Figure("(b) posting / naive", ratio(of, "dianku 64 per_second", "naive 64 per_second"),
               at_least=6, note="64 connections"),
        Figure("(c) posting / bare script, 32", ratio(of, "dianku 64 per_second", "bare 32 lines"),
               at_least=0.35, note="64 connections"),
        Figure("posting p99 / p50", ratio(of, "dianku 64 p99_ms", "dianku 64 p50_ms"),
               at_most=3, note="64 connections"),
        Figure("documents of 100 lines / bare, 128", ratio(of, "long lines", "bare 128 lines"),
               at_least=0.6, note=f"{BATCH_CONNECTIONS} connections"),
        Figure("batches of these / bare, 128", ratio(of, "batch lines", "bare 128 lines"),
               at_least=0.6, note=f"{BATCH_CONNECTIONS} connections"),
        Figure("posting on one connection, p50", middle(of, "dianku 1 p50_ms"), "ms",
               at_most=20, note="the 40 ms trap"),
        Figure("memory after the load", middle(of, "dianku memory"), "MB"),
    ]  # fmt: skip
    return found
