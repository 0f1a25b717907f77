"""The benchmarks still run, and measure the same work on every side; how fast is for `bench`."""

from __future__ import annotations

from pathlib import Path

import crowd
import page_speed
import postgres_posting
import posting
import pytest
import report_speed
import run
import scanning
import starting
from bench_figures import Figure, table

from dianku.testing.postgres import PostgresAbsent
from dianku.testing.required import absent

pytestmark = pytest.mark.timeout(300)


def named(figures: list[Figure], name: str) -> Figure:
    [found] = [f for f in figures if f.name == name]
    return found


def test_posting_writes_the_same_rows_as_its_baselines(tmp_path: Path) -> None:
    bench = posting.Bench(tmp_path, products=50, seconds=0.2)
    found = bench.round()
    same = ("document", "document_line", "stock_move", "posted_key")
    for side in ("dianku", "naive", "bare 32"):
        assert {name: found.rows[side][name] for name in same} == dict.fromkeys(same, 1.0), side
        assert found.rows[side]["event"] >= 1
    for side in ("dianku long, for a line", "dianku batch, for a line", "bare 128"):
        assert found.rows[side]["stock_move"] == 1.0, side
        assert found.rows[side]["document"] == 0.01, side
    settings = {text for side, text in found.settings.items()}
    assert len(settings) == 1, found.settings
    assert "'synchronous': 2" in settings.pop()
    figures = posting.figures_of([found, found, found])
    assert "at least 0.2" in table(figures)


@pytest.mark.long("full")
def test_posting_on_postgresql_runs_with_one_and_two_processes(tmp_path: Path) -> None:
    try:
        rounds, rows = postgres_posting.measure(tmp_path, products=50, seconds=0.2, rounds=1)
    except PostgresAbsent as reason:
        absent("postgres", str(reason))
    assert rows["1"]["document"] == rows["2"]["document"] == 1.0
    assert len(postgres_posting.figures_of(rounds)) == 5


def test_scanning_finds_every_product(tmp_path: Path) -> None:
    rounds = scanning.measure(tmp_path, few=20, many=60, seconds=0.2, rounds=1)
    assert len(scanning.figures_of(rounds, few=20, many=60)) == 4


@pytest.mark.long("full")
def test_pages_have_no_more_rows_for_more_products(tmp_path: Path) -> None:
    rounds = page_speed.measure(tmp_path, few=60, many=200, rounds=1)
    (figures,) = rounds
    assert figures["goods many rows"] == figures["goods few rows"] > 50
    assert figures["goods found while typing many rows"] > 50
    told = page_speed.figures_of(rounds, few=60, many=200)
    assert [f.name for f in told if f.holds is False] == []
    assert len(told) == 2 * len(page_speed.PAGES)


def test_reports_are_what_the_moves_say(tmp_path: Path) -> None:
    size = report_speed.measure(tmp_path, moves=20_000, products=300, repeats=1)
    assert size.moves == 20_000
    assert size.checked == report_speed.CELLS
    assert report_speed.figures_of([size])


def test_help_imports_nothing_heavy_and_the_shop_starts(tmp_path: Path) -> None:
    rounds = starting.measure(tmp_path, rounds=1)
    heavy = starting.imported_by_help()
    figures = starting.figures_of(rounds, heavy=heavy, weight=(30, 90.0))
    assert named(figures, "heavy packages help imports").holds, heavy


@pytest.mark.long("full")
def test_crowd_is_loaded_whole_and_the_empty_host_without_it(tmp_path: Path) -> None:
    [found] = crowd.measure(tmp_path, rounds=1, distributions=6, plugins=3)
    assert found["loaded"] == 3
    assert len(crowd.figures_of([found])) == 3


def test_every_part_has_a_name_on_the_command_line() -> None:
    assert run.arguments_of(["posting", "reports"]).parts == ["posting", "reports"]
    assert set(run.PARTS) == {
        "posting",
        "postgres",
        "scan",
        "pages",
        "reports",
        "start",
        "crowd",
    }
