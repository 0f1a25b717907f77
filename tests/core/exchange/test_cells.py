"""Cells: what was meant by what was typed, or a reason why it cannot be known."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dianku.catalog.codes import check_digit
from dianku.exchange.barcodes import codes_of
from dianku.exchange.cells import (
    CellRefused,
    code_of,
    date_of,
    days_of,
    moment_of,
    number_of,
    text_of,
    truth_of,
)
from dianku.exchange.lists import join_components, join_packs, split_components, split_packs

numbers = st.decimals(min_value=0, max_value=10**9, places=2, allow_nan=False)
codes = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20).filter(
    lambda code: code == code.strip() and not code.isspace()
)


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        ("1,204.50", "1204.50"),
        ("￥12.5", "12.5"),
        ("12.50元", "12.50"),
        ("１２．５", "12.5"),
        ("24.62%", "0.2462"),
        ("(5.00)", "-5.00"),
        ("−3", "-3"),
        (" 7 ", "7"),
        ("1,2345", "12345"),
        (55.0, "55"),
        (0.1 + 0.2, "0.3"),
        ("1e3", "1E+3"),
        ("-", None),
        ("暂无", None),
        ("", None),
        (None, None),
    ],
)
def test_number_as_people_write_it_is_read_exactly(raw: Any, meant: str | None) -> None:
    assert number_of(raw) == (None if meant is None else Decimal(meant))


@pytest.mark.parametrize(
    "raw", ["abc", "1,23", "1.2.3", "12瓶", "=1+1", float("nan"), "1O", "--5", True]
)
def test_number_that_is_none_is_refused(raw: Any) -> None:
    with pytest.raises(CellRefused, match="not_a_number"):
        number_of(raw)


@given(numbers)
def test_number_however_dressed_is_the_same(number: Decimal) -> None:
    full_width = str(number).translate({ord("0") + i: ord("０") + i for i in range(10)})
    for dressed in (f"{number:,}", f"¥{number}", f"{number} 元", f" {number}\u3000", full_width):
        assert number_of(dressed) == number
    assert number_of(f"-{number}") == -number
    assert number_of(f"{number}%") == number / 100


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    try:
        found = number_of(text)
    except CellRefused:
        return
    assert found is None or found.is_finite()


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (6901234567892.0, "6901234567892"),
        ("6901234567892.0", "6901234567892"),
        ("6.901234567892E+12", "6901234567892"),
        ("００１２", "0012"),
        ("1.0", "1.0"),
        ("A-01/3", "A-01/3"),
    ],
)
def test_code_is_kept_without_what_a_spreadsheet_added(raw: Any, code: str) -> None:
    assert code_of(raw) == code


@pytest.mark.parametrize("raw", ["6.90E+12", "6.9e12", 12345678901234567.0])
def test_code_with_figures_lost_is_refused(raw: Any) -> None:
    with pytest.raises(CellRefused, match="figures_lost"):
        code_of(raw)


@given(st.integers(min_value=10**9, max_value=10**10 - 1))
def test_barcode_that_lost_its_zero_is_mended_when_the_check_digit_proves_it(stem: int) -> None:
    payload = f"{stem}"
    whole = f"0{payload}{check_digit(f'0{payload}')}"
    assert codes_of(float(whole), mend_text=False).codes == (whole,)
    assert codes_of(whole[1:], mend_text=True).codes == (whole,)
    assert codes_of(whole[1:], mend_text=False).codes == (whole[1:],)
    wrong = whole[1:-1] + str((int(whole[-1]) + 1) % 10)
    assert codes_of(float(wrong), mend_text=True).codes == (wrong,)


def test_barcodes_joined_in_one_cell_are_several() -> None:
    one, two = "6901234567892", "6922255466476"
    for cell in (f"{one},{two}", f"{one}，{two}", f"{one}/{two}", f"{one} {two}", one + two):
        assert codes_of(cell, mend_text=False).codes == (one, two)
    joined = ",".join(f"69012345{i:05}" for i in range(12))
    assert len(joined) == 167
    assert len(codes_of(joined, mend_text=False).codes) == 12
    assert codes_of("6 901234 567892", mend_text=False).codes == (one,)
    with pytest.raises(CellRefused, match="too_long"):
        codes_of("x" * 129, mend_text=False)


@given(
    st.lists(
        st.tuples(
            codes,
            st.integers(min_value=1, max_value=1000),
            st.one_of(st.none(), numbers.map(lambda n: f"{n:.2f}")),
        ),
        max_size=5,
    )
)
def test_packs_written_and_read_are_the_same(packs: list[tuple[str, int, str | None]]) -> None:
    found = split_packs(join_packs(packs))
    assert [(c, f, None if p is None else f"{p:.2f}") for c, f, p in found] == packs


@given(st.lists(st.tuples(codes, numbers.map(lambda n: f"{n:.2f}")), max_size=5))
def test_components_written_and_read_are_the_same(parts: list[tuple[str, str]]) -> None:
    found = split_components(join_components(parts))
    assert [(sku, f"{quantity:.2f}") for sku, quantity in found] == parts


def test_dates_of_every_make_are_read() -> None:
    day = date(2026, 3, 1)
    for raw in (
        "2026-03-01",
        "2026/3/1",
        "2026年3月1日",
        "20260301",
        "2026.3.1",
        20260301.0,
        46082.0,
    ):
        assert date_of(raw) == day
    assert date_of(datetime(2026, 3, 1, 5, tzinfo=UTC)) == day
    moment = moment_of("2026-03-01 10:05", zone="Asia/Shanghai")
    assert moment == datetime(2026, 3, 1, 2, 5, tzinfo=UTC)
    assert moment_of("2026-03-01T02:05:00Z", zone="Asia/Shanghai") == moment
    for raw in ("2026-02-30", "yesterday", 7.0):
        with pytest.raises(CellRefused, match="not_a_date"):
            date_of(raw)


def test_spans_and_truths_and_texts_are_read() -> None:
    assert [days_of(raw) for raw in ("180天", "12个月", "2年", 90.0, "")] == [
        180,
        360,
        730,
        90,
        None,
    ]
    assert [truth_of(raw) for raw in ("是", "否", 1.0, True, "")] == [True, False, True, True, None]
    assert text_of("\ufeff a\nb\u3000") == "a b"
