"""Barcodes to print: the bars of a code as runs of modules, EAN-13, EAN-8 and Code 128.

A run is where a bar begins and how wide it is, in modules from the first bar; the quiet zones
are the printer's. Figures with a right check digit are EAN, all other text is Code 128.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

EAN_QUIET = (11, 7)
CODE128_QUIET = (10, 10)


def _split(table: str) -> list[str]:
    return table.split()


_L = _split("0001101 0011001 0010011 0111101 0100011 0110001 0101111 0111011 0110111 0001011")
_R = ["".join("10"[int(bit)] for bit in code) for code in _L]
_G = [code[::-1] for code in _R]
_FIRST = _split("LLLLLL LLGLGG LLGGLG LLGGGL LGLLGG LGGLLG LGGGLL LGLGLG LGLGGL LGGLGL")
"""Which table each of the six left digits is of, by the first digit, which has no bars."""
_WIDTHS = _split(
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 "
    "231212 112232 122132 122231 113222 123122 123221 223211 221132 221231 213212 "
    "223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 232121 "
    "111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 "
    "132131 113123 113321 133121 313121 211331 231131 213113 213311 213131 311123 "
    "311321 331121 312113 312311 332111 314111 221411 431111 111224 111422 121124 "
    "121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 "
    "413111 241112 134111 111242 121142 121241 114212 124112 124211 411212 421112 "
    "421211 212141 214121 412121 111143 111341 131141 114113 114311 411113 411311 "
    "113141 114131 311141 411131 211412 211214 211232 2331112"
)
"""Widths of bars and spaces in turn, by the symbol's value."""
_START_B, _START_C, _TO_B, _TO_C, _STOP = 104, 105, 100, 99, 106
_PAIRS_WORTH = 4
"""Digits in a row that are shorter as pairs, with the change there and back."""
CODE128_MAX = 48


@frozen
class Bars:
    """A code as bars.

    Attributes:
        kind: `ean13`, `ean8` or `code128`.
        text: What is printed below.
        width: Modules from the first bar to the last.
        runs: Where each bar begins and how many modules it is wide.
        quiet: Modules that must stay white at the left and at the right.
    """

    kind: str
    text: str
    width: int
    runs: Sequence[tuple[int, int]]
    quiet: tuple[int, int]


def bars_of(code: str) -> Bars | None:
    """The bars of a code; None for one no printer's scanner would read: other signs, too long."""
    if code.isascii() and code.isdigit() and len(code) in {8, 12, 13} and _checks(code):
        return ean8(code) if len(code) == 8 else ean13(code.zfill(13))
    if 0 < len(code) <= CODE128_MAX and all(" " <= sign <= "~" for sign in code):
        return code128(code)
    return None


def ean13(code: str) -> Bars:
    """Thirteen digits, the last of which checks."""
    left = "".join(
        (_L if table == "L" else _G)[int(digit)]
        for digit, table in zip(code[1:7], _FIRST[int(code[0])], strict=True)
    )
    right = "".join(_R[int(digit)] for digit in code[7:])
    return _from_modules("ean13", code, f"101{left}01010{right}101")


def ean8(code: str) -> Bars:
    """Eight digits, the last of which checks."""
    left = "".join(_L[int(digit)] for digit in code[:4])
    right = "".join(_R[int(digit)] for digit in code[4:])
    return _from_modules("ean8", code, f"101{left}01010{right}101")


def code128(text: str) -> Bars:
    """Any printable ASCII; digits in pairs where that is shorter."""
    values = _values(text)
    check = (values[0] + sum(at * value for at, value in enumerate(values))) % 103
    runs, at = [], 0
    for value in (*values, check, _STOP):
        for index, width in enumerate(map(int, _WIDTHS[value])):
            if index % 2 == 0:
                runs.append((at, width))
            at += width
    return Bars("code128", text, at, runs, CODE128_QUIET)


def _values(text: str) -> list[int]:
    """The symbols' values, from the start on: sets B and C, changed where it is worth it."""
    pairs = _digits_at(text, 0)
    in_c = pairs >= _PAIRS_WORTH or (pairs == len(text) and pairs == 2)
    values, at = [_START_C if in_c else _START_B], 0
    while at < len(text):
        run = _digits_at(text, at)
        if in_c and run < 2:
            values.append(_TO_B)
            in_c = False
        elif not in_c and run >= _PAIRS_WORTH and (run % 2 == 0):
            values.append(_TO_C)
            in_c = True
        if in_c:
            values.append(int(text[at : at + 2]))
            at += 2
        else:
            values.append(ord(text[at]) - 32)
            at += 1
    return values


def _digits_at(text: str, at: int) -> int:
    end = at
    while end < len(text) and text[end].isdigit():
        end += 1
    return end - at


def _checks(code: str) -> bool:
    digits = [int(one) for one in reversed(code)]
    return (sum(digits[0::2]) + 3 * sum(digits[1::2])) % 10 == 0


def _from_modules(kind: str, text: str, modules: str) -> Bars:
    runs, at = [], 0
    while at < len(modules):
        end = at
        while end < len(modules) and modules[end] == modules[at]:
            end += 1
        if modules[at] == "1":
            runs.append((at, end - at))
        at = end
    quiet = EAN_QUIET if kind == "ean13" else (7, 7)
    return Bars(kind, text, len(modules), runs, quiet)
