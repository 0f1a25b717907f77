from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dianku.catalog.requests import NewChannel, NewProduct, NewStore
from dianku.errors import Refused
from dianku.http.fields import ABSENT, WrongBody, decode_body
from dianku.ledger.requests import NewDocument


def _errors(body: bytes, kind: Any) -> dict[str, str]:
    with pytest.raises(Refused) as refused:
        decode_body(body, kind)
    assert refused.value.problem.code == "invalid"
    return {e.pointer: e.code for e in refused.value.problem.errors}


def test_every_wrong_field_is_named_at_once() -> None:
    body = b"""{"kind": "theft", "store": 5, "extra/x": 1, "partial": "yes",
        "occurred_at": "2026-03-01T10:00:00", "note": null,
        "lines": [{"sku": "", "quantity": "NaN"}, {"quantity": true, "of_line": 0},
                  {"made_on": "2026-13-01", "zz": {}}, 7]}"""
    assert _errors(body, NewDocument) == {
        "/kind": "not_one_of",
        "/store": "wrong_type",
        "/extra~1x": "unknown_field",
        "/partial": "wrong_type",
        "/occurred_at": "no_zone",
        "/lines/0/sku": "too_short",
        "/lines/0/quantity": "not_finite",
        "/lines/1/quantity": "wrong_type",
        "/lines/1/of_line": "too_small",
        "/lines/2/made_on": "not_a_date",
        "/lines/2/zz": "unknown_field",
        "/lines/3": "wrong_type",
    }


def test_missing_fields_are_all_named() -> None:
    assert _errors(b"{}", NewProduct) == {
        "/sku": "missing",
        "/name": "missing",
        "/unit": "missing",
    }
    assert _errors(b"[]", NewProduct) == {"": "wrong_type"}


def test_bounds_of_lists_and_texts_are_checked() -> None:
    product = b'{"sku":"%s","name":"a\\u0000b","unit":"pc","precision":4,"barcodes":[{}]}'
    assert _errors(product % (b"x" * 65), NewProduct) == {
        "/sku": "too_long",
        "/name": "pattern",
        "/precision": "too_large",
        "/barcodes/0/code": "missing",
    }


def test_whole_number_may_be_written_with_a_point() -> None:
    product = decode_body(b'{"sku":"a","name":"a","unit":"pc","precision":2.0}', NewProduct)
    assert product.precision == 2
    assert _errors(b'{"sku":"a","name":"a","unit":"pc","precision":2.5}', NewProduct) == {
        "/precision": "wrong_type"
    }


@pytest.mark.parametrize("written", ["1_000", "1\\u005f000", "1_0.5", "-_1", "1e1_0", "\\u0031_0"])
def test_number_as_programs_write_it_is_refused_and_a_code_of_that_form_is_not(
    written: str,
) -> None:
    line = f'{{"sku": "1_000", "quantity": "{written}", "unit_price": "5"}}'
    body = f'{{"kind": "receipt", "store": "S_1", "reference": "2_1", "lines": [{line}]}}'
    assert _errors(body.encode(), NewDocument) == {"/lines/0/quantity": "not_a_number"}
    sound = decode_body(
        body.replace(f'quantity": "{written}', 'quantity": "1000').encode(), NewDocument
    )
    assert (sound.lines[0].sku, str(sound.lines[0].quantity)) == ("1_000", "1000")


def test_number_keeps_every_digit() -> None:
    product = decode_body(
        b'{"sku":"a","name":"a","unit":"pc","price":0.1,"cost":12345678901234.5678}', NewProduct
    )
    assert (str(product.price), str(product.cost)) == ("0.1", "12345678901234.5678")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[" * 200_000, b'{"a":NaN}', b'{"a":"\\ud800"}', b"{}{}"]
)
def test_what_is_no_json_is_unreadable(body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        decode_body(body, NewProduct)
    assert refused.value.problem.code == "unreadable_body"


def test_huge_body_of_mistakes_gets_a_bounded_answer() -> None:
    body = b"{" + b",".join(b'"f%d":1' % i for i in range(5000)) + b"}"
    assert len(_errors(body, NewProduct)) <= 200


def test_what_is_sound_of_a_wrong_body_is_kept_in_its_place() -> None:
    body = b'{"kind": 1, "store": "S1", "lines": [7, {"sku": "a", "quantity": true}, {"sku": ""}]}'
    with pytest.raises(WrongBody) as wrong:
        decode_body(body, NewDocument)
    assert wrong.value.sound == {"store": "S1", "lines": [ABSENT, {"sku": "a"}, {}]}


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (NewProduct, {"sku": "a\n", "name": "a", "unit": "pc"}),
        (NewProduct, {"sku": "a", "name": "a\n", "unit": "pc"}),
        (NewProduct, {"sku": "a", "name": "a", "unit": "pc\n"}),
        (NewStore, {"code": "S1\n", "name": "One"}),
        (NewStore, {"code": "S1", "name": "One", "day_cutoff": "04:00\n"}),
        (NewChannel, {"name": "web\n"}),
        (NewDocument, {"kind": "issue", "store": "S1", "reference": "1\n", "lines": [{}]}),
        (NewDocument, {"kind": "issue", "store": "S1", "lines": [{"lot": "1\n"}]}),
    ],
)
def test_newline_at_the_end_of_a_word_is_refused(kind: Any, fields: dict[str, Any]) -> None:
    assert list(_errors(msgspec.json.encode(fields), kind).values()) == ["pattern"]
