"""Tables, records and JSON as a terminal shows them."""

from __future__ import annotations

import json

import pytest

from dianku_cli.output import Column, cell, progress, width, write_json, write_record, write_table


@pytest.mark.parametrize(
    ("text", "cells"), [("", 0), ("cola", 4), ("可乐", 4), ("é", 1), ("（）", 4), ("ﾊ", 1)]
)
def test_width_counts_what_a_terminal_shows(text: str, cells: int) -> None:
    assert width(text) == cells


def test_table_with_chinese_names_aligns_every_column(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        {"sku": "a", "name": "可乐", "on_hand": "3"},
        {"sku": "bcd", "name": "Tea", "on_hand": "120"},
    ]
    write_table(
        rows, [Column("sku", "SKU"), Column("name", "商品"), Column("on_hand", "现存", True)]
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["SKU  商品  现存", "a    可乐     3", "bcd  Tea    120"]
    assert len({width(line) for line in lines}) == 1


def test_table_without_rows_shows_its_headings(capsys: pytest.CaptureFixture[str]) -> None:
    write_table([], [Column("sku", "SKU"), Column("name", "Name")])
    assert capsys.readouterr().out == "SKU  Name\n"


def test_json_keeps_chinese_readable(capsys: pytest.CaptureFixture[str]) -> None:
    write_json({"name": "可乐", "stores": ("a",)})
    printed = capsys.readouterr().out
    assert "可乐" in printed
    assert json.loads(printed) == {"name": "可乐", "stores": ["a"]}


def test_record_puts_values_under_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    write_record([("店", "main"), ("name", None)])
    assert capsys.readouterr().out == "店    main\nname\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (True, "✓"), (False, "-"), (["a", "b"], "a, b"), ("two\nlines", "two lines")],
)
def test_cell_is_one_line(value: object, text: str) -> None:
    assert cell(value) == text


def test_progress_without_a_terminal_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("Working") as advance:
        advance(1, 2)
        advance(2, 2)
    shown = capsys.readouterr()
    assert shown.out == shown.err == ""
