"""Barcodes to print; that a reader reads them is shown in a browser by `test_goods`."""

from __future__ import annotations

import pytest

from dianku_console.barcodes import Bars, bars_of, code128


def modules(bars: Bars) -> str:
    """The bars as a row of 0 and 1."""
    row = ["0"] * bars.width
    for at, wide in bars.runs:
        row[at : at + wide] = "1" * wide
    return "".join(row)


def test_ean13_is_the_row_of_modules_of_the_standard() -> None:
    bars = bars_of("5901234123457")
    assert bars is not None
    assert (bars.kind, bars.text, bars.width, bars.quiet) == ("ean13", "5901234123457", 95, (11, 7))
    left = ["0001011", "0100111", "0110011", "0010011", "0111101", "0011101"]
    right = ["1100110", "1101100", "1000010", "1011100", "1001110", "1000100"]
    assert modules(bars) == f"101{''.join(left)}01010{''.join(right)}101"


def test_ean8_is_the_row_of_modules_of_the_standard() -> None:
    bars = bars_of("96385074")
    assert bars is not None
    assert (bars.kind, bars.width) == ("ean8", 67)
    left = ["0001011", "0101111", "0111101", "0110111"]
    right = ["1001110", "1110010", "1000100", "1011100"]
    assert modules(bars) == f"101{''.join(left)}01010{''.join(right)}101"


def test_twelve_digits_are_thirteen_with_a_nought_before() -> None:
    short, long = bars_of("036000291452"), bars_of("0036000291452")
    assert short is not None
    assert short == long


@pytest.mark.parametrize("code", ["5901234123458", "AL085", "12345", "a b~", "1", "A1234567890"])
def test_what_is_no_ean_is_code_128(code: str) -> None:
    bars = bars_of(code)
    assert bars is not None
    assert (bars.kind, bars.text) == ("code128", code)


@pytest.mark.parametrize("code", ["", "啤酒", "tab\t", "x" * 49])
def test_what_no_reader_would_read_has_no_bars(code: str) -> None:
    assert bars_of(code) is None


def test_code_128_checks_itself_and_ends_with_the_stop_sign() -> None:
    # Start B and seven signs, whose check sign is 55: "211331 ..." as the standard's table has it.
    bars = code128("PJJ123C")
    row = modules(bars)
    assert bars.width == 11 * 9 + 13
    assert row.startswith("11010010000")
    assert row.endswith("1100011101011")
    assert row[-24:-13] == "11101000110"


def test_digits_go_in_pairs_where_that_is_shorter() -> None:
    assert code128("12345678").width == 11 * 6 + 13
    assert code128("ABCD").width == 11 * 6 + 13
    assert code128("AB123456").width == 11 * 8 + 13
