"""The camera reads real photos that Chromium's camera plays; what it cannot do is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

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


class Rate(NamedTuple):
    """What came of a film: photos read right, those the reference reader read, and false codes."""

    ours: int
    reference: int
    false: list[tuple[str, str]]


def rate(film_of: Sequence[Photo], read: Sequence[Counter[str]]) -> Rate:
    """How the camera did, printed by folder with whatever it missed or made up."""
    table: dict[str, list[int]] = {}
    false = []
    for photo, codes in zip(film_of, read, strict=True):
        row = table.setdefault(photo.folder, [0, 0, 0])
        row[0] += 1
        row[1] += photo.read_by_reference
        row[2] += same(photo.text) in codes
        here = f"{photo.folder}/{photo.path.name}"
        if photo.read_by_reference and same(photo.text) not in codes:
            print(f"missed {here}: {photo.text}")
        false += [(here, code) for code in codes if code != photo.text]
    for folder, (count, reference, ours) in sorted(table.items()):
        print(f"{folder:20} photos {count:3}  reference {reference:3}  camera {ours:3}")
    for here, code in false:
        print(f"false {here}: {code}")
    rows = table.values()
    return Rate(sum(row[2] for row in rows), sum(row[1] for row in rows), false)


@pytest.mark.long("browser-full")
@pytest.mark.timeout(900)
def test_every_photo_in_front_of_the_camera_is_read_as_the_reference_reads_it(
    served: Served, browser: Browser, shared_data: Path, tmp_path: Path
) -> None:
    every = photos(shared_data / "data" / "barcode_images")
    ours = reference = 0
    false = []
    for n in range(0, len(every), PER_FILM):
        some = every[n : n + PER_FILM]
        path = film(browser, some, tmp_path / "film.mjpeg")
        with (
            beside(browser.browser_type, *camera_flags(path)) as seeing,
            visit(seeing, served.server, who="clerk") as one,
        ):
            seen = rate(some, watched(one, some))
        ours, reference = ours + seen.ours, reference + seen.reference
        false += seen.false
    print(f"camera {ours} of reference {reference}: {ours / reference:.3f}; false {len(false)}")
    assert false == []
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
        ours, reference, false = rate(some, read)
        print(f"camera {ours} of reference {reference}")
        assert false == []
        assert ours >= 0.95 * reference


BELIEVE = """async (looks) => {
  const main = document.querySelector('script[src$="js/main.js"]').src;
  const { Belief } = await import(main.replace("main.js", "scan/reader.js"));
  const belief = new Belief();
  const said = [];
  for (const [now, way, ...codes] of looks) {
    const found = codes.map(([text, lines, x, format]) => (
      { text, lines, format: format ?? "EAN13", place: { x, y: 100, long: 100 } }));
    said.push(...belief.of(found, way, now).map(({ text }) => text));
  }
  return [...new Set(said)];
}"""
A, B = "23942431015", "9074932437075"


def test_codes_are_believed_of_looks_that_differ_and_not_where_others_say_otherwise(
    served: Served, browser: Browser
) -> None:
    def seen(code: str, *looks: tuple[int, str], lines: int = 9, x: int = 100) -> list[Any]:
        return [[now, way, [code, lines, x]] for now, way in looks]

    whole = seen(A, (0, "full"), (30, "soft"))
    smaller = [(0, "soft"), (30, "small"), (60, "third"), (200, "soft")]
    cases: dict[str, tuple[list[Any], list[str]]] = {
        "two kinds, one of the size": (whole, [A]),
        "one kind again and again": (seen(A, *((30 * n, "full") for n in range(9))), []),
        "the same pixels twice": (seen(A, (0, "full"), (30, "close"), (60, "full")), []),
        "few lines": (seen(A, (0, "full"), (30, "soft"), lines=2), []),
        "too far apart": (seen(A, (0, "full"), (1600, "soft")), []),
        "smaller alone, thrice": (seen(A, *smaller[:3]), []),
        "smaller alone, often": (seen(A, *smaller), [A]),
        "smaller alone, and something else": (
            [*seen(A, smaller[0]), *seen(B, (10, "third")), *seen(A, *smaller[1:])],
            [],
        ),
        "something else half as often": (
            [*seen(A, (0, "full")), *seen(B, (10, "third")), *seen(A, (30, "soft"))],
            [],
        ),
        "something else beside it": (
            [*seen(A, (0, "full")), *seen(B, (10, "third"), x=140), *seen(A, (30, "soft"))],
            [A],
        ),
        "something else before it": (
            [*seen(B, (0, "full"), (10, "even")), *seen(A, (100, "full"), (130, "soft"))],
            [B, A],
        ),
        "a matrix": ([[0, "third", ["here", 0, 100, "QRCode"]]], ["here"]),
        "a reader without ways": (seen(A, (0, ""), (30, "")), [A]),
    }
    with visit(browser, served.server, who="clerk") as one:
        page = at_work(one)
        said = {name: page.evaluate(BELIEVE, looks) for name, (looks, _) in cases.items()}
    assert said == {name: expected for name, (_, expected) in cases.items()}


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
