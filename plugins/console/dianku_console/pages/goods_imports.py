"""Spreadsheets in: what is wrong shown where it stands, then taken in, then undone if need be."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from dianku.api import Call, Page, Title

KINDS = ("products", "opening-stock", "receipts", "sales-history", "counts")
RUNS_MAX = 10
ROWS_MAX = 300
"""Rows shown at once, wrong ones and those beside them: more are mended in the file."""


def _import(call: Call) -> dict[str, Any]:
    # What was only checked changed nothing: a shop looks for what it may want to undo.
    runs = [run for run in call.ask("/imports", limit=50)["items"] if not run["dry_run"]]
    return {"kinds": KINDS, "runs": [_told(run) for run in runs[:RUNS_MAX]], "found": None}


def _run(call: Call) -> dict[str, Any]:
    run = call.ask(f"/imports/{call.path['id']}")
    return {"kinds": KINDS, "runs": [], "found": _told(run), **_cells(run)}


def _told(run: Mapping[str, Any]) -> dict[str, Any]:
    ended = run["ended_at"] is not None
    return {
        **run,
        "ended": ended,
        "undoable": ended and not run["dry_run"] and run["undone_at"] is None and _changed(run) > 0,
        "changed": _changed(run),
    }


def _changed(run: Mapping[str, Any]) -> int:
    return int(run["created"]) + int(run["updated"])


def _cells(run: Mapping[str, Any]) -> dict[str, Any]:
    """The wrong cells among their neighbours: a line for each row, a column for each field."""
    read = {c["field"]: c for c in reversed(run["columns"]) if c["field"]}
    by_heading = {c["column"]: c["field"] for c in read.values()}
    shown: dict[tuple[str, int], dict[str, Any]] = {}
    for row in run["excerpt"]:
        shown[row["sheet"] or "", row["row"]] = _line(row["cells"])
    for cell in run["errors"]:
        place = (cell["sheet"] or "", int(cell["row"]))
        if place not in shown and len(shown) >= ROWS_MAX:
            continue
        line = shown.setdefault(place, _line({}))
        field = cell["field"] or by_heading.get(cell["column"])
        if field in read:
            line["cells"].setdefault(field, cell["value"])
            line["wrong"].setdefault(field, []).append(cell)
        else:
            line["whole"].append(cell)
    rows = [{"sheet": sheet, "row": row, **line} for (sheet, row), line in sorted(shown.items())]
    for above, row in pairwise(rows):
        row["apart"] = (above["sheet"], above["row"] + 1) != (row["sheet"], row["row"])
    return {
        "columns": [c for c in run["columns"] if c is read.get(c["field"])],
        "rows": rows if run["errors"] else [],
        "sheets": any(row["sheet"] for row in rows),
        "notes": run["notes"][:ROWS_MAX],
    }


def _line(cells: Mapping[str, str]) -> dict[str, Any]:
    return {"cells": dict(cells), "wrong": {}, "whole": [], "apart": False}


PAGES = (
    Page(
        "/console/goods/import",
        Title("导入", "Import"),
        "import.run",
        "goods/import.html",
        _import,
    ),
    Page(
        "/console/goods/import/{id}",
        Title("导入", "Import"),
        "import.run",
        "goods/import.html",
        _run,
    ),
)
