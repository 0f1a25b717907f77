"""Labels as a PDF that prints the same everywhere: exact millimetres, the typeface within it.

Written after ISO 32000-1 without a library, for all there is in it is black boxes and text in one
font: the objects, the table of where they lie, and for each label a form that its copies share. The
same labels give the same bytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence

from attrs import field, frozen

from dianku_console.labels.codes import Mark
from dianku_console.labels.drawing import Drawn
from dianku_console.labels.papers import DOTS_PER_MM, Paper, Place
from dianku_console.labels.texts import Line, shown
from dianku_console.labels.typeface import typeface

POINTS = 72 / 25.4
"""In a millimetre."""
STROKE = 0.03
"""Of an em: the line around a sign that is to be strong."""
CUT_LINE = "0.6 G 1 w [2 4] 0 d"
"""Thin grey dots along which a sheet is cut."""
UNICODE_HEAD = """/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CMapName /Labels-UCS def
/CMapType 2 def
1 begincodespacerange <0000> <FFFF> endcodespacerange
"""
UNICODE_TAIL = "endcmap CMapName currentdict /CMap defineresource pop end end"
UNICODE_ROWS = 100
"""What a block of such a table may hold."""


@frozen
class _Objects:
    """The numbered objects of a document, in the order they were begun."""

    bodies: list[bytes] = field(factory=list)

    def add(self, body: str = "") -> int:
        """Take an object in; one that is needed before it is known is filled later."""
        self.bodies.append(body.encode())
        return len(self.bodies)

    def fill(self, number: int, body: str) -> None:
        """Say what an object is."""
        self.bodies[number - 1] = body.encode()

    def stream(self, content: bytes, entries: str = "") -> int:
        """Take a stream in, packed."""
        packed = zlib.compress(content, 9)
        head = f"<< {entries} /Filter /FlateDecode /Length {len(packed)} >>\nstream\n"
        self.bodies.append(head.encode() + packed + b"\nendstream")
        return len(self.bodies)

    def file(self, root: int) -> bytes:
        """The document: header, objects, where each lies, where that table lies."""
        out = bytearray(b"%PDF-1.5\n%\xe4\xba\x97\xe5\xba\x93\n")
        places = []
        for number, body in enumerate(self.bodies, 1):
            places.append(len(out))
            out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
        start = len(out)
        out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1)
        out += b"".join(b"%010d 00000 n \n" % place for place in places)
        trailer = f"<< /Size {len(places) + 1} /Root {root} 0 R >>"
        out += f"trailer\n{trailer}\nstartxref\n{start}\n%%EOF\n".encode()
        return bytes(out)


def pdf_of(labels: Sequence[tuple[Drawn, int]], paper: Paper, *, first: int = 1) -> bytes:
    """The labels, each so many times, one after the other on as many pages as it takes.

    `first` is the place where the first page begins (`Paper.sheets`).
    """
    objects = _Objects()
    root, pages = objects.add(), objects.add()
    texts = "".join(one for label, _ in labels for line in label.lines for one in shown(line.text))
    font, glyphs = _font(objects, texts)
    forms = [_form(objects, label, glyphs, font=font, paper=paper) for label, _ in labels]
    queue = [form for form, (_, copies) in zip(forms, labels, strict=True) for _ in range(copies)]
    kids = [
        _page(objects, placed, paper, parent=pages) for placed in paper.sheets(queue, first=first)
    ]
    listed = " ".join(f"{kid} 0 R" for kid in kids)
    objects.fill(pages, f"<< /Type /Pages /Count {len(kids)} /Kids [{listed}] >>")
    # Printers' dialogues would shrink a page to their margins; a label is as large as it is.
    wish = "/ViewerPreferences << /PrintScaling /None >>"
    objects.fill(root, f"<< /Type /Catalog /Pages {pages} 0 R {wish} >>")
    return objects.file(root)


def _page(
    objects: _Objects, placed: Sequence[tuple[int, Place]], paper: Paper, *, parent: int
) -> int:
    scale = POINTS / DOTS_PER_MM
    width, height = (side * POINTS for side in paper.page)
    drawn = []
    for form, (x, y) in placed:
        low = height - (y * scale + paper.height * POINTS)
        drawn.append(f"q {scale:.8f} 0 0 {scale:.8f} {_n(x * scale)} {_n(low)} cm /L{form} Do Q")
    content = objects.stream("\n".join(drawn).encode())
    named = " ".join(f"/L{form} {form} 0 R" for form in sorted({form for form, _ in placed}))
    return objects.add(
        f"<< /Type /Page /Parent {parent} 0 R /MediaBox [0 0 {_n(width)} {_n(height)}] "
        f"/Resources << /XObject << {named} >> >> /Contents {content} 0 R >>"
    )


def _form(
    objects: _Objects, label: Drawn, glyphs: Mapping[str, int], *, font: int, paper: Paper
) -> int:
    """One label in dots, cut off at its edges."""
    box = f"0 0 {_n(label.width)} {_n(label.height)}"
    drawn = [*_boxes(label.mark, label.height)]
    drawn += (_text(line, glyphs, label.height) for line in label.lines if line.width)
    if paper.kind == "cut":
        drawn.append(f"{CUT_LINE} {box} re S")
    entries = (
        f"/Type /XObject /Subtype /Form /BBox [{box}] /Resources << /Font << /F {font} 0 R >> >>"
    )
    return objects.stream("\n".join(drawn).encode(), entries)


def _boxes(mark: Mark | None, height: float) -> Iterator[str]:
    if mark is None:
        return
    for x, y, wide, tall in mark.boxes:
        yield f"{mark.x + x} {_n(height - mark.y - y - tall)} {wide} {tall} re"
    yield "f"


def _text(line: Line, glyphs: Mapping[str, int], height: float) -> str:
    strong = f"2 Tr {_n(line.size * STROKE)} w" if line.strong else "0 Tr"
    numbers = "".join(f"{glyphs.get(one, 0):04X}" for one in shown(line.text))
    return (
        f"BT /F {_n(line.size)} Tf {strong} {_n(line.x)} {_n(height - line.y)} Td <{numbers}> Tj ET"
    )


def _font(objects: _Objects, texts: str) -> tuple[int, Mapping[str, int]]:
    """A font of the signs in some texts, and the number of each sign in it."""
    face = typeface()
    signs = sorted({one for one in texts if face.has(one)})
    file, numbers = face.cut(face.glyphs[ord(one)] for one in signs)
    glyphs = {one: numbers[face.glyphs[ord(one)]] for one in signs}
    program = objects.stream(file, f"/Length1 {len(file)}")
    table = objects.stream(_unicode(glyphs).encode())

    def em(units: float) -> str:
        return _n(units * 1000 / face.units)

    name = f"{_tag(signs)}+{face.name}"
    box = " ".join(em(side) for side in face.bounds)
    descriptor = objects.add(
        f"<< /Type /FontDescriptor /FontName /{name} /Flags 4 /FontBBox [{box}] /ItalicAngle 0 "
        f"/Ascent {em(face.ascent)} /Descent {em(face.descent)} /CapHeight {em(face.ascent)} "
        f"/StemV 90 /FontFile2 {program} 0 R >>"
    )
    widths = " ".join(em(face.advances[glyph]) for glyph in numbers)
    inner = objects.add(
        f"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /{name} /FontDescriptor {descriptor} 0 R "
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> "
        f"/CIDToGIDMap /Identity /W [0 [{widths}]] >>"
    )
    return objects.add(
        f"<< /Type /Font /Subtype /Type0 /BaseFont /{name} /Encoding /Identity-H "
        f"/DescendantFonts [{inner} 0 R] /ToUnicode {table} 0 R >>"
    ), glyphs


def _unicode(glyphs: Mapping[str, int]) -> str:
    """Which sign a glyph is, for who searches or copies."""
    rows = [
        f"<{glyph:04X}> <{one.encode('utf-16-be').hex().upper()}>"
        for one, glyph in sorted(glyphs.items(), key=lambda pair: pair[1])
    ]
    blocks = (rows[at : at + UNICODE_ROWS] for at in range(0, len(rows), UNICODE_ROWS))
    told = "".join(
        f"{len(block)} beginbfchar\n{chr(10).join(block)}\nendbfchar\n" for block in blocks
    )
    return UNICODE_HEAD + told + UNICODE_TAIL


def _tag(signs: Sequence[str]) -> str:
    """Six letters that tell subsets of one font apart."""
    number = zlib.crc32("".join(signs).encode())
    return "".join(chr(65 + number // 26**place % 26) for place in range(6))


def _n(value: float) -> str:
    """A number as PDF writes it."""
    return f"{value:.4f}".rstrip("0").rstrip(".") or "0"
