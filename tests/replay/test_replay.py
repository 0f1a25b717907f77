"""The replay, run as its own program: a slice for everybody, the whole year by name."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
SLICE = HERE / "slice" / "online_retail_2010-01-04_08.csv"
YEAR = Path("data/online_retail/online_retail_II_2009-2010.parquet")
ROWS = {"slice": 3_684, "year": 525_461}


def _replay(file: Path, url: str, out: Path) -> dict[str, Any]:
    command = [sys.executable, str(HERE / "replay.py"), str(file), "--json", str(out)]
    done = subprocess.run(
        [*command, *(["--database", url] if url else [])],
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    figures: dict[str, Any] = json.loads(out.read_text())
    return figures


def _is_whole(figures: dict[str, Any], rows: int) -> None:
    assert figures["rows"] == rows
    assert figures["posted"] + sum(figures["excluded"].values()) == rows
    assert figures["differences"] == []


def test_slice_replayed_on_sqlite_equals_the_oracle(tmp_path: Path) -> None:
    _is_whole(_replay(SLICE, "", tmp_path / "figures.json"), ROWS["slice"])


def test_slice_replayed_on_postgresql_equals_the_oracle(
    tmp_path: Path, postgres_server: Any
) -> None:
    name = postgres_server.create()
    figures = _replay(SLICE, postgres_server.url(name), tmp_path / "figures.json")
    _is_whole(figures, ROWS["slice"])
    postgres_server.drop(name)


@pytest.mark.long("replay")
@pytest.mark.timeout(3_600)
def test_year_replayed_on_sqlite_equals_the_oracle(tmp_path: Path, shared_data: Path) -> None:
    _is_whole(_replay(shared_data / YEAR, "", tmp_path / "figures.json"), ROWS["year"])


@pytest.mark.long("replay")
@pytest.mark.timeout(3_600)
def test_year_replayed_on_postgresql_equals_the_oracle(
    tmp_path: Path, shared_data: Path, postgres_server: Any
) -> None:
    name = postgres_server.create()
    figures = _replay(shared_data / YEAR, postgres_server.url(name), tmp_path / "figures.json")
    _is_whole(figures, ROWS["year"])
    postgres_server.drop(name)


def test_slice_expected_figures_are_those_worked_out_by_hand() -> None:
    """A few figures of the oracle itself, counted from the file with other tools."""
    command = [sys.executable, str(HERE / "oracle.py"), str(SLICE)]
    found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert found["rows"] == found["posted"] + sum(found["excluded"].values()) == ROWS["slice"]
    assert found["excluded"] == {"not_goods": 14, "price_zero": 42}
    assert found["totals"]["sold_lines"] + found["totals"]["returned_lines"] == found["posted"]
