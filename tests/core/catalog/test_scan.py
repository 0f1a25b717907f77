from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from dianku.catalog.codes import check_digit
from dianku.catalog.requests import (
    NewBarcode,
    NewComponent,
    NewProduct,
    ScaleTemplate,
    ScanMatch,
    StorePatch,
    StoreSettings,
)
from dianku.catalog.service import CatalogService
from dianku.catalog.tables import product
from dianku.clock import SetClock, local_day
from dianku.context import Context
from dianku.errors import Refused
from dianku.ledger.tables import lot, lot_balance, reservation_hold, stock_balance
from dianku.storage.engine import Database

CARTON = "1692116850925" + check_digit("1692116850925")


@pytest.fixture
def shelf(catalog: CatalogService, owner: Context) -> CatalogService:
    """S1 has a scale; goods by the piece, by weight, one code on two goods."""
    catalog.patch_store(
        "S1",
        StorePatch(
            scale_templates=[
                ScaleTemplate(prefix="21", template="FFWWWWWEEEEEC"),
                ScaleTemplate(prefix="22", template="FFWWWWWNNNNNC"),
                ScaleTemplate(prefix="21", template="FFWWWWWEEEEENNNNNC"),
            ]
        ),
        ctx=owner,
    )

    def make(sku: str, *codes: NewBarcode, **more: Any) -> None:
        values = {"name": sku, "unit": "个", **more}
        catalog.create_product(NewProduct(sku=sku, barcodes=list(codes), **values), ctx=owner)

    make("COLA", NewBarcode(code="6921168509256"), price=Decimal("3.5"))
    make("CASE", NewBarcode(code=CARTON, factor=12, price=Decimal(40)), price=Decimal("3.5"))
    make("UPC", NewBarcode(code="012345678905"))
    make("BEEF", NewBarcode(code="12345"), unit="kg", precision=3, price=Decimal("29.80"))
    make("00045", unit="kg", precision=3, price=Decimal(10))
    make("BUN", NewBarcode(code="777"))
    make("RED", NewBarcode(code="5000"))
    make("BLUE", NewBarcode(code="5000"))
    return catalog


def _scan(
    catalog: CatalogService, ctx: Context, code: str, store: str | None = "S1"
) -> list[ScanMatch]:
    return catalog.scan(code, store, ctx=ctx).matches


@pytest.mark.parametrize(
    ("code", "sku", "factor"),
    [
        ("6921168509256", "COLA", 1),
        ("06921168509256", "COLA", 1),
        ("６９２１１６８５０９２５６", "COLA", 1),
        (" 6921168509256\r", "COLA", 1),
        ("]E06921168509256", "COLA", 1),
        (CARTON, "CASE", 12),
        ("012345678905", "UPC", 1),
        ("0012345678905", "UPC", 1),
        ("00012345678905", "UPC", 1),
        ("COLA", "COLA", 1),
        ("00045", "00045", 1),
    ],
)
@pytest.mark.sqlite_only
def test_scan_of_a_code_in_any_form_finds_the_product(
    shelf: CatalogService, owner: Context, code: str, sku: str, factor: int
) -> None:
    (match,) = _scan(shelf, owner, code)
    assert (match.sku, match.factor, match.quantity) == (sku, factor, None)


@pytest.mark.parametrize("code", ["6921168509257", "45", "cola", "999", "26921168509250"])
@pytest.mark.sqlite_only
def test_scan_of_an_unknown_code_is_not_found(
    shelf: CatalogService, owner: Context, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        _scan(shelf, owner, code)
    assert refused.value.problem.code == "not_found"
    assert refused.value.problem.params["name"] == code


def test_scan_of_a_label_by_amount_takes_the_weight_it_buys(
    shelf: CatalogService, owner: Context
) -> None:
    (match,) = _scan(shelf, owner, "2112345012353")
    assert (match.sku, match.quantity, match.amount) == ("BEEF", "0.414", "12.35")


def test_scan_of_a_label_goes_by_the_price_of_the_store(
    shelf: CatalogService, owner: Context
) -> None:
    shelf.put_store_settings("BEEF", "S1", StoreSettings(price=Decimal("24.70")), ctx=owner)
    (match,) = _scan(shelf, owner, "2112345012353")
    assert (match.quantity, match.price) == ("0.500", "24.70")


def _label(text: str) -> str:
    return text + check_digit(text)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (_label("221234501500"), ("BEEF", "1.500", None)),
        (_label("220004500250"), ("00045", "0.250", None)),
        (_label("220077700003"), ("BUN", "3", None)),
        ("211234500123005203", ("BEEF", "0.520", "1.23")),
    ],
)
@pytest.mark.sqlite_only
def test_scan_of_a_label_by_measure_is_weight_or_count(
    shelf: CatalogService, owner: Context, code: str, expected: tuple[str, str, str | None]
) -> None:
    (match,) = _scan(shelf, owner, code)
    assert (match.sku, match.quantity, match.amount) == expected


@pytest.mark.sqlite_only
def test_scan_of_a_label_elsewhere_is_not_guessed(shelf: CatalogService, owner: Context) -> None:
    for store in ("S2", None):
        with pytest.raises(Refused):
            _scan(shelf, owner, "2112345012353", store)


@pytest.mark.sqlite_only
def test_scan_of_a_label_of_an_unknown_item_falls_back_to_the_whole_code(
    shelf: CatalogService, owner: Context
) -> None:
    code = _label("219999901235")
    shelf.create_product(
        NewProduct(sku="FIX", name="FIX", unit="个", barcodes=[NewBarcode(code=code)]), ctx=owner
    )
    (match,) = _scan(shelf, owner, code)
    assert (match.sku, match.quantity, match.amount) == ("FIX", None, None)


@pytest.mark.sqlite_only
def test_scan_of_a_gs1_string_gives_lot_dates_and_count(
    shelf: CatalogService, owner: Context
) -> None:
    (match,) = _scan(shelf, owner, "]C1010692116850925610L-7\x1d1725093011250901")
    assert (match.sku, match.lot, match.expires_on, match.made_on, match.quantity) == (
        "COLA",
        "L-7",
        "2025-09-30",
        "2025-09-01",
        None,
    )
    (match,) = _scan(shelf, owner, f"(02){CARTON}(37)5")
    assert (match.sku, match.quantity) == ("CASE", "60")


def test_scan_of_a_code_on_several_goods_offers_all_but_the_archived(
    shelf: CatalogService, owner: Context
) -> None:
    assert {m.sku for m in _scan(shelf, owner, "5000")} == {"RED", "BLUE"}
    shelf.archive_product("RED", ctx=owner)
    assert {m.sku for m in _scan(shelf, owner, "5000")} == {"BLUE"}
    shelf.archive_product("BLUE", ctx=owner)
    assert {m.sku for m in _scan(shelf, owner, "5000")} == {"RED", "BLUE"}


@pytest.mark.sqlite_only
def test_scan_of_one_number_in_two_spellings_offers_both_goods(
    shelf: CatalogService, owner: Context
) -> None:
    for sku, codes in (
        ("SHORT", ["036000291452"]),
        ("LONG", ["0036000291452"]),
        ("BOTH", ["00036000291452", "0036000291452"]),
    ):
        barcodes = [NewBarcode(code=code) for code in codes]
        shelf.create_product(NewProduct(sku=sku, name=sku, unit="个", barcodes=barcodes), ctx=owner)
    for code in ("036000291452", "0036000291452", "00036000291452", "(01)00036000291452"):
        found = sorted(match.sku for match in _scan(shelf, owner, code))
        assert found == ["BOTH", "LONG", "SHORT"], code


@pytest.mark.sqlite_only
def test_scan_of_a_pack_gives_its_own_price_or_that_of_its_pieces(
    shelf: CatalogService, owner: Context
) -> None:
    assert _scan(shelf, owner, CARTON)[0].price == "40.00"
    assert _scan(shelf, owner, "6921168509256")[0].price == "3.50"


def test_scan_shows_stock_without_due_holds_and_past_lots(
    shelf: CatalogService, owner: Context, database: Database, clock: SetClock
) -> None:
    now_ms = clock.now_ms()
    today = local_day(now_ms, "Asia/Shanghai")
    with database.writing() as connection:
        product_id = connection.execute(
            sa.select(product.c.id).where(product.c.sku == "COLA")
        ).scalar_one()
        place = {"store_id": 1, "product_id": product_id}
        connection.execute(
            sa.insert(stock_balance).values(**place, on_hand=20, reserved=5, moved=True)
        )
        for hold, (quantity, expires_at) in enumerate([(2, now_ms), (3, now_ms + 1)], start=1):
            connection.execute(
                sa.insert(reservation_hold).values(
                    **place,
                    reservation_id=hold,
                    quantity=quantity,
                    active=True,
                    expires_at=expires_at,
                )
            )
        for lot_id, expires_on in ((1, today - 1), (2, today), (3, 0)):
            connection.execute(
                sa.insert(lot).values(
                    id=lot_id, product_id=product_id, code=str(lot_id), expires_on=expires_on
                )
            )
            connection.execute(sa.insert(lot_balance).values(**place, lot_id=lot_id, quantity=4))
    shelf.create_product(
        NewProduct(
            sku="SIX",
            name="SIX",
            unit="提",
            composition="kit",
            components=[NewComponent(sku="COLA", quantity=Decimal(6))],
        ),
        ctx=owner,
    )
    stock = _scan(shelf, owner, "COLA")[0].stock
    assert stock is not None
    assert (stock.on_hand, stock.reserved, stock.available) == ("20", "3", "13")
    kit = _scan(shelf, owner, "SIX")[0].stock
    assert kit is not None
    assert (kit.on_hand, kit.available) == ("3", "2")
    made_of = [_scan(shelf, owner, sku)[0].composition for sku in ("COLA", "SIX")]
    assert made_of == ["none", "kit"]
    assert _scan(shelf, owner, "COLA", None)[0].stock is None
    assert shelf.scan("COLA", "S1", ctx=owner, with_stock=False).matches[0].stock is None


@pytest.mark.sqlite_only
def test_scan_in_a_store_out_of_scope_is_forbidden(shelf: CatalogService, clerk: Context) -> None:
    with pytest.raises(Refused) as refused:
        _scan(shelf, clerk, "COLA", "S2")
    assert refused.value.problem.code == "forbidden"
