"""Reports over millions of moves: as fast at ten million as at one, and right in random cells.

The questions are put over HTTP to a served shop, one after the other, each several times and each
time after another sale was posted, so that no answer can be that of before; the first time, when
nothing is remembered yet, is told apart. Beside them stands the plain sum over the moves on the
same file. What the answers say is compared with such sums in random cells.
"""

from __future__ import annotations

import http.client
import json
import random
import sqlite3
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

from bench_figures import Figure
from bench_shop import Measured, empty_the_log, make_shop, serve_words, sku
from report_moves import DAY_MS, DAYS, EAST, STORES, fill

from dianku.config import DATABASE_FILE
from dianku.ledger.verify.rebuild import rebuild
from dianku.ledger.verify.verification import verify
from dianku.storage.engine import Database

CELLS = 50
QUESTIONS = ("monitor", "sellers 7", "sellers 30", "slow 30", "stock at a date", "stock card")
_FIRST = date(1970, 1, 1)


@dataclass
class Size:
    """What one shop of a size showed."""

    moves: int
    seconds: dict[str, float] = field(default_factory=dict)
    checked: int = 0


def measure(folder: Path, *, moves: int, products: int, repeats: int) -> Size:
    """Make a shop of so many moves, ask it, check it, and remove nothing."""
    shop, token = make_shop(folder, products=products, stores=STORES, stocked=False)
    path = folder / DATABASE_FILE
    database = Database(f"sqlite:///{path}")
    found = Size(moves)
    found.seconds["fill"], found.moves = _timed(lambda: fill(path, moves=moves, products=products))
    found.seconds["rebuild"], _ = _timed(lambda: rebuild(database))
    found.seconds["verify"], said = _timed(lambda: verify(database, since_last=True))
    assert said.clean, said.differences[:10]
    assert said.earlier == 0
    database.close()
    empty_the_log(folder)
    with ExitStack() as opened:
        server = opened.enter_context(Measured(serve_words(), environ=shop.environ))
        asking = Asking(server, token)
        opened.callback(asking.close)
        today = int(time.time() * 1000 + EAST) // DAY_MS
        for name, query in _queries(today).items():
            times = [_asked(asking, query, products=products) for _ in range(repeats + 1)]
            found.seconds[f"first {name}"] = times[0]
            found.seconds[name] = median(times[1:])
        found.checked = check(asking, path, products=products, today=today)
        found.seconds["memory MB"] = server.memory_mb()
    database = Database(f"sqlite:///{path}")
    found.seconds["verify on"], said = _timed(lambda: verify(database, since_last=True))
    assert said.clean, said.differences[:10]
    assert said.earlier == found.moves
    database.close()
    found.seconds |= raw_sums(path, today=today, repeats=max(1, repeats // 3))
    found.seconds["file MB"] = path.stat().st_size / 1e6
    return found


class Asking:
    """One kept connection to a server."""

    def __init__(self, server: Measured, token: str) -> None:
        self._connection = http.client.HTTPConnection(server.host, server.port, timeout=600)
        self._headers = {"Authorization": f"Bearer {token}"}
        self._sales = 0

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def ask(self, path: str) -> Any:
        """The decoded answer. Raises `AssertionError` on a refusal."""
        self._connection.request("GET", f"/api/v1{path}", headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        return json.loads(body)

    def sell(self, *, products: int) -> None:
        """Post a sale of one product, each time of another and in the next store."""
        self._sales += 1
        product = self._sales * 7919 % products
        store = f"S{self._sales % STORES + 1}"
        sale = {"kind": "issue", "store": store, "lines": [{"sku": sku(product), "quantity": "2"}]}
        self._connection.request(
            "POST",
            "/api/v1/documents",
            body=json.dumps(sale),
            headers={**self._headers, "Content-Type": "application/json",
                     "Idempotency-Key": f"bench-{self._sales}"},
        )  # fmt: skip
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status == 201, body


def _asked(asking: Asking, query: str, *, products: int) -> float:
    """How long an answer takes just after a sale."""
    asking.sell(products=products)
    return _timed(lambda: asking.ask(query))[0]


def _queries(today: int) -> dict[str, str]:
    past = day_text(today - DAYS // 2)
    return {
        "monitor": "/reports/stock",
        "sellers 7": "/reports/sales?days=7",
        "sellers 30": "/reports/sales?days=30",
        "slow 30": "/reports/sales?days=30&order=slow",
        "stock at a date": f"/stock?as_of={past}",
        "stock card": f"/reports/stock-card?sku={sku(1)}&store=S1",
    }


def day_text(number: int) -> str:
    """A day number as a date."""
    return (_FIRST + timedelta(days=number)).isoformat()


_RAW = {
    "raw monitor": (
        "SELECT store_id, product_id, SUM(quantity), SUM(CASE WHEN business_date > :week AND flow "
        "IN (2, 4) THEN -quantity ELSE 0 END) AS sold FROM stock_move "
        "GROUP BY store_id, product_id ORDER BY sold DESC LIMIT 100"
    ),
    "raw sellers 7": (
        "SELECT product_id, SUM(-quantity) AS sold FROM stock_move WHERE flow IN (2, 4) "
        "AND business_date > :week GROUP BY product_id ORDER BY sold DESC LIMIT 100"
    ),
    "raw stock at a date": (
        "SELECT store_id, product_id, SUM(quantity) FROM stock_move WHERE business_date <= :past "
        "GROUP BY store_id, product_id ORDER BY product_id, store_id LIMIT 100"
    ),
}


def raw_sums(path: Path, *, today: int, repeats: int) -> dict[str, float]:
    """The same questions as plain sums over the moves."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA cache_size=-131072")
    connection.execute("PRAGMA mmap_size=1073741824")
    values = {"week": today - 7, "past": today - DAYS // 2}
    return {
        name: median(
            _timed(lambda s=statement: connection.execute(s, values).fetchall())[0]
            for _ in range(repeats)
        )
        for name, statement in _RAW.items()
    }


def check(asking: Asking, path: Path, *, products: int, today: int) -> int:
    """Compare answers with sums over the moves in random cells; how many cells were compared."""
    connection = sqlite3.connect(path)
    chance = random.Random(20_000)
    past = today - DAYS // 2
    cell = "FROM stock_move WHERE store_id = ? AND product_id = ?"
    for _ in range(CELLS):
        store, product = chance.randint(1, STORES), chance.randint(1, products)

        def total(figure: str, more: str = "", where: tuple[int, int] = (store, product)) -> int:
            statement = f"SELECT COALESCE(SUM({figure}), 0) {cell} {more}"
            return int(connection.execute(statement, where).fetchone()[0])

        where = {"sku": sku(product - 1), "store": f"S{store}"}
        [now] = asking.ask(f"/stock?{urlencode(where)}")["items"]
        [then] = asking.ask(f"/stock?{urlencode({**where, 'as_of': day_text(past)})}")["items"]
        sold = "AND flow IN (2, 4) AND business_date >"
        expected = (
            total("quantity"), total("value") / 10_000, total("-quantity", f"{sold} {today - 7}"),
            total("-quantity", f"{sold} {today - 30}"),
            total("quantity", f"AND business_date <= {past}"),
        )  # fmt: skip
        told = (
            int(now["on_hand"]), float(now["value"]), int(now["sold_7d"]), int(now["sold_30d"]),
            int(then["on_hand"]),
        )  # fmt: skip
        assert told == expected, (where, told, expected)
    _check_sellers(asking, connection, today)
    return CELLS


def _check_sellers(asking: Asking, connection: sqlite3.Connection, today: int) -> None:
    """Every row of the first page of the week's sellers."""
    statement = (
        "SELECT COALESCE(SUM(-quantity), 0) FROM stock_move WHERE product_id = ? "
        "AND flow IN (2, 4) AND business_date > ? AND business_date <= ?"
    )
    for row in asking.ask("/reports/sales?days=7")["items"]:
        product = int(row["sku"][1:]) + 1
        [expected] = connection.execute(statement, (product, today - 7, today)).fetchone()
        assert int(row["quantity"]) == expected, (row, expected)


def _timed(act: Any) -> tuple[float, Any]:
    began = time.perf_counter()
    found = act()
    return time.perf_counter() - began, found


def figures_of(sizes: Sequence[Size]) -> list[Figure]:
    """Each size's times, and the largest beside the smallest and beside the plain sum."""
    found = []
    for size in sizes:
        label = f"{size.moves / 1e6:.3g} million moves"
        for name in QUESTIONS:
            raw = size.seconds.get(f"raw {name}")
            note = f"asked first {1000 * size.seconds[f'first {name}']:,.0f} ms"
            if raw is not None:
                note += f", plain sum {1000 * raw:,.0f} ms"
            found.append(Figure(f"{name}, {label}", 1000 * size.seconds[name], "ms", note=note))
        each = size.moves / 1e6
        found += [
            Figure(f"verify, {label}", size.seconds["verify"] / each, "s per million moves"),
            Figure(f"verify that goes on, {label}", size.seconds["verify on"], "s"),
            Figure(f"rebuild, {label}", size.seconds["rebuild"] / each, "s per million moves"),
            Figure(f"file, {label}", size.seconds["file MB"] / each, "MB per million moves"),
            Figure(f"memory of the server, {label}", size.seconds["memory MB"], "MB"),
            Figure(f"cells compared with sums over the moves, {label}", size.checked, "",
                   at_least=CELLS),
        ]  # fmt: skip
    first, last = sizes[0], sizes[-1]
    for name in ("monitor", "sellers 7"):
        times = last.seconds[name] / first.seconds[name]
        sums = last.seconds[f"raw {name}"] / last.seconds[name]
        note = f"{last.moves / first.moves:.3g} times the moves"
        found += [
            Figure(f"{name}: largest / smallest", times, at_most=1.5, note=note),
            Figure(f"{name}: plain sum / report", sums, at_least=20, note="at the largest"),
        ]
    return found
