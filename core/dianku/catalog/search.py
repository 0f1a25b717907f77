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


_READINGS = {
    "长": "cz", "重": "zc", "乐": "ly", "曾": "zc", "行": "xh", "单": "ds", "盛": "sc", "藏": "cz",
    "调": "td", "传": "cz", "朝": "zc", "降": "jx", "校": "xj", "参": "cs", "壳": "kq", "茄": "qj",
    "蔓": "wm", "弹": "td", "尾": "wy", "石": "sd", "宿": "sx", "澄": "cd", "省": "sx", "车": "cj",
    "种": "zc", "颤": "cz", "屏": "pb", "便": "bp", "番": "fp", "蛤": "gh", "芥": "jg", "券": "qx",
    "畜": "xc", "茜": "xq", "系": "xj", "会": "hk", "厦": "xs", "解": "jx", "泊": "bp", "翟": "zd",
    "查": "cz", "仇": "cq", "区": "qo", "秘": "mb", "贾": "jg", "覃": "qt", "奇": "qj",
}  # fmt: skip
"""Characters of goods and shops that are read in two ways, with the first letters of both."""
READINGS_MAX = 16
"""Ways of reading one name that are kept; few names have more than two."""


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


def other_initials(folded: str) -> list[str]:
    """Initials of folded text by the other readings of its characters: zj of 曾记 beside cj.

    A dictionary of words settles most; of a shop's own names it can only guess.
    """
    first = spelled(folded)[0]
    if len(first) != len(folded):
        return []
    ways = [first]
    for at, character in enumerate(folded):
        letters = _READINGS.get(character, "")
        ways += [w[:at] + x + w[at + 1 :] for w in ways for x in letters if x != w[at]]
        if len(ways) >= READINGS_MAX:
            break
    return ways[1:READINGS_MAX]


def search_text(*, sku: str, name: str, spec: str | None, codes: Iterable[str]) -> str:
    """The text a product is found by: lines, with a line break before, between and after."""
    title = fold(name)
    lines = [fold(sku), title, fold(spec or ""), *spelled(title), *other_initials(title)]
    lines += [fold(c) for c in codes]
    return "\n" + "\n".join(dict.fromkeys(line for line in lines if line)) + "\n"


def like(text: str) -> str:
    """Text with the wildcards of LIKE taken for themselves, for `ESCAPE '!'`."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def patterns(question: str) -> tuple[str, str, Sequence[str]]:
    """LIKE patterns of a folded question: a whole line, a line's beginning, every word."""
    whole = like(question)
    words = [f"%{like(word)}%" for word in question.split(" ")[:WORDS_MAX]]
    return f"%\n{whole}\n%", f"%\n{whole}%", words
