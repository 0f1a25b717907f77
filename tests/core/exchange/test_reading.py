"""Files: their format by content, their limits, and what is said of broken ones."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest

from dianku.errors import Refused
from dianku.exchange.layout import find_tables
from dianku.exchange.reading import Limits, read_workbook

TEXT = "编码,名称\r\nA,可乐\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_of_any_usual_encoding_is_read(encoding: str) -> None:
    book = read_workbook(TEXT.encode(encoding))
    assert [list(row) for row in book.sheets[0].rows] == [["编码", "名称"], ["A", "可乐"]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_of_any_usual_delimiter_is_read(delimiter: str) -> None:
    text = f'a{delimiter}b\n"1,5"{delimiter}"x\ny"\n'
    assert list(read_workbook(text.encode()).sheets[0].rows[1]) == ["1,5", "x\ny"]


def test_format_is_told_by_content(as_xlsx: Callable[..., bytes]) -> None:
    assert read_workbook(as_xlsx([["a", "b"]])).format == "xlsx"
    assert read_workbook(b"a,b\n1,2\n").format == "csv"


def _bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 20_000_000)
    return buffer.getvalue()


def _sparse() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        cell = '<c r="XFD1048576" t="n"><v>1</v></c>'
        archive.writestr("xl/worksheets/sheet1.xml", f"<sheetData><row>{cell}</row></sheetData>")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "limits", "what"),
    [
        (_bomb(), Limits(unpacked_bytes=10_000_000), "unpacked_bytes"),
        (_sparse(), Limits(), "rows"),
        (b"a,b\n" * 100, Limits(rows=50), "rows"),
        (b"a,b\n" * 100, Limits(cells=50), "cells"),
        (b"a,b\n" * 100, Limits(file_bytes=50), "bytes"),
        (b"," * 2000, Limits(), "columns"),
    ],
)
def test_file_beyond_a_limit_is_refused_with_the_limit(
    content: bytes, limits: Limits, what: str
) -> None:
    with pytest.raises(Refused) as refused:
        read_workbook(content, limits=limits)
    assert refused.value.problem.code == "file_too_large"
    assert refused.value.problem.params["what"] == what


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"PK\x03\x04 not a zip", "broken"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, "broken"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "format"),
        (b'<?xml version="1.0"?><Workbook><Worksheet/></Workbook>', "format"),
        (b"\xff\xff\xff\xff", "encoding"),
    ],
)
def test_file_that_is_no_table_is_refused_with_a_reason(content: bytes, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        read_workbook(content)
    assert refused.value.problem.code == "file_unreadable"
    assert refused.value.problem.params["reason"] == reason


@pytest.mark.parametrize(
    "text",
    [
        '条码,名称\n1,可乐\n2,"雪碧\n3,芬达\n',
        '条码,名称\n1,可乐\n2,"雪碧\n3,12"电视\n',
    ],
    ids=["open_to_the_end", "closed_by_another"],
)
def test_quote_that_would_swallow_rows_is_refused_with_its_row(text: str) -> None:
    with pytest.raises(Refused) as refused:
        read_workbook(text.encode())
    assert refused.value.problem.code == "file_unreadable"
    assert dict(refused.value.problem.params) == {"reason": "quote", "row": 3}


def test_quotes_within_a_line_are_read_as_they_stand() -> None:
    book = read_workbook('名称,售价\n12"电视,999\n"可 ""大"" 乐",3\n'.encode())
    assert [row[0] for row in book.sheets[0].rows] == ["名称", '12"电视', '可 "大" 乐']


PAGE = """<html xmlns:x="urn:schemas-microsoft-com:office:excel"><head><meta charset="gb2312">
<style>td {mso-number-format:"\\@"}</style></head><body><table border=1>
<tr><th colspan=3>某某超市 &amp; 分店</th></tr>
<tr><th>名称</th><th>条码</th><th>售价</th></tr>
<tr><td rowspan=2>可<br>乐</td><td x:str>0690123456789<td>3.50
<tr><td>0690123456796</td><td>&yen;4.00</td></tr>
</table></body></html>"""


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_web_page_under_the_name_of_a_spreadsheet_is_read(encoding: str) -> None:
    (sheet,) = read_workbook(PAGE.encode(encoding)).sheets
    assert [list(row) for row in sheet.rows] == [
        ["某某超市 & 分店", "", ""],
        ["名称", "条码", "售价"],
        ["可\n乐", "0690123456789", "3.50"],
        ["", "0690123456796", "¥4.00"],
    ]


def test_web_page_of_more_cells_than_there_is_room_for_is_refused() -> None:
    page = "<table>" + "<tr><td colspan=1000>x</td></tr>" * 50 + "</table>"
    with pytest.raises(Refused) as refused:
        read_workbook(page.encode(), limits=Limits(cells=40_000))
    assert refused.value.problem.params["what"] == "cells"


def test_csv_that_speaks_of_a_table_is_no_page() -> None:
    assert read_workbook("名称,备注\n桌,<table>\n".encode()).format == "csv"


def test_cut_off_workbook_is_refused(as_xlsx: Callable[..., bytes]) -> None:
    with pytest.raises(Refused):
        read_workbook(as_xlsx([["a", "b"]])[:-40])


def test_headings_below_titles_and_groups_are_found_and_notes_are_no_data(
    as_xlsx: Callable[..., bytes],
) -> None:
    rows = [
        ["某某超市商品资料导入模板"],
        [],
        ["基本信息", "", "价格", ""],
        ["*商品编码", "商品名称(必填)", "零售价", "进货价"],
        ["必填，不可重复", "必填，最多50字", "选填", "选填"],
        ["示例", "可口可乐", 3.0, 2.0],
        ["A", "可乐", 3.5, 2.2],
        ["合计", "", 3.5, ""],
    ]
    (table,) = find_tables(read_workbook(as_xlsx([], rows)), kind="products")
    assert {f: c.index for f, c in table.by_field.items()} == {
        "sku": 0,
        "name": 1,
        "price": 2,
        "cost": 3,
    }
    assert [number for number, _ in table.rows()] == [7]


def test_columns_are_known_by_what_they_hold(as_xlsx: Callable[..., bytes]) -> None:
    codes = ["6901234567892", "6922255466476", "6978410500134"]
    rows = [
        ["名称", "价格", "零售价", ""],
        *([f"货{i}", "面议", 2.0, c] for i, c in enumerate(codes)),
    ]
    (table,) = find_tables(read_workbook(as_xlsx(rows)), kind="products")
    assert {f: c.index for f, c in table.by_field.items()} == {"name": 0, "price": 2, "barcode": 3}


def test_sheets_of_the_same_columns_are_all_read(as_xlsx: Callable[..., bytes]) -> None:
    sheet = [["编码", "名称"], ["A", "茶"]]
    book = read_workbook(as_xlsx(sheet, [["填写说明"], ["请按格式填写"]], sheet))
    assert [t.sheet.name for t in find_tables(book, kind="products")] == ["Sheet1", "Sheet3"]


def test_file_without_known_columns_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        find_tables(read_workbook(b"x,y\n1,2\n"), kind="products")
    assert refused.value.problem.code == "columns_not_found"
