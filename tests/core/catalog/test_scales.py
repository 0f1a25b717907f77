from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dianku.catalog.codes import check_digit
from dianku.catalog.scales import ScaleLabel, read_label, weight_in_steps

TEMPLATES = [
    "FFWWWWWEEEEEC",
    "FFWWWWWNNNNNC",
    "FWWWWWWEEEEEC",
    "FWWWWWWNNNNNC",
    "FFWWWWWEEEEENNNNNC",
    "FFWWWWWNNNNNEEEEEC",
    "FWWWWWWEEEEENNNNNC",
]


@given(
    st.sampled_from(TEMPLATES), st.integers(0, 99999), st.integers(0, 99999), st.integers(0, 99999)
)
def test_label_of_any_template_reads_what_was_printed(
    template: str, item: int, amount: int, measure: int
) -> None:
    flag = "21"[: template.count("F")]
    code = f"{item:0{template.count('W')}d}"
    text = template.replace("F" * len(flag), flag, 1).replace("W" * len(code), code, 1)
    text = text.replace("EEEEE", f"{amount:05d}").replace("NNNNN", f"{measure:05d}")
    label = text[:-1] + check_digit(text[:-1])
    (read,) = read_label(label, [(flag, template)])
    assert read.amount == (amount if "E" in template else None)
    assert read.measure == (measure if "N" in template else None)
    assert read.items[0] == code
    assert str(item) in read.items
    assert flag + code in read.items


def test_label_of_eighteen_digits_reads_amount_and_weight() -> None:
    assert read_label("211234500123005203", [("21", "FFWWWWWEEEEENNNNNC")]) == (
        ScaleLabel(items=("12345", "2112345"), amount=123, measure=520),
    )


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("2112345012354", "check digit"),
        ("2212345012353", "prefix"),
        ("211234501235", "length"),
        ("21123450123x3", "not a number"),
    ],
)
def test_label_that_does_not_fit_is_none(code: str, why: str) -> None:
    assert read_label(code, [("21", "FFWWWWWEEEEEC")]) == (), why


def test_label_goes_by_the_longest_prefix() -> None:
    templates = [("2", "FWWWWWWNNNNNC"), ("21", "FFWWWWWEEEEEC")]
    (label,) = read_label("2112345012353", templates)
    assert (label.amount, label.measure) == (1235, None)


@pytest.mark.parametrize(
    ("unit", "precision", "steps"),
    [
        ("kg", 3, 414),
        ("公斤", 2, 41),
        ("斤", 3, 828),
        ("克", 0, 414),
        ("盒", 3, 414),
        ("个", 0, None),
        ("kg", 0, 0),
    ],
)
def test_weight_of_414_g_in_a_unit_is_its_steps(
    unit: str, precision: int, steps: int | None
) -> None:
    assert weight_in_steps(414_000, unit=unit, precision=precision) == steps
