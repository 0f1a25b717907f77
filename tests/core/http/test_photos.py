"""What a product looks like, and files shown with a document: whose, how large, how many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from photos import PLACE, jpeg, png

from dianku.doctor import examine
from dianku.http.routes.attachments import PHOTO_BYTES_MAX
from dianku.ledger.attached import FILES_MAX

Call = Callable[..., Any]
THROWN = {
    "kind": "write_off",
    "store": "S1",
    "policy": "permissive",
    "lines": [{"sku": "cake", "quantity": 1, "reason": "damaged"}],
}
NEVER = "0" * 64


def kept(call: Call, content: bytes, name: str = "a.jpg") -> str:
    answer = call("POST", "/attachments", files={"file": (name, content)})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def thrown(call: Call) -> str:
    answer = call("POST", "/documents", THROWN)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["number"])


def wrong(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.text
    return [(one["pointer"], one["code"]) for one in answer.json()["errors"]]


def test_photo_that_was_sent_with_its_place_is_kept_without(call: Call) -> None:
    photo = kept(call, jpeg(40, 30, up=6))
    found = call("GET", f"/attachments/{photo}", role="readonly")
    assert (found.status_code, found.headers["content-type"]) == (200, "image/jpeg")
    assert PLACE not in found.content


@pytest.mark.parametrize("content", [png(1, 1, said=(60_000, 60_000)), jpeg(9_000, 9_000)])
def test_bomb_is_refused_and_nothing_is_kept(call: Call, host: Any, content: bytes) -> None:
    answer = call("POST", "/attachments", files={"file": ("a.jpg", content)})
    assert wrong(answer) == [("/file", "too_many_pixels")]
    folder = host.config.data_dir / "attachments"
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_file_is_shown_with_its_document_by_whoever_handles_goods(call: Call) -> None:
    number, photo = thrown(call), kept(call, jpeg(40, 30))
    path = f"/documents/{number}/attachments"
    added = call("POST", path, {"attachment": photo}, role="clerk")
    again = call("POST", path, {"attachment": photo}, role="owner")
    assert (added.status_code, again.status_code) == (201, 201)
    assert again.json() == added.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in added.headers
    [shown] = call("GET", f"/documents/{number}").json()["attachments"]
    assert (shown["id"], shown["media_type"], shown["added_by"]) == (
        photo,
        "image/jpeg",
        "clerk token",
    )
    assert call("POST", path, {"attachment": photo}, role="readonly").status_code == 403
    assert call("POST", path, {"attachment": photo}, role="channel").status_code == 403


def test_document_of_another_store_takes_no_file_and_shows_none(call: Call) -> None:
    number, photo = thrown(call), kept(call, jpeg(40, 30))
    path = f"/documents/{number}/attachments"
    answer = call("POST", path, {"attachment": photo}, role="clerk", stores=["S2"])
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert call("GET", f"/documents/{number}").json()["attachments"] == []


@pytest.mark.parametrize("given", ["x", NEVER[:-1], NEVER.replace("0", "G"), "../" + NEVER, 5])
def test_what_is_no_id_of_a_file_is_refused(call: Call, given: Any) -> None:
    number = thrown(call)
    assert wrong(call("POST", f"/documents/{number}/attachments", {"attachment": given}))
    assert wrong(call("PATCH", "/products/cola", {"photo": given}))


def test_file_nobody_kept_is_unknown(call: Call) -> None:
    path = f"/documents/{thrown(call)}/attachments"
    assert wrong(call("POST", path, {"attachment": NEVER})) == [("/attachment", "unknown")]
    assert wrong(call("PATCH", "/products/cola", {"photo": NEVER})) == [("/photo", "unknown")]
    new = {"sku": "new", "name": "New", "unit": "pc", "photo": NEVER}
    assert wrong(call("POST", "/products", new)) == [("/photo", "unknown")]
    assert call("GET", "/products/new").status_code == 404


def test_document_takes_so_many_files_and_no_more(call: Call) -> None:
    path = f"/documents/{thrown(call)}/attachments"
    for n in range(FILES_MAX):
        assert call("POST", path, {"attachment": kept(call, png(n + 1, 1))}).is_success
    more = call("POST", path, {"attachment": kept(call, png(2, 9))})
    assert wrong(more) == [("/attachment", "too_many")]
    assert call("POST", path, {"attachment": kept(call, png(1, 1))}).is_success


def test_product_is_shown_with_its_photo_until_it_is_taken_away(call: Call) -> None:
    photo = kept(call, jpeg(400, 300))
    assert call("GET", "/products/cola").json()["photo"] is None
    assert call("PATCH", "/products/cola", {"photo": photo}, role="clerk").status_code == 403
    assert call("PATCH", "/products/cola", {"photo": photo}, role="manager").is_success
    assert call("PATCH", "/products/cola", {"name": "Cola"}).json()["photo"] == photo
    listed = {one["sku"]: one["photo"] for one in call("GET", "/products").json()["items"]}
    assert listed == {"cola": photo, "cake": None}
    assert call("PATCH", "/products/cola", {"photo": None}).json()["photo"] is None


def test_photo_too_large_for_a_list_is_kept_but_shows_no_product(call: Call) -> None:
    large = kept(call, jpeg(1001, 1000))
    heavy = kept(call, jpeg(10, 10)[:-2] + b"\x00" * PHOTO_BYTES_MAX + b"\xff\xd9")
    paper = kept(call, b"%PDF-1.4\n%%EOF\n")
    for photo, code in (
        (large, "too_many_pixels"),
        (heavy, "too_many_bytes"),
        (paper, "not_a_picture"),
    ):
        assert wrong(call("PATCH", "/products/cola", {"photo": photo})) == [("/photo", code)]


def test_doctor_names_pictures_whose_files_are_gone(call: Call, host: Any) -> None:
    of_goods, of_paper = kept(call, png(8, 8)), kept(call, jpeg(40, 30))
    assert call("PATCH", "/products/cola", {"photo": of_goods}).status_code == 200
    call("POST", f"/documents/{thrown(call)}/attachments", {"attachment": of_paper})

    def gone() -> list[str]:
        return [one.subject for one in examine(host) if "files are gone" in one.what.en]

    assert gone() == []
    for file in (host.config.data_dir / "attachments").rglob(f"{of_paper[:2]}*/*"):
        file.unlink()
    assert gone() == [of_paper[:12]]
