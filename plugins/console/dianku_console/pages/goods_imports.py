"""Spreadsheets in: what is wrong shown where it stands, then taken in, then undone if need be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dianku.api import Call, Page, Title

KINDS = ("products", "opening-stock", "receipts", "sales-history", "counts")
RUNS_MAX = 10
ROWS_MAX = 100
"""Wrong rows shown at once: who mends a hundred of them sends the file again anyway."""


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
    """The wrong cells as the file has them: a line for each row, a column for each heading."""
    columns: list[str] = []
    rows: dict[tuple[str, int], dict[str, list[Mapping[str, Any]]]] = {}
    for cell in run["errors"]:
        place = (cell["sheet"] or "", int(cell["row"]))
        if place not in rows and len(rows) >= ROWS_MAX:
            continue
        heading = cell["column"] or ""
        if heading and heading not in columns:
            columns.append(heading)
        rows.setdefault(place, {}).setdefault(heading, []).append(cell)
    return {
        "columns": _in_file_order(columns, run["columns"]),
        "rows": [
            {"sheet": sheet, "row": row, "cells": cells, "whole": cells.get("", [])}
            for (sheet, row), cells in sorted(rows.items())
        ],
        "sheets": any(sheet for sheet, _ in rows),
        "notes": run["notes"][:ROWS_MAX],
        "read": [c for c in run["columns"] if c["field"]],
        "aside": [c for c in run["columns"] if not c["field"]],
    }


def _in_file_order(columns: Sequence[str], read: Sequence[Mapping[str, Any]]) -> list[str]:
    order = {one["column"]: at for at, one in reversed(list(enumerate(read)))}
    return sorted(columns, key=lambda name: order.get(name, len(order)))


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
