"""Rows of a product file: which product each means, what it says of it, and which repeat another.

Who a row is about, in this order: its sku; else a product that bears its barcode; else its
barcode becomes the sku; else the number a platform gave it. The same goods listed again (under
another category, say) change nothing; listed again with other figures, the later row is an error.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Any

from attrs import define, field, frozen

from dianku.catalog.codes import gtin_forms, has_check_digit, is_number
from dianku.exchange.barcodes import codes_of
from dianku.exchange.cells import code_of, days_of, fold, number_of, text_of, truth_of, whole_of
from dianku.exchange.layout import Table, gtin_share
from dianku.exchange.lists import split_components, split_packs
from dianku.exchange.reading import Raw
from dianku.exchange.rows import Row, is_sku

_WEIGHED = frozenset({"kg", "千克", "公斤", "斤", "市斤", "g", "克", "两", "l", "升", "m", "米"})
_LOOSE = frozenset({"category", "category_code", "stock", "sku"})
"""What may differ between two listings of the same goods."""
_GTIN_SIZES = frozenset({12, 13, 14})
"""Lengths that are seldom a shop's own; 8 figures often are."""
_COMPOSITIONS = {
    "none": "none", "无": "none", "普通": "none",
    "kit": "kit", "组合": "kit", "套装": "kit",
    "service": "service", "服务": "service",
    "made": "made", "自制": "made", "加工": "made",
}  # fmt: skip
PLACEHOLDER_STOCK = frozenset({9999, 99999, 999999, 9999999, 99999999})
"""What platforms and shops enter for "always there"; it is no stock."""


@define
class ProductRow:
    """A row as it speaks of one product.

    `given`: the sku of the file, if it has one; `codes`: its barcodes; `platform_id`; `values`:
    cleaned fields that were filled; `sku`: who it is about, once that is known; `minted`: that
    code was made for it.
    """

    row: Row
    given: str | None
    codes: tuple[str, ...]
    platform_id: str | None
    values: dict[str, Any] = field(factory=dict)
    sku: str | None = None
    first: ProductRow | None = None
    minted: bool = False

    @property
    def is_coded(self) -> bool:
        """Whether any code says what goods it is about."""
        packs = self.values.get("barcodes")
        return bool(self.given is not None or self.codes or packs or self.platform_id is not None)

    @property
    def failed(self) -> bool:
        """Whether any of its cells is wrong."""
        return bool(self.row.errors)


@frozen
class Known:
    """Codes of the catalog as they stand there: a cell that is exactly one of them is that one."""

    skus: Container[str] = ()
    categories: Container[str] = ()


def read_products(tables: Sequence[Table], *, escaped: bool, known: Known) -> list[ProductRow]:
    """Clean every row of a product file."""
    found = []
    for table in tables:
        mend_text = gtin_share(table, "barcode") >= 0.5
        for number, cells in table.rows():
            row = Row(table, number, cells, escaped)
            found.append(_read(row, mend_text=mend_text, known=known))
    if has_codes(found):
        for one in found:
            if not one.row.errors and not one.is_coded:
                one.row.wrong("sku" if one.row.table.has("sku") else "barcode", "missing_key")
    else:
        for one in found:
            if not one.row.errors and "name" not in one.values:
                one.row.wrong("name", "missing")
    return found


def has_codes(rows: Iterable[ProductRow]) -> bool:
    """Whether any row says a code; a file of names alone is read by its names."""
    return any(one.is_coded or one.row.has_code for one in rows)


def _read(row: Row, *, mend_text: bool, known: Known) -> ProductRow:
    def codes(raw: Raw) -> tuple[str, ...]:
        read = codes_of(raw, mend_text=mend_text)
        if read.mended is not None:
            row.note("barcode", read.mended, codes=" ".join(read.codes)[:200])
        return read.codes

    filled = _values(row, known=known).items()
    values = {name: value for name, value in filled if value is not None}
    packs = values.get("barcodes")
    listed = {code for code, _, _ in packs or ()}
    barcodes: tuple[str, ...] = ()
    if row.raw("barcode") not in listed:
        barcodes = tuple(c for c in row.read("barcode", codes) or () if c not in listed)
    if mend_text:
        _note_check_digits(row, barcodes)
    given = row.sku("sku", known=known.skus)
    platform_id = row.read("platform_id", code_of)
    return ProductRow(row, given, barcodes, platform_id, values)


def _note_check_digits(row: Row, codes: Iterable[str]) -> None:
    """Among GTINs, a code of their length that does not check was probably mistyped."""
    for code in codes:
        if len(code) in _GTIN_SIZES and is_number(code) and not has_check_digit(code):
            row.note("barcode", "wrong_check_digit", code=code)


def _values(row: Row, *, known: Known) -> dict[str, Any]:
    return {
        "name": row.text("name", longest=200),
        "spec": row.text("spec", longest=200),
        "unit": row.text("unit", longest=20),
        "display_unit": row.text("display_unit", longest=20),
        "display_factor": row.read("display_factor", lambda raw: whole_of(raw, largest=1_000_000)),
        "category": row.text("category", longest=200),
        "category_code": row.sku("category_code", known=known.categories),
        "barcodes": row.read("barcodes", lambda raw: split_packs(_whole_text(raw))),
        "price": row.amount("price", digits=2),
        "open_price_min": row.amount("open_price_min", digits=2),
        "open_price_max": row.amount("open_price_max", digits=2),
        "cost": row.amount("cost", digits=4),
        "precision": row.read("precision", lambda raw: whole_of(raw, largest=3)),
        "track_lots": row.read("track_lots", truth_of),
        "shelf_life_days": row.read("shelf_life_days", days_of),
        "low_stock": row.amount("low_stock", digits=3),
        "max_stock": row.amount("max_stock", digits=3),
        "overstock_days": row.read("overstock_days", days_of),
        "composition": _composition(row),
        "components": row.read("components", lambda raw: split_components(_whole_text(raw))),
        "family": row.text("family", longest=64),
        "stock": _stock(row),
    }


def _whole_text(raw: Raw) -> str:
    return raw if isinstance(raw, str) else code_of(raw) or ""


def _composition(row: Row) -> str | None:
    text = row.read("composition", text_of)
    if text is None:
        return None
    found = _COMPOSITIONS.get(fold(text))
    if found is None:
        row.wrong("composition", "not_one_of", allowed="none, kit, service, made")
    return found


def _stock(row: Row) -> Any:
    """What the file says of stock; read always, for its decimals, and posted only when asked."""
    before = len(row.errors)
    found = row.read("stock", number_of)
    if len(row.errors) > before:
        row.notes.append(row.errors.pop())
    if found is not None and (found in PLACEHOLDER_STOCK or found.adjusted() > 9):
        row.note("stock", "placeholder_stock")
        return None
    return found


def precision_of(values: dict[str, Any]) -> int | None:
    """The decimals a new product needs: as stated, by its unit of weight, or by its stock."""
    if "precision" in values:
        return int(values["precision"])
    if fold(values.get("unit", "")) in _WEIGHED:
        return 3
    stock = values.get("stock")
    if stock is None:
        return None
    exponent = stock.normalize().as_tuple().exponent
    return min(max(-exponent, 0), 3) or None


def forms(code: str) -> tuple[str, ...]:
    """All spellings of a code; only itself where it is no GTIN."""
    return gtin_forms(code) or (code,)


def name_products(rows: Sequence[ProductRow], *, found: dict[str, list[tuple[str, str]]]) -> None:
    """Settle who each row is about, and mark rows that repeat an earlier one.

    `found`: (sku, name) of the products in the catalog that bear a code, by code.
    """
    by_code: dict[str, str] = {}
    first: dict[str, ProductRow] = {}
    for one in rows:
        if one.failed:
            continue
        one.sku = one.given or _by_codes(one, by_code=by_code, found=found)
        if one.sku is None:
            continue
        earlier = first.get(one.sku)
        if earlier is None:
            first[one.sku] = one
            for code in all_codes(one):
                _note_shared(one, code, owner=by_code.get(code))
                for form in forms(code):
                    by_code.setdefault(form, one.sku)
        else:
            one.first = earlier
            _compare(one, earlier)


def _note_shared(one: ProductRow, code: str, *, owner: str | None) -> None:
    """Two goods with one barcode may be meant (the clerk chooses), or be a slip; so say it."""
    if owner is not None and owner != one.sku:
        one.row.note("barcode", "barcode_shared", code=code, skus=owner)


def all_codes(one: ProductRow) -> list[str]:
    """Every barcode a row names."""
    return [*one.codes, *(code for code, _, _ in one.values.get("barcodes", ()))]


def _by_codes(
    one: ProductRow, *, by_code: dict[str, str], found: dict[str, list[tuple[str, str]]]
) -> str | None:
    codes = all_codes(one)
    for code in codes:
        if code in by_code:
            return by_code[code]
        bearers = next((found[form] for form in forms(code) if found.get(form)), [])
        if len(bearers) == 1:
            return bearers[0][0]
        if bearers:
            return _among(one, bearers)
    candidates: Iterable[str | None] = (*codes, one.platform_id)
    for candidate in candidates:
        if candidate is not None and is_sku(candidate):
            return candidate
    name = "barcode" if codes else "platform_id"
    one.row.wrong(name, "bad_code")
    return None


def _among(one: ProductRow, bearers: Sequence[tuple[str, str]]) -> str | None:
    """Of several goods with one barcode, the one of that name."""
    named = [sku for sku, name in bearers if fold(name) == fold(one.values.get("name", ""))]
    if len(named) == 1:
        return named[0]
    one.row.wrong("barcode", "ambiguous_barcode", skus=", ".join(sku for sku, _ in bearers[:5]))
    return None


def _compare(one: ProductRow, earlier: ProductRow) -> None:
    """A later listing: a repeat that changes nothing, or an error where it says otherwise."""
    differing = [
        name
        for name, value in one.values.items()
        if name not in _LOOSE and earlier.values.get(name) != value
    ]
    known = {form for code in all_codes(earlier) for form in forms(code)}
    if any(code not in known for code in one.codes):
        differing.append("barcode")
    for name in differing:
        one.row.wrong(name, "duplicate_differs", row=earlier.row.number)
    if not differing:
        one.row.note(None, "duplicate_row", row=earlier.row.number)
