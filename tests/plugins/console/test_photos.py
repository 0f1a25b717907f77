"""Photos of products and of what is written off: drawn small, kept without their place."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from browser import Kind, Served, Visit, axe_serious, until, visit
from job_steps import begin, counted, last, scan
from photos import PLACE, png, with_exif
from playwright.sync_api import Browser, FilePayload, Page, expect
from scan_goods import PLAIN, SHARED

BEER = "AL085"
STEPS_MOST = 5
ODD_SIDES = ((640, 640), (1000, 40), (40, 1000), (1, 1))
_JPEG = """([width, height]) => {
  const canvas = Object.assign(document.createElement("canvas"), {width, height});
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#e8d9b0"; pen.fillRect(0, 0, width, height);
  pen.fillStyle = "#c33"; pen.fillRect(width / 4, height / 6, width / 2, height * 2 / 3);
  pen.fillStyle = "#fff"; pen.fillRect(width / 3, height / 3, width / 3, height / 5);
  return canvas.toDataURL("image/jpeg").split(",")[1];
}"""
_SHOWN = """async (id) => {
  const answer = await fetch(`/api/v1/attachments/${id}`);
  const picture = await createImageBitmap(await answer.blob(), {imageOrientation: "from-image"});
  return [picture.width, picture.height];
}"""


def taken(page: Page, width: int, height: int, *, up: int = 6) -> FilePayload:
    """A photo as a phone takes it: lying on its side, with its place beside it."""
    drawn = base64.b64decode(page.evaluate(_JPEG, [width, height]))
    photo = with_exif(drawn, up=up)
    assert PLACE in photo
    return {"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": photo}


def pick(page: Page, photo: FilePayload) -> None:
    page.locator("[data-photo-file]").set_input_files(photo)


def call(served: Served, method: str, path: str, body: Any = None) -> Any:
    return served.server.call(method, path, body=body, token=served.token)


def keep(one: Visit, served: Served, content: bytes) -> str:
    answer = one.page.request.post(
        f"{served.server.url}/api/v1/attachments",
        headers={"Authorization": f"Bearer {served.token}"},
        multipart={"file": {"name": "a.png", "mimeType": "image/png", "buffer": content}},
    )
    return str(answer.json()["id"])


def test_write_off_with_a_photo_is_one_step_more_and_shows_it_with_the_document(
    goods: Served, browser: Browser
) -> None:
    with visit(browser, goods.server, who="clerk") as one:
        page = one.open("/console/")
        begin(page, "/console/write-off")
        scan(page, BEER)
        page.locator("[data-head='reason'][value='damaged']").check(force=True)
        pick(page, taken(page, 2400, 1200))
        expect(page.locator("[data-photo-list] img")).to_have_count(1)
        one.shot("photos-write-off")
        photo, button = 1, 1  # a file that a test hands in is no person's doing to the page
        assert len(counted(page, "write off with a photo")) + photo + button <= STEPS_MOST
        page.reload()  # what was taken is not lost with the page
        expect(page.locator("[data-photo-list] img")).to_have_count(1)
        with page.expect_response(re.compile("/documents/.*/attachments$")):
            page.locator("[data-post]").click()
        expect(page.locator("[data-last]")).to_be_visible()
        gone = last(goods, "write_off")
        shown = call(goods, "GET", f"/documents/{gone['number']}")["attachments"]
        assert [(each["media_type"], each["added_by"]) for each in shown] == [
            ("image/jpeg", "clerk")
        ]
        assert page.evaluate(_SHOWN, shown[0]["id"]) == [800, 1600]
        page.locator("[data-last]").click()
        page.locator(".photo-one").click()
        expect(page.locator("dialog img")).to_be_visible()
        one.shot("photos-large")
        page.keyboard.press("Escape")
        pick(page, taken(page, 300, 200, up=1))
        expect(page.locator(".photo-one")).to_have_count(2)
        one.shot("photos-document")
        assert axe_serious(page) == []


def test_product_is_given_a_photo_that_the_list_shows_and_it_is_taken_back(
    goods: Served, browser: Browser
) -> None:
    with visit(browser, goods.server, who="manager") as one:
        page = one.open(f"/console/goods/{BEER}")
        page.locator(".goods-photo[data-ready]").wait_for()
        pick(page, taken(page, 900, 600))
        expect(page.locator(".goods-photo img")).to_be_visible()
        expect(page.locator(".toast")).to_contain_text("照片已换好")
        one.shot("photos-product")
        photo = call(goods, "GET", f"/products/{BEER}")["photo"]
        assert page.evaluate(_SHOWN, photo) == [427, 640]
        page = one.open("/console/goods?q=dspj")
        expect(page.locator("img.thumbnail")).to_have_count(1)
        one.shot("photos-list")
        assert axe_serious(page) == []
        page.locator("#goods-rows a").first.click()
        page.locator(".goods-photo[data-ready]").wait_for()
        page.locator("[data-photo-large]").click()
        page.locator("dialog button", has_text="拿掉照片").click()
        expect(page.locator(".goods-photo .photo-pick")).to_be_visible()
        page.locator(".toast button").click()
        expect(page.locator(".goods-photo img")).to_be_visible()
        assert call(goods, "GET", f"/products/{BEER}")["photo"] == photo


@pytest.mark.long("browser-full")
def test_photo_that_cannot_be_kept_does_not_hold_up_the_write_off(
    goods: Served, browser: Browser
) -> None:
    with visit(browser, goods.server, who="clerk") as one:
        page = one.open("/console/")
        begin(page, "/console/write-off")
        scan(page, BEER)
        pick(page, {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"})
        expect(page.locator(".toast.warn")).to_contain_text("打不开")
        photo = taken(page, 300, 200)
        page.route("**/api/v1/attachments", lambda route: route.abort())
        pick(page, photo)
        expect(page.locator(".toast.warn", has_text="没有网络")).to_be_visible()
        page.unroute("**/api/v1/attachments")
        pick(page, photo)
        expect(page.locator("[data-photo-list] img")).to_have_count(1)
        page.route("**/api/v1/documents/*/attachments", lambda route: route.abort())
        page.locator("[data-head='reason'][value='damaged']").check(force=True)
        page.locator("[data-post]").click()
        again = page.locator(".toast", has_text="没能加上")
        expect(again).to_be_visible()
        number = last(goods, "write_off")["number"]
        assert call(goods, "GET", f"/documents/{number}")["attachments"] == []
        page.unroute("**/api/v1/documents/*/attachments")
        with page.expect_response(re.compile("/documents/.*/attachments$")):
            again.locator("button").click()
        assert len(call(goods, "GET", f"/documents/{number}")["attachments"]) == 1
        one.complaints[:] = [c for c in one.complaints if "ERR_FAILED" not in c]


@pytest.mark.long("browser-full")
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_list_of_fifty_with_photos_of_every_shape_keeps_its_rows(
    goods: Served, browser: Browser, language: str
) -> None:
    with visit(browser, goods.server) as nobody:
        made = [keep(nobody, goods, png(*sides)) for sides in ODD_SIDES]
    listed = call(goods, "GET", "/products?limit=60")["items"]
    for n, product in enumerate(listed[:40]):
        call(goods, "PATCH", f"/products/{product['sku']}", {"photo": made[n % len(made)]})
    kinds: tuple[Kind, ...] = ("phone", "desktop")
    for kind in kinds:
        with visit(browser, goods.server, who="manager", kind=kind, language=language) as one:
            page = one.open("/console/goods")
            expect(page.locator("img.thumbnail").first).to_be_visible()
            boxes = page.locator(".thumbnail").evaluate_all(
                "all => [...new Set(all.map((one) => `${one.offsetWidth}x${one.offsetHeight}`))]"
            )
            assert boxes == ["48x48"]
            one.shot(f"photos-fifty-{kind}-{language}")


def test_keys_a_scan_and_a_choice_show_the_photos_of_goods(goods: Served, browser: Browser) -> None:
    sold = [one["sku"] for one in call(goods, "GET", "/products?limit=9&sort=name")["items"]]
    shown = [BEER, "TWIN-A", "TWIN-B", *sold[:4]]
    with visit(browser, goods.server, who="clerk") as one:
        photos = [keep(one, goods, png(*sides)) for sides in ODD_SIDES]
        for at, sku in enumerate(shown[:6]):
            call(goods, "PATCH", f"/products/{sku}", {"photo": photos[at % len(photos)]})
        keys = [{"sku": sku, "colour": at % 3} for at, sku in enumerate(shown)]
        call(goods, "PUT", "/quick-keys", {"store": None, "keys": keys})
        page = one.open("/console/sell")
        expect(page.locator(".key .thumbnail")).to_have_count(6)
        one.shot("photos-keys")
        assert axe_serious(page) == []
        scan(page, SHARED)
        expect(page.locator("dialog .thumbnail")).to_have_count(2)
        one.shot("photos-choice")
        page.locator("dialog button", has_text="礼盒").click()
        expect(page.locator(".line b")).to_have_text("茉莉花茶礼盒")
        page = one.open("/console/")
        scan(page, PLAIN)
        expect(page.locator("dialog .thumbnail")).to_have_count(1)
        until(page, "document.querySelector('dialog .thumbnail').naturalWidth > 0")
        one.shot("photos-scan")
    call(goods, "PUT", "/quick-keys", {"store": None, "keys": []})


def test_clerk_sees_a_photo_and_has_no_way_to_change_it(goods: Served, browser: Browser) -> None:
    with visit(browser, goods.server, who="clerk", kind="desktop", language="en") as one:
        page = one.open(f"/console/goods/{BEER}")
        expect(page.locator(".goods-name")).to_be_visible()
        assert page.locator("[data-photo-file]").count() == 0
        one.shot("photos-clerk")
