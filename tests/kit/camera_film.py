"""Photos as a film for Chromium's camera, drawn by Chromium itself; only the page reads them.

Between two photos stands a mark, an EAN-8 that counts them, so that whatever a page says it has
read is known to be of one photo. Frames are all of one size, and a photo fills them: that is what
a camera does that is held close.
"""

from __future__ import annotations

import base64
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen
from playwright.sync_api import Browser, Page

FRAMES = 16
"""How long a photo is in sight; the camera shows thirty frames in a second."""
MARK_FRAMES = 12
FLAGS = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")

_DRAW = """async ({photos, together}) => {
  const board = Object.assign(document.createElement("canvas"), {width: 1280, height: 720});
  const pen = board.getContext("2d");
  const L = ["0001101", "0011001", "0010011", "0111101", "0100011",
    "0110001", "0101111", "0111011", "0110111", "0001011"];
  const bars = (code) => "101" + [...code.slice(0, 4)].map((d) => L[d]).join("") + "01010"
    + [...code.slice(4)].map((d) => [...L[d]].map((b) => 1 - b).join("")).join("") + "101";
  const clean = () => { pen.fillStyle = "#fff"; pen.fillRect(0, 0, 1280, 720); };
  const kept = () => board.toDataURL("image/jpeg", 0.95).split(",")[1];
  const made = [];
  if (together) {
    clean();
    let left = 20;
    for (const {data} of photos) {
      const image = await createImageBitmap(await (await fetch(data)).blob());
      pen.drawImage(image, left, 200);
      left += image.width + 60;
    }
    return [[kept(), kept()]];
  }
  for (const {data, code} of photos) {
    clean();
    pen.fillStyle = "#000";
    [...bars(code)].forEach((bar, n) => {
      if (bar === "1") pen.fillRect(440 + n * 6, 210, 6, 300);
    });
    const marked = kept();
    clean();
    const image = await createImageBitmap(await (await fetch(data)).blob());
    const scale = Math.min(1280 / image.width, 720 / image.height);
    const [w, h] = [Math.round(image.width * scale), Math.round(image.height * scale)];
    pen.drawImage(image, (1280 - w) >> 1, (720 - h) >> 1, w, h);
    made.push([marked, kept()]);
  }
  return made;
}"""


@frozen
class Photo:
    """A photo of a code: what it shows, and whether the reference reader has read just that."""

    path: Path
    text: str
    read_by_reference: bool

    @property
    def folder(self) -> str:
        """The set it is of."""
        return self.path.parent.name


def photos(folder: Path) -> list[Photo]:
    """Every photo of a folder of them, those with the same code far from each other."""
    found = []
    for line in (folder / "expected.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        read = {same(text) for _, text in row["reference_zxingcpp_py"]}
        text = same(row["expected_text"])
        found.append(Photo(folder / row["file"], text, text in read))
    return spread(found)


def spread(found: Sequence[Photo]) -> list[Photo]:
    """By turns of the codes, so that no code comes twice within a few photos."""
    by_text: dict[str, list[Photo]] = defaultdict(list)
    for photo in found:
        by_text[photo.text].append(photo)
    placed = [
        ((n + 0.5) / len(same_text), text, photo)
        for text, same_text in by_text.items()
        for n, photo in enumerate(same_text)
    ]
    return [photo for _, _, photo in sorted(placed, key=lambda one: one[:2])]


def same(text: str) -> str:
    """A code as codes are compared: zeros in front of figures are no difference."""
    plain = text.strip()
    return plain.lstrip("0") if plain.isdigit() else plain


def mark(number: int) -> str:
    """The mark before photo `number`."""
    digits = f"299{number:04}"
    total = sum(int(d) * (3 if n % 2 == 0 else 1) for n, d in enumerate(digits))
    return digits + str(-total % 10)


def film(browser: Browser, photos: Sequence[Photo], path: Path) -> Path:
    """A film of photos with their marks, which the camera plays again and again."""
    with _page(browser) as page, path.open("wb") as out:
        for n, photo in enumerate(photos):
            one = {"data": _data(photo.path), "code": mark(n)}
            between, shown = _drawn(page, [one])
            out.write(between * MARK_FRAMES + shown * FRAMES)
    return path


def still(browser: Browser, pictures: Sequence[Path], path: Path) -> Path:
    """A film of nothing but some pictures beside each other."""
    with _page(browser) as page:
        _, shown = _drawn(page, [{"data": _data(one)} for one in pictures], together=True)
    path.write_bytes(shown * FRAMES)
    return path


@contextmanager
def _page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    try:
        yield context.new_page()
    finally:
        context.close()


def _drawn(
    page: Page, photos: Sequence[dict[str, str]], *, together: bool = False
) -> tuple[bytes, bytes]:
    pair = page.evaluate(_DRAW, {"photos": photos, "together": together})[0]
    between, shown = (base64.b64decode(picture) for picture in pair)
    return between, shown


def _data(path: Path) -> str:
    kind = path.suffix[1:].replace("jpg", "jpeg")
    return f"data:image/{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def camera_flags(path: Path) -> tuple[str, ...]:
    """What Chromium is started with to see a film."""
    return (*FLAGS, f"--use-file-for-fake-video-capture={path}")


def attributed(said: Sequence[str], photos: Sequence[Photo]) -> list[Counter[str]]:
    """What was read of each photo, by the marks between.

    Where a busy machine has dropped a mark, a code of just the next photo is the next photo's.
    """
    numbers = {same(mark(n)): n for n in range(len(photos))}
    of: list[Counter[str]] = [Counter() for _ in photos]
    at = -1
    for code in map(same, said):
        if code in numbers:
            at = numbers[code]
            continue
        if at < 0:
            continue
        following = (at + 1) % len(photos)
        if code not in {photos[at].text, *of[at]} and code == photos[following].text:
            at = following
        of[at][code] += 1
    return of
