"""Pictures are bounded before anybody decodes them, and say nothing of where they were taken."""

from __future__ import annotations

import pytest
from photos import PLACE, jpeg, png, png_part, webp

from dianku.errors import Refused
from dianku.pictures import JPEG, PIXELS_MAX, PNG, WEBP, cleaned

BESIDE = (png_part(b"tEXt", b"Comment\x00" + PLACE), png_part(b"eXIf", PLACE))
WHOLE = {
    JPEG: jpeg(40, 30, up=6, behind=jpeg(8, 6) + PLACE),
    PNG: png(40, 30, *BESIDE) + PLACE,
    WEBP: webp(40, 30, (b"what", PLACE)),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_picture_loses_the_place_and_keeps_its_size(kind: str) -> None:
    assert PLACE in WHOLE[kind]
    once = cleaned(WHOLE[kind], kind)
    assert PLACE not in once.content
    assert (once.width, once.height) == (40, 30)
    assert cleaned(once.content, kind) == once


def test_pixels_are_not_touched() -> None:
    assert cleaned(png(40, 30, *BESIDE), PNG).content == png(40, 30)
    kept = cleaned(WHOLE[JPEG], JPEG).content
    for part in (b"ICC_PROFILE", b"\x12\xff\x00\x34\xff\xd0\x56", b"\x78\xff\xd9"):
        assert kept.count(part) == 1


@pytest.mark.parametrize("up", range(1, 9))
def test_which_way_is_up_stays(up: int) -> None:
    kept = cleaned(jpeg(40, 30, up=up), JPEG).content
    told = b"\x01\x12\x00\x03\x00\x00\x00\x01\x00" + bytes([up])
    assert (told in kept) == (up > 1)
    assert cleaned(kept, JPEG).content == kept


BOMBS = {
    "png of a few bytes": (png(1, 1, said=(60_000, 60_000)), PNG),
    "png too long": (png(1, 1, said=(100, 16_001)), PNG),
    "jpeg": (jpeg(60_000, 60_000), JPEG),
    "webp": (webp(16_000, 16_000), WEBP),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bomb_is_refused_by_its_pixels(name: str) -> None:
    content, kind = BOMBS[name]
    assert len(content) < 1000
    with pytest.raises(Refused, match="too_many_pixels"):
        cleaned(content, kind)


def test_size_a_canvas_does_not_tell_counts_too() -> None:
    hidden = webp(10, 10).replace(b"\x2f\x09\x40\x02\x00", b"\x2f\xff\xff\xff\x0f")
    with pytest.raises(Refused, match="too_many_pixels"):
        cleaned(hidden, WEBP)


def test_largest_picture_is_kept_and_one_row_more_is_not() -> None:
    assert cleaned(png(1, 1, said=(5000, PIXELS_MAX // 5000)), PNG)
    with pytest.raises(Refused, match="too_many_pixels"):
        cleaned(png(1, 1, said=(5000, PIXELS_MAX // 5000 + 1)), PNG)


@pytest.mark.parametrize("kind", WHOLE)
def test_picture_cut_anywhere_is_broken_or_whole_and_never_an_error(kind: str) -> None:
    whole = cleaned(WHOLE[kind], kind).content
    for length in range(12, len(whole)):
        with pytest.raises(Refused, match="broken_picture"):
            cleaned(whole[:length], kind)


BROKEN = {
    "png with a wrong check": (png(3, 2)[:-20] + b"x" + png(3, 2)[-19:], PNG),
    "png without pixels": (b"\x89PNG\r\n\x1a\n" + png_part(b"IEND", b""), PNG),
    "png of nothing": (png(1, 1, said=(0, 5)), PNG),
    "two frames": (jpeg(4, 4)[:-10] + jpeg(9, 9)[2:], JPEG),
    "no height": (jpeg(4, 0), JPEG),
    "webp that moves": (webp(4, 4, (b"ANMF", b"xx")), WEBP),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_no_one_could_show_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="broken_picture"):
        cleaned(*BROKEN[name])
