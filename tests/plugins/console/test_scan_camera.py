"""The camera reads real photos that Chromium's camera plays; what it cannot do is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from browser import Served, Visit, beside, until, visit
from camera_film import (
    FRAMES,
    MARK_FRAMES,
    Photo,
    attributed,
    camera_flags,
    film,
    photos,
    same,
    still,
)
from playwright.sync_api import Browser, Page, expect

SAMPLE = (
    "zxcpp-ean13-1/10.webp",
    "zxcpp-ean8-1/4.webp",
    "zxcpp-upca-1/2.webp",
    "zxcpp-upce-1/2.png",
    "zxcpp-code128-1/2.webp",
    "zxcpp-itf-1/1.webp",
    "zxcpp-qrcode-1/1.webp",
)
PER_FILM = 40
LISTEN = """async () => {
  const main = document.querySelector('script[src$="js/main.js"]').src;
  const { onScan } = await import(main.replace("main.js", "scan/scan.js"));
  window.read = [];
  onScan((code, { source }) => { if (source === "camera") window.read.push(code); return true; });
  // Asked which of several it is, a person looks at them and goes on.
  new MutationObserver(() => {
    const asked = document.querySelectorAll(".camera-choices:not([hidden]) .button");
    if (!asked.length) return;
    window.read.push(...[...asked].slice(0, -1).map((one) => one.textContent));
    asked[asked.length - 1].click();
  }).observe(document.body, { subtree: true, attributes: true, attributeFilter: ["hidden"] });
}"""


def at_work(one: Visit) -> Page:
    """A page with everything that listens."""
    page = one.open("/console/parts")
    expect(page.locator("html[data-ready]")).to_be_visible()
    return page


def open_camera(page: Page) -> None:
    page.locator("[data-scan]:visible").first.click()
    expect(page.locator(".camera.live")).to_be_visible()


def watched(one: Visit, film_of: Sequence[Photo], *, rounds: int = 3) -> list[Counter[str]]:
    """What the page, taking every scan, was told of each photo of a film.

    The film is seen once, and again while something is missing: a busy machine drops frames.
    """
    page = at_work(one)
    page.evaluate(LISTEN)
    open_camera(page)
    seconds = len(film_of) * (FRAMES + MARK_FRAMES) / 30
    read = attributed([], film_of)
    for _ in range(rounds):
        page.wait_for_timeout(1000 * seconds + 1000)
        read = attributed(page.evaluate("window.read"), film_of)
        wanted = [
            (photo.text, codes)
            for photo, codes in zip(film_of, read, strict=True)
            if photo.read_by_reference
        ]
        if all(text in codes for text, codes in wanted):
            break
    return read


def rate(film_of: Sequence[Photo], read: Sequence[Counter[str]]) -> tuple[int, int]:
    """How many photos were read right, and how many the reference reader has read.

    A code that is not on the photo fails the test at once.
    """
    table: dict[str, list[int]] = {}
    false = []
    for photo, codes in zip(film_of, read, strict=True):
        row = table.setdefault(photo.folder, [0, 0, 0])
        row[0] += 1
        row[1] += photo.read_by_reference
        row[2] += same(photo.text) in codes
        false += [(str(photo.path), code) for code in codes if code != photo.text]
    for folder, (count, reference, ours) in sorted(table.items()):
        print(f"{folder:20} photos {count:3}  reference {reference:3}  camera {ours:3}")
    assert false == []
    return sum(row[2] for row in table.values()), sum(row[1] for row in table.values())


@pytest.mark.long("browser-full")
@pytest.mark.timeout(900)
def test_every_photo_in_front_of_the_camera_is_read_as_the_reference_reads_it(
    served: Served, browser: Browser, shared_data: Path, tmp_path: Path
) -> None:
    every = photos(shared_data / "data" / "barcode_images")
    ours = reference = 0
    for n in range(0, len(every), PER_FILM):
        some = every[n : n + PER_FILM]
        path = film(browser, some, tmp_path / "film.mjpeg")
        with (
            beside(browser.browser_type, *camera_flags(path)) as seeing,
            visit(seeing, served.server, who="clerk") as one,
        ):
            mine, its = rate(some, watched(one, some))
        ours, reference = ours + mine, reference + its
    print(f"camera {ours} of reference {reference}: {ours / reference:.3f}")
    assert ours >= 0.95 * reference


def test_camera_reads_what_is_held_in_front_of_it_and_nothing_else(
    served: Served, browser: Browser, shared_data: Path, tmp_path: Path
) -> None:
    every = photos(shared_data / "data" / "barcode_images")
    some = [one for one in every if one.path.parent.name + "/" + one.path.name in SAMPLE]
    assert len(some) == len(SAMPLE)
    path = film(browser, some, tmp_path / "film.mjpeg")
    with (
        beside(browser.browser_type, *camera_flags(path)) as seeing,
        visit(seeing, served.server, who="clerk") as one,
    ):
        read = watched(one, some)
        one.shot("scan-camera")
        ours, reference = rate(some, read)
        print(f"camera {ours} of reference {reference}")
        assert ours >= 0.95 * reference


def test_photo_is_read_where_there_is_no_camera(
    served: Served, browser: Browser, shared_data: Path
) -> None:
    folder = shared_data / "data" / "barcode_images"
    with visit(browser, served.server, who="clerk") as one:
        page = at_work(one)
        page.locator(".foot [data-scan]").click()
        expect(page.locator(".camera.blind")).to_be_visible()
        one.shot("scan-no-camera")
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="用照片识别").click()
        chooser.value.set_files(folder / "zxcpp-ean13-1" / "10.webp")
        expect(page.locator("dialog [data-scan-state=unknown]")).to_contain_text("8480010001136")
        expect(page.locator(".camera")).to_have_count(0)


@pytest.mark.long("browser-full")
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_photo_without_a_code_and_file_without_a_picture_are_told_apart(
    served: Served, browser: Browser, shared_data: Path, language: str
) -> None:
    blurred = shared_data / "data" / "barcode_images" / "zxing-ean13-5" / "01.png"
    with visit(browser, served.server, who="clerk", language=language) as one:
        page = at_work(one)
        page.locator(".foot [data-scan]").click()
        expect(page.locator(".camera.blind")).to_be_visible()
        said = page.locator(".camera-said")
        words = {"zh-CN": ("没找到条码", "不是能识别的图片"), "en": ("No code found", "no picture")}
        page.locator(".camera [type=file]").set_input_files(blurred)
        expect(said).to_contain_text(words[language][0])
        page.locator(".camera [type=file]").set_input_files(
            {"name": "a.png", "mimeType": "image/png", "buffer": b"no picture"}
        )
        expect(said).to_contain_text(words[language][1])
        one.shot(f"scan-no-picture-{language}")
        page.keyboard.press("Escape")
        expect(page.locator(".camera")).to_have_count(0)
        expect(page.locator(".foot [data-scan]")).to_be_focused()


@pytest.mark.long("browser-full")
def test_camera_that_is_not_allowed_is_said_and_the_field_still_works(
    served: Served, browser: Browser
) -> None:
    # The device is there; nobody says yes to it.
    with (
        beside(browser.browser_type, "--use-fake-device-for-media-stream") as refusing,
        visit(refusing, served.server, who="clerk", permissions=[]) as one,
    ):
        page = at_work(one)
        page.locator(".foot [data-scan]").click()
        expect(page.locator(".camera-said")).to_contain_text("没有允许使用摄像头")
        one.shot("scan-denied")
        page.locator(".camera [name=code]").fill("6999000100855")
        page.keyboard.press("Enter")
        expect(page.locator("dialog [data-scan-state=known]")).to_be_visible()


@pytest.mark.long("browser-full")
def test_several_codes_in_one_picture_are_shown_to_choose_from(
    served: Served, browser: Browser, shared_data: Path, tmp_path: Path
) -> None:
    folder = shared_data / "data" / "barcode_images"
    pair = [folder / "zxcpp-ean13-1" / "10.webp", folder / "zxcpp-ean8-1" / "4.webp"]
    path = still(browser, pair, tmp_path / "pair.mjpeg")
    with (
        beside(browser.browser_type, *camera_flags(path)) as seeing,
        visit(seeing, served.server, who="clerk") as one,
    ):
        page = at_work(one)
        open_camera(page)
        expect(page.locator(".camera-choices .button:not(.quiet)")).to_have_count(2)
        one.shot("scan-several")
        page.locator(".camera-choices .button", has_text="8480010001136").click()
        expect(page.locator("dialog [data-scan-state]")).to_contain_text("8480010001136")
        expect(page.locator(".camera")).to_have_count(0)


def test_reader_is_loaded_with_the_camera_and_not_before(served: Served, browser: Browser) -> None:
    with visit(browser, served.server, who="clerk") as one:
        asked: list[str] = []
        one.context.on("request", lambda request: asked.append(request.url))
        page = at_work(one)
        expect(page.locator(".foot [data-scan]")).to_be_visible()
        until(page, "document.readyState === 'complete'")
        assert asked
        assert not [url for url in asked if "zxing" in url or "camera.js" in url]
