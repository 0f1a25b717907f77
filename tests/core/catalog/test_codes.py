from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dianku.catalog.codes import (
    check_digit,
    gtin_forms,
    has_check_digit,
    parse_gs1,
    strip_symbology,
)

payloads = st.text("0123456789", min_size=1, max_size=17)


@given(payloads)
def test_check_digit_of_any_number_makes_the_weighted_sum_a_multiple_of_ten(payload: str) -> None:
    code = payload + check_digit(payload)
    weights = [3 if i % 2 else 1 for i in range(len(code))]
    assert sum(int(d) * w for d, w in zip(reversed(code), weights, strict=True)) % 10 == 0
    assert has_check_digit(code)


@given(payloads, st.data())
def test_check_digit_with_one_digit_changed_is_refused(payload: str, data: st.DataObject) -> None:
    code = payload + check_digit(payload)
    at = data.draw(st.integers(0, len(code) - 1))
    other = data.draw(st.sampled_from([d for d in "0123456789" if d != code[at]]))
    assert not has_check_digit(code[:at] + other + code[at + 1 :])


@pytest.mark.parametrize("code", ["", "5", "12a4", "６９２", "٣٣", "6921168509256x"])
def test_check_digit_of_what_is_no_ascii_number_is_refused(code: str) -> None:
    assert not has_check_digit(code)


@given(st.text("0123456789", min_size=7, max_size=13).filter(lambda t: len(t) in {7, 11, 12, 13}))
def test_gtin_forms_of_any_form_are_the_same_set(payload: str) -> None:
    code = payload + check_digit(payload)
    forms = gtin_forms(code)
    assert forms[0] == code
    assert len({form.zfill(14) for form in forms}) == 1
    for form in forms:
        assert set(gtin_forms(form)) == set(forms)


def test_gtin_forms_of_upc_include_ean_with_zero_and_gtin_14() -> None:
    assert gtin_forms("012345678905") == ("012345678905", "0012345678905", "00012345678905")


def test_gtin_forms_of_a_carton_do_not_include_the_piece() -> None:
    carton = "1692116850925" + check_digit("1692116850925")
    assert gtin_forms(carton) == (carton,)


def test_gtin_forms_with_a_wrong_check_digit_are_none() -> None:
    assert gtin_forms("6921168509257") == ()
    assert gtin_forms("6921168509256") != ()


@pytest.mark.parametrize(
    "code",
    [
        "]C10106921168509256172601001012ABC",
        "0106921168509256172601001012ABC",
        "(01)06921168509256(17)260100(10)12ABC",
        "\x1d0106921168509256172601001012ABC",
        "]d20106921168509256172601001012ABC",
    ],
)
def test_gs1_string_in_any_dress_gives_gtin_and_expiry(code: str) -> None:
    data = parse_gs1(code)
    assert data is not None
    assert data.gtin == "06921168509256"
    assert data.expires_on == 20484  # 2026-01-31: day 00 is the last of the month


def test_gs1_string_with_separators_gives_lot_counts_and_dates() -> None:
    data = parse_gs1("010692116850925610LOT-7\x1d11250901152608003712\x1d")
    assert data is not None
    assert (data.lot, data.pack_count) == ("LOT-7", 12)
    assert (data.made_on, data.expires_on) == (20332, 20696)


def test_gs1_expiry_wins_over_best_before() -> None:
    data = parse_gs1("(01)06921168509256(15)260201(17)260301")
    assert data is not None
    assert data.expires_on == 20513


def test_gs1_weight_and_price_are_exact_integers() -> None:
    data = parse_gs1("(01)06921168509256(3103)000414(3922)1235")
    assert data is not None
    assert (data.weight_mg, data.amount) == (414_000, 1235)


@pytest.mark.parametrize(
    "code",
    [
        "211234500123005203",  # a scale's label: biip says AI 21, serial number
        "2112345012346",
        "6921168509257",
        "0106921168509257",  # wrong check digit behind AI 01
        "(01)06921168509256(17)26010099",  # more than the AI holds
        "(01)0692116850925",
        "(21)123",
        "]C121ABC",
        "(99",
        "01",
        "",
        "]C1",
        "https://example.com/",
        "10ABC\x1d",
    ],
)
def test_gs1_of_what_names_no_goods_is_none(code: str) -> None:
    assert parse_gs1(code) is None


@given(st.text(max_size=40))
def test_gs1_of_any_text_never_raises(code: str) -> None:
    parse_gs1(code)


@pytest.mark.parametrize(
    "code",
    ["(01)06921168509256(8030)12==(10)L1", "]C1010692116850925689999=\x1d10L1"],
)
def test_gs1_string_with_an_element_nobody_knows_gives_the_others(code: str) -> None:
    data = parse_gs1(code)
    assert data is not None
    assert (data.gtin, data.lot) == ("06921168509256", "L1")


def test_gs1_string_with_an_impossible_date_is_none() -> None:
    assert parse_gs1("(01)06921168509256(17)261341") is None
    assert parse_gs1("]C1010692116850925617261341") is None


def test_gs1_digital_link_gives_gtin_and_lot() -> None:
    data = parse_gs1("https://id.gs1.org/01/06921168509256/10/L1?17=260301")
    assert data is not None
    assert (data.gtin, data.lot, data.expires_on) == ("06921168509256", "L1", 20513)


def test_symbology_identifier_is_taken_off() -> None:
    assert strip_symbology("]E06921168509256") == "6921168509256"
    assert strip_symbology("6921168509256") == "6921168509256"
