"""Search text: what a product is found by, folded once when it is written.

One text per product, a line per thing it is known by: sku, name, spec, the initials and the whole
of its pinyin, its barcodes. A line that equals what was typed ranks first, then one that begins
with it, then any part. Folding is NFKC and casefold on both sides, so full-width letters and case
do not matter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
_SPACE = re.compile(r"\s+")
WORDS_MAX = 8
"""Words of one question that are looked for; the rest is ignored."""


def fold(text: str) -> str:
    """Text as it is compared: NFKC, casefold, single spaces."""
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


@lru_cache(maxsize=65_536)
def _syllables(han: str) -> tuple[str, ...]:
    # Imported when the first name is written: its dictionaries take a quarter of a second.
    from pypinyin import lazy_pinyin

    return tuple(lazy_pinyin(han))


def spelled(folded: str) -> tuple[str, str]:
    """Initials and full pinyin of folded text, other characters kept: 可乐330ml, kl330ml."""
    initials: list[str] = []
    whole: list[str] = []
    at = 0
    for run in _HAN.finditer(folded):
        other = folded[at : run.start()]
        syllables = _syllables(run.group())
        initials += [other, *(s[:1] for s in syllables)]
        whole += [other, *syllables]
        at = run.end()
    if not whole:
        return "", ""
    rest = folded[at:]
    return "".join([*initials, rest]), "".join([*whole, rest])


def search_text(*, sku: str, name: str, spec: str | None, codes: Iterable[str]) -> str:
    """The text a product is found by: lines, with a line break before, between and after."""
    title = fold(name)
    lines = [fold(sku), title, fold(spec or ""), *spelled(title), *(fold(c) for c in codes)]
    return "\n" + "\n".join(dict.fromkeys(line for line in lines if line)) + "\n"


def like(text: str) -> str:
    """Text with the wildcards of LIKE taken for themselves, for `ESCAPE '!'`."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def patterns(question: str) -> tuple[str, str, Sequence[str]]:
    """LIKE patterns of a folded question: a whole line, a line's beginning, every word."""
    whole = like(question)
    words = [f"%{like(word)}%" for word in question.split(" ")[:WORDS_MAX]]
    return f"%\n{whole}\n%", f"%\n{whole}%", words
