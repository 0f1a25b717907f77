"""Real codes and published vectors; skipped with a reason where the shared data is absent."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

from dianku.catalog.codes import gtin_forms, has_check_digit, parse_gs1
from dianku.catalog.scan import candidates


def _rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_codes_of_real_shops_pass_or_fail_the_check_digit_as_recorded(shared_data: Path) -> None:
    folder = shared_data / "data" / "barcodes"
    facts = json.loads((folder / "facts.json").read_text())
    rows = _rows(folder / "cn_codes_with_names.csv.gz")
    sized = [row for row in rows if len(row["code"]) in {8, 12, 13, 14} and row["code"].isdigit()]
    good = [row for row in sized if has_check_digit(row["code"])]
    assert len(rows) == facts["rows"]
    assert len(good) == facts["gs1_check_ok"]
    assert len(sized) - len(good) == facts["gs1_check_bad(right length)"]
    assert all(gtin_forms(row["code"]) for row in good)
    assert all(row["code"] in candidates(row["code"], None) for row in rows)


def test_codes_of_real_shops_are_never_taken_for_gs1_strings(shared_data: Path) -> None:
    folder = shared_data / "data" / "barcodes"
    rows = _rows(folder / "cn_codes_with_names.csv.gz")
    shoes = _rows(folder / "shoes_code_article_size_half.csv.gz")
    assert [r["code"] for r in rows + shoes if parse_gs1(r["code"]) is not None] == []


def test_published_gs1_strings_that_name_goods_are_read_and_wrong_ones_are_not(
    shared_data: Path,
) -> None:
    path = shared_data / "data" / "gs1_vectors" / "bwipp_half.jsonl"
    vectors = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    strings = [v for v in vectors if v["encoder"] == "gs1process" and "(01)" in v["input"]]
    read = [v for v in strings if v["ok"] and parse_gs1(v["input"]) is not None]
    missed = [v["input"] for v in strings if v["ok"] and parse_gs1(v["input"]) is None]
    wrong_goods = [
        v["input"]
        for v in strings
        if v["error"] == "GS1badChecksum" and parse_gs1(v["input"]) is not None
    ]
    print(f"read {len(read)}, missed {len(missed)} of {len(strings)}: {missed[:20]}")
    assert wrong_goods == []
    assert len(read) > 0
    assert missed == []


def test_published_codes_are_judged_as_recorded(shared_data: Path) -> None:
    path = shared_data / "data" / "gs1_vectors" / "bwipp_half.jsonl"
    vectors = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    judged = [
        (v["input"], v["ok"])
        for v in vectors
        if v["encoder"] in {"ean13", "upca"} and (v["ok"] or "badCheckDigit" in v["error"])
    ]
    print(f"{len(judged)} judged")
    assert judged
    assert [(code, bool(gtin_forms(code))) for code, _ in judged] == judged
