from __future__ import annotations

import io
from pathlib import Path

import pytest
from photos import png

from dianku.attachments import Attachments
from dianku.errors import Refused

PNG = png(3, 2)


def test_file_is_kept_once_and_comes_back_as_it_was(tmp_path: Path) -> None:
    kept = Attachments(tmp_path)
    first, again = kept.keep(io.BytesIO(PNG)), kept.keep(io.BytesIO(PNG))
    assert (first.new, again.new) == (True, False)
    assert first.id == again.id
    found, content = kept.read(first.id)
    assert (found.media_type, content) == ("image/png", PNG)


@pytest.mark.parametrize(
    "content", [b"", b"<svg onload=alert(1)>", b"<html>", b"GIF89a", b"....ftypheic"]
)
def test_kind_that_could_act_is_refused_and_leaves_nothing(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Refused):
        Attachments(tmp_path).keep(io.BytesIO(content))
    assert list(tmp_path.iterdir()) == []


def test_file_over_the_limit_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"file_too_large .*bytes"):
        Attachments(tmp_path, bytes_max=10).keep(io.BytesIO(PNG))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wanted", ["x", "../../etc/passwd", "0" * 64])
def test_unknown_file_is_not_found(tmp_path: Path, wanted: str) -> None:
    with pytest.raises(Refused, match="not_found"):
        Attachments(tmp_path).read(wanted)
