"""What is printed, read by others' hands: pages drawn by PDFium, codes read by zxing-cpp.

Neither shares anything with what made the page, and both are what shops have: Chromium's own viewer
draws with the first, phones and scanners read with the like of the second.
"""

from __future__ import annotations

import pypdfium2
import zxingcpp
from attrs import frozen

LABEL_PRINTER = 203.2
"""Dots an inch: eight to a millimetre."""
POINTS = 72 / 25.4


@frozen
class Code:
    """A code that was read: of what kind, what it says."""

    kind: str
    text: str


@frozen
class PrintedPage:
    """A page: its size in millimetres, its text, its codes, its grey dots row by row."""

    width: float
    height: float
    text: str
    codes: tuple[Code, ...]
    rows: tuple[bytes, ...]

    @property
    def dark(self) -> int:
        """Dots that are more black than white."""
        return sum(dot < 128 for row in self.rows for dot in row)


def printed(pdf: bytes, *, dots_per_inch: float = LABEL_PRINTER) -> list[PrintedPage]:
    """The pages of a PDF as a printer of so many dots would put them on paper."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [_page(page, dots_per_inch) for page in document]
    finally:
        document.close()


def fonts(pdf: bytes) -> dict[str, bool]:
    """The fonts a document's texts are set in, and whether they are in it."""
    raw, found = pypdfium2.raw, {}
    document = pypdfium2.PdfDocument(pdf)
    try:
        for page in document:
            for part in page.get_objects(filter=(raw.FPDF_PAGEOBJ_TEXT,), max_depth=4):
                font = part.get_font()
                found[font.get_base_name()] = bool(font.is_embedded)
    finally:
        document.close()
    return found


def _page(page: pypdfium2.PdfPage, dots_per_inch: float) -> PrintedPage:
    width, height = page.get_size()
    drawn = page.render(scale=dots_per_inch / 72, grayscale=True)
    flat = bytes(drawn.buffer)
    rows = tuple(
        flat[at * drawn.stride : at * drawn.stride + drawn.width] for at in range(drawn.height)
    )
    picture = memoryview(b"".join(rows)).cast("B", (drawn.height, drawn.width))
    read = zxingcpp.read_barcodes(picture)
    codes = tuple(sorted((Code(str(one.format), one.text) for one in read), key=repr))
    text = page.get_textpage().get_text_bounded()
    return PrintedPage(width / POINTS, height / POINTS, text, codes, rows)
