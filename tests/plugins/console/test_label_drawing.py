"""What stands on a label and where: nothing beyond its edge, no bar a part of a dot, all read."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from printed import Code, fonts, printed

from dianku_console.labels.asking import Size, tag_of
from dianku_console.labels.codes import Wanted
from dianku_console.labels.drawing import Drawn, Tag, drawn
from dianku_console.labels.papers import DOTS_PER_MM, PAPERS, Paper
from dianku_console.labels.pdf import pdf_of
from dianku_console.labels.texts import broken, cut, fitted, unknown, width_of
from dianku_console.labels.typeface import typeface
from dianku_console.qr import QUIET

BEER = Tag("淡爽啤酒 330ml", "6999000100855", "¥4.00", "罐", ("¥88.32/24 罐",))
HUGE = "¥99,999,999,999.99"
ABSURD = (
    Tag(
        "特" * 200,
        "中文编码",
        HUGE,
        "一二三四五六七八九十" * 2,
        ("¥168.00/24 罐", f"{HUGE}/箱" * 9),
    ),
    Tag("W" * 200, "x" * 64, HUGE, "W" * 20, tuple(f"{HUGE}/{n} pc" for n in range(2, 40))),
    Tag("Wonderful " * 20, "9" * 128, "¥0.00", "pc"),
    Tag("😀 👩‍👩‍👧‍👦 e\u0301 مرحبا بالعالم שלום", "\u4e00" * 128, "¥1.00", "😀"),
    Tag("\u200b\u202e\u0301", " ", "", ""),
    Tag("Tab", "~" * 48, "¥1", "x"),
)
KINDS: tuple[Wanted, ...] = ("bars", "qr")
EVERY = pytest.mark.parametrize("paper", PAPERS.values(), ids=PAPERS.keys())


def inside(label: Drawn) -> None:
    """Hold a label to its edges, its white and its dots."""
    assert label.mark is None or label.mark.boxes
    for line in label.lines:
        assert line.x >= 0
        assert line.x + line.width <= label.width + 0.01, line
        assert line.y - line.size >= -line.size * 0.2, line
        assert line.y + 0.15 * line.size <= label.height, line
        assert line.width == pytest.approx(width_of(line.text) * line.size)
    if label.mark is None:
        return
    mark = label.mark
    white = {"ean13": (11, 7), "ean8": (7, 7), "code128": (10, 10), "qr": (QUIET, QUIET)}
    left, right = white[mark.kind]
    assert mark.x - left * mark.module >= 0
    assert mark.x + mark.width + right * mark.module <= label.width
    assert mark.y >= 0
    assert mark.y + mark.height <= label.height
    for x, y, wide, tall in mark.boxes:
        assert all(isinstance(one, int) for one in (mark.x, mark.y, x, y, wide, tall))
        assert wide % mark.module == x % mark.module == 0
        assert x >= 0
        assert x + wide <= mark.width
        assert y >= 0
        assert y + tall <= mark.height
    for line in label.lines:  # no text in the white of a code
        beside = line.x + line.width <= mark.x - left * mark.module + 0.01
        beside |= line.x >= mark.x + mark.width + right * mark.module
        above = line.y <= mark.y - (QUIET * mark.module if mark.kind == "qr" else 0)
        assert beside or above or line.y - 0.8 * line.size >= mark.y + mark.height, line


@EVERY
@pytest.mark.parametrize("wanted", KINDS)
def test_label_keeps_to_its_edges_whatever_stands_on_it(paper: Paper, wanted: Wanted) -> None:
    for tag in (BEER, *ABSURD):
        inside(drawn(tag, paper, wanted=wanted))


signs = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=64)


@given(
    name=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200),
    code=signs,
    price=st.sampled_from(["", "¥1.00", HUGE]),
    per=st.text(max_size=20),
    also=st.lists(signs.map(lambda unit: f"¥12.50/{unit}"), max_size=4),
    paper=st.sampled_from(list(PAPERS.values())),
    wanted=st.sampled_from(KINDS),
)
def test_label_of_anything_keeps_to_its_edges(
    name: str, code: str, price: str, per: str, also: list[str], paper: Paper, wanted: Wanted
) -> None:
    inside(drawn(Tag(name, code, price, per, also), paper, wanted=wanted))


@EVERY
def test_labels_of_a_page_lie_on_it_and_beside_each_other(paper: Paper) -> None:
    places = list(paper.places())
    assert len(places) == paper.per_page
    width, height = (side * DOTS_PER_MM for side in paper.page)
    for x, y in places:
        assert x >= 0
        assert y >= 0
        assert x + paper.width * DOTS_PER_MM <= width + 1e-6
        assert y + paper.height * DOTS_PER_MM <= height + 1e-6
    for n, (x, y) in enumerate(places):
        for other_x, other_y in places[n + 1 :]:
            across = abs(x - other_x) >= paper.width * DOTS_PER_MM - 1e-6
            assert across or abs(y - other_y) >= paper.height * DOTS_PER_MM - 1e-6


def test_question_knows_every_paper() -> None:
    assert list(get_args(Size)) == list(PAPERS)


@EVERY
@pytest.mark.parametrize("wanted", KINDS)
def test_every_code_is_read_from_paper_at_its_size(paper: Paper, wanted: Wanted) -> None:
    codes = ["6999000100855", "96385074", "AL085", "12345678901234", "中文编码-1", "x" * 64, "~ "]
    labels = [
        (drawn(Tag(f"商品{n}", code, "¥4.00", "罐"), paper, wanted=wanted), 2)
        for n, code in enumerate(codes)
    ]
    pages = printed(pdf_of(labels, paper))
    assert len(pages) == -(-2 * len(codes) // paper.per_page)
    for page in pages:
        assert (page.width, page.height) == pytest.approx(paper.page, abs=0.001)
    # Sheets of stickers are for office printers, which draw finer than label printers do.
    read = [
        code for page in printed(pdf_of(labels, paper), dots_per_inch=406.4) for code in page.codes
    ]
    if paper.kind != "stickers":
        assert sorted(code.text for page in pages for code in page.codes) == sorted(codes * 2)
    assert sorted(code.text for code in read) == sorted(codes * 2)
    kinds = {code.kind for code in read}
    assert kinds == ({"QR Code"} if wanted == "qr" else {"EAN-13", "EAN-8", "Code 128", "QR Code"})
    assert Code("QR Code", "中文编码-1") in read


def test_what_has_no_room_as_bars_is_a_qr_code() -> None:
    small, large = PAPERS["40x30"], PAPERS["70x38"]
    for code, paper, kind in (
        ("A1234567", small, "code128"),
        ("ABCDEFGHIJK", small, "qr"),
        ("ABCDEFGHIJK", large, "code128"),
        ("编码", large, "qr"),
        ("9" * 48, large, "qr"),
    ):
        mark = drawn(Tag("x", code), paper, wanted="bars").mark
        assert mark is not None
        assert mark.kind == kind, code


def test_no_bar_is_narrower_than_two_dots_or_a_quarter_of_a_millimetre() -> None:
    for paper in PAPERS.values():
        for code in ("6999000100855", "96385074", "AL085", "1234567890", "A" * 12):
            mark = drawn(Tag("x", code), paper, wanted="bars").mark
            assert mark is not None
            assert mark.module >= 2
            assert mark.height >= 5 * DOTS_PER_MM


def test_price_is_never_cut_and_says_what_it_is_for() -> None:
    for paper in PAPERS.values():
        for wanted in KINDS:
            lines = drawn(ABSURD[0], paper, wanted=wanted).lines
            assert HUGE in [line.text for line in lines]
            assert any(line.text.startswith("/一") for line in lines)
            for line in lines:  # of the other prices none is cut in its middle
                assert not line.text.startswith("¥9") or line.text.startswith((HUGE, f"{HUGE}/"))


PRODUCT = {
    "sku": "S1",
    "name": "散装瓜子",
    "spec": "五香",
    "unit": "克",
    "price": "0.03",
    "display": {"unit": "千克", "factor": 1000},
    "barcodes": [],
    "stores": [],
}


def tag(store: str = "", *, priced: bool = True, **changed: object) -> Tag:
    return tag_of({**PRODUCT, **changed}, store=store, currency="CNY", priced=priced)


def test_tag_says_the_price_that_is_paid_first() -> None:
    assert tag() == Tag("散装瓜子 五香", "S1", "¥30.00", "千克 (1000 克)", ["¥0.03/克"])
    box = {"unit": "箱", "factor": 24}
    can = tag(unit="罐", price="4.00", display=box)
    assert (can.price, can.per, can.also) == ("¥4.00", "罐", ["¥96.00/箱 (24 罐)"])


def test_packs_have_their_own_prices_and_the_code_is_the_single_units() -> None:
    packs = [
        {"code": "111", "factor": 24, "price": "88.32"},
        {"code": "222", "factor": 1, "price": None},
        {"code": "333", "factor": 6, "price": None},
        {"code": "444", "factor": 12, "price": "45.00"},
    ]
    found = tag(unit="罐", price="4.00", display={"unit": "箱", "factor": 24}, barcodes=packs)
    assert found.also == ["¥88.32/箱 (24 罐)", "¥45.00/12 罐"]
    assert found.code == "222"
    assert tag(barcodes=packs[:1]).code == "S1"


def test_tag_has_the_price_of_its_store_or_none() -> None:
    stores = [{"store": "A", "price": "0.05"}, {"store": "B", "price": None}]
    assert tag("A", stores=stores).price == "¥50.00"
    assert tag("B", stores=stores).price == "¥30.00"
    assert tag("C", stores=None).price == "¥30.00"
    assert tag("A", stores=stores, priced=False) == Tag("散装瓜子 五香", "S1", also=[])
    assert tag(price=None).price == ""


def test_tag_has_the_price_of_the_code_it_bears() -> None:
    stores = [{"store": "A", "price": "5.00"}]
    packs = [{"code": "1", "factor": 1, "price": "3.50"}, {"code": "2", "factor": 1, "price": None}]
    assert tag("A", unit="罐", price="4.00", display=None, stores=stores, barcodes=packs) == Tag(
        "散装瓜子 五香", "1", "¥3.50", "罐", []
    )
    found = tag("A", unit="罐", price="4.00", display=None, stores=stores, barcodes=packs[1:])
    assert (found.code, found.price) == ("2", "¥5.00")


def test_texts_are_cut_where_one_sees_it() -> None:
    assert cut("abc", 9) == "abc"
    assert cut("一二三四", 3) == "一二…"
    assert broken("一二三四五六", 3, lines=2) == ["一二三", "四五六"]
    assert broken("一二三四五六七", 3, lines=2) == ["一二三", "四五…"]
    assert broken("Loose green tea", 5, lines=2) == ["Loose", "green tea"]
    assert broken("", 5, lines=2) == []
    assert fitted("一二三四", 40, size=20, least=8) == ("一二三四", 10)
    assert fitted("一二三四", 20, size=20, least=10) == ("一…", 10)


def test_joined_signs_are_one_and_are_never_parted() -> None:
    family = "👩‍👩‍👧"
    assert width_of(family) == width_of("👩")
    assert broken(f"{family}{family}", 1, lines=2) == [family, family]
    assert list(unknown(f"é{family}e\u0301𠀀")) == ["👩", "𠀀"]


def test_typeface_has_every_sign_of_the_everyday_encoding_and_no_glyph_made_of_others() -> None:
    face = typeface()
    rows = (bytes([a, b]) for a in range(0x81, 0xFF) for b in range(0x40, 0xFF) if b != 0x7F)
    wanted = {sign for pair in rows for sign in pair.decode("gbk", "ignore") if sign > "\x7f"}
    wanted = {sign for sign in wanted if not 0xE000 <= ord(sign) < 0xF900}
    missing = {sign for sign in wanted if not face.has(sign)}
    assert len(wanted) > 21_000
    assert len(missing) <= 1, missing
    assert all(face.has(chr(sign)) for sign in range(0x20, 0x7F))
    assert all(face.has(sign) for sign in "¥€£…×℃㎡½éñüЖΩあア喆镕堃囍")
    for glyph in range(len(face.advances)):
        outline = face.outline(glyph)
        assert not outline or outline[0] < 0x80, glyph


def test_pdf_carries_its_typeface_and_its_text_can_be_found() -> None:
    paper = PAPERS["50x30"]
    made = pdf_of([(drawn(BEER, paper, wanted="bars"), 3)], paper)
    ((name, carried),) = fonts(made).items()
    assert name.endswith("+NotoSansSC-Medium")
    assert carried
    for page in printed(made):
        assert {"淡爽啤酒 330ml", "¥4.00/罐", "¥88.32/24 罐"} <= set(page.text.split("\r\n"))
    assert made == pdf_of([(drawn(BEER, paper, wanted="bars"), 3)], paper)


def test_signs_are_drawn_and_unknown_ones_are_boxes() -> None:
    paper = PAPERS["50x30"]

    def dark(name: str) -> int:
        (page,) = printed(pdf_of([(drawn(Tag(name, "1"), paper, wanted="qr"), 1)], paper))
        return page.dark

    bare = dark(" ")
    assert dark("一") < dark("口") < dark("囍")
    assert dark("😀") == dark("𠀀") > bare
    assert dark("\u200b") == bare


def test_copies_cost_a_line_and_not_a_label() -> None:
    paper = PAPERS["50x30"]
    label = drawn(BEER, paper, wanted="qr")
    once, often = (len(pdf_of([(label, count)], paper)) for count in (1, 101))
    assert often - once < 100 * 400
